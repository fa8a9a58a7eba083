import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { expositionProperty } from './exposition-properties.ts'
import type { SuiteResult } from './result.ts'

const mebibyte = 1024 * 1024
/** Inputs are a few hundred bytes; what a hundred thousand of them leave behind must not show. */
const heapLimitMiB = 256

/** Random expositions against the properties every one must have. Prints the figures of the run. */
export const runExpositionFuzz = (parameters: string[]): SuiteResult | undefined => {
  const { values } = parseArgs({
    args: parameters,
    options: { runs: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
  })
  const numRuns = Number(values.runs)
  const seed = Number(values.seed)
  if (!Number.isInteger(numRuns) || numRuns < 1 || !Number.isInteger(seed)) return undefined
  const startedAt = performance.now()
  const { failed, numRuns: done, ...report } = fc.check(expositionProperty, { numRuns, seed })
  const seconds = (performance.now() - startedAt) / 1000
  const memory = process.memoryUsage()
  const peakMiB = process.resourceUsage().maxRSS / 1024
  console.log(
    `${done} inputs in ${seconds.toFixed(1)} s, seed ${seed}, heap ${(memory.heapUsed / mebibyte).toFixed(0)} MiB, peak RSS ${peakMiB.toFixed(0)} MiB`,
  )
  if (failed) {
    const why = report.errorInstance instanceof Error ? report.errorInstance.message : String(report.errorInstance)
    const input = JSON.stringify(report.counterexample, (_, value) =>
      value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
    ).replace(/[\x7f-\xff]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`)
    return { passed: done - 1, failures: [{ name: `input ${input}`, why }] }
  }
  const isFull = memory.heapUsed > heapLimitMiB * mebibyte
  return { passed: done, failures: isFull ? [{ name: 'memory', why: `more than ${heapLimitMiB} MiB of heap` }] : [] }
}
