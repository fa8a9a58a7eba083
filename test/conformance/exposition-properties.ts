import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { Selector } from '../../sources/contract.ts'
import { holds } from '../../sources/exposition/name-filter.ts'
import type { ExpositionProblem } from '../../sources/exposition/problem.ts'
import { compileLabelTests } from '../../sources/selector.ts'
import { cuts, forms, inputs } from './exposition-inputs.ts'
import { chunksOf, limits, read, readSlowly } from './exposition-reads.ts'

const keep: Selector[] = [
  { name: 'a_total' },
  { name: 'up', matchers: [{ label: 'a', op: '=~', value: '1|web-.*' }] },
  { name: 'up', matchers: [{ label: 'b', op: '!=', value: '' }] },
  { name: 'x.y', matchers: [{ label: 'cluster', op: '=', value: 'east' }] },
]

const isKept = (name: string, labels: Readonly<Record<string, string>>): boolean =>
  keep.some(
    (selector) =>
      selector.name === name &&
      holds([compileLabelTests(selector.matchers)], (label) =>
        Object.hasOwn(labels, label) ? (labels[label] ?? '') : '',
      ),
  )

const must = (claim: string, holdsTrue: boolean): void => {
  if (!holdsTrue) throw new Error(claim)
}

/** Reading a few kilobytes takes well under a millisecond; this is a hang, even on a busy machine. */
const hangMs = 2000

/** Line and column as one counts them in the bytes before the place. */
const isPlaceOf = (bytes: Buffer, { line, column, byteOffset }: ExpositionProblem): boolean => {
  const before = bytes.subarray(0, byteOffset).toString('utf8').split('\n')
  return before.length === line && (before.at(-1) ?? '').length + 1 === column
}

/** What is true of every input, in both forms, strict or not, filtered or not. */
export const expositionProperty = fc.property(inputs, cuts, forms, fc.boolean(), (bytes, at, form, strict) => {
  const startedAt = performance.now()
  const whole = read([bytes], 'all', { form, strict })
  must('cut anywhere, it reads the same', isDeepStrictEqual(read(chunksOf(bytes, at), 'all', { form, strict }), whole))
  must('what is complete has no problem', (whole.end.status === 'complete') === (whole.end.problem === undefined))
  const { problem } = whole.end
  const isInText = problem !== undefined && problem.code !== 'too-many-bytes' && problem.code !== 'no-end-marker'
  must('a problem is where it says', !isInText || isPlaceOf(bytes, problem))
  must('no more is kept than allowed', whole.samples.length <= limits.series)
  if (!strict && problem?.code !== 'too-many-series' && bytes.length <= limits.bytes) {
    const slowly = readSlowly(bytes, form)
    const tooLong = problem?.code === 'line-too-long'
    const expected = tooLong ? slowly.slice(0, whole.samples.length) : slowly
    must('it reads what a plain loop over lines reads', isDeepStrictEqual(whole.samples, expected))
  }
  const filtered = read(chunksOf(bytes, at), keep, { form, strict })
  if (problem === undefined) {
    const kept = whole.samples.filter(({ name, labels }) => isKept(name, labels))
    must('what a filter keeps is what it would keep of all', isDeepStrictEqual(filtered.samples, kept))
    must('a filter sees every line', filtered.end.seriesSeen === whole.end.seriesSeen)
    must('a filter finds no fault where there is none', filtered.end.status === 'complete')
  }
  must('it ends', performance.now() - startedAt < hangMs)
})
