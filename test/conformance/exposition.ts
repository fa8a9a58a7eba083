import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { createNameFilter } from '../../sources/exposition/name-filter.ts'
import type { ExpositionForm } from '../../sources/exposition/number.ts'
import { problemSentence } from '../../sources/exposition/problem.ts'
import { createExpositionReader, type ExpositionEnd } from '../../sources/exposition/reader.ts'
import type { ReadSample } from '../../sources/exposition/sample-line.ts'
import type { SuiteResult } from './result.ts'

/** `test.json` beside each input: what it is, which file, and whether a parser must take or refuse it. */
const description = z.object({ type: z.literal('text'), file: z.string().min(1), shouldParse: z.boolean() })

export type WholeRead = { end: ExpositionEnd; samples: ReadSample[] }

/** Reads chunks with everything on: every sample, its exemplar, every rule. */
export const readStrictly = (
  chunks: readonly Uint8Array[],
  form: ExpositionForm = 'openmetrics',
  strict = true,
): WholeRead => {
  const samples: ReadSample[] = []
  const reader = createExpositionReader({
    filter: createNameFilter('all'),
    onSample: (sample) => samples.push(sample),
    form,
    strict,
    exemplars: true,
  })
  for (const chunk of chunks) reader.push(chunk)
  return { end: reader.end(), samples }
}

const splitDiffers = (bytes: Buffer, whole: string): number => {
  for (let at = 1; at < bytes.length; at++) {
    if (JSON.stringify(readStrictly([bytes.subarray(0, at), bytes.subarray(at)])) !== whole) return at
  }
  return -1
}

/** What is wrong with how a case was read, if anything. */
const judge = (bytes: Buffer, shouldParse: boolean): string | undefined => {
  const read = readStrictly([bytes])
  const split = splitDiffers(bytes, JSON.stringify(read))
  if (split !== -1) return `cut at byte ${split} it reads differently`
  const { problem } = read.end
  if (!shouldParse) return problem === undefined ? 'should have been refused' : undefined
  if (problem !== undefined) return `should have been read: ${problemSentence(problem)}`
  const lines = bytes.toString('utf8').split('\n')
  const expected = lines.filter((line) => line !== '' && !line.startsWith('#')).length
  return read.samples.length === expected ? undefined : `${read.samples.length} samples read of ${expected}`
}

/** Runs a folder of cases, each a folder with `test.json` and its input, as OpenMetrics' own parser tests have them. */
export const runExpositionSuite = (folder: string): SuiteResult => {
  const result: SuiteResult = { passed: 0, failures: [] }
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  for (const name of names) {
    let why: string | undefined
    try {
      const { file, shouldParse } = description.parse(JSON.parse(readFileSync(join(folder, name, 'test.json'), 'utf8')))
      why = judge(readFileSync(join(folder, name, file)), shouldParse)
    } catch (error) {
      why = error instanceof Error ? error.message : String(error)
    }
    if (why === undefined) result.passed += 1
    else result.failures.push({ name, why })
  }
  return result
}
