import type { Labels, Selector } from '../contract.ts'
import { compileLabelTests, type LabelTest } from '../selector.ts'

/** Lines of one metric name, which mostly stand together. */
export type NameRun = {
  name: string
  /** The name as it stands in the line. */
  bytes: Buffer
  wanted: boolean
  /** The label conditions of each selector of this name; one that holds keeps the series. Absent: all are kept. */
  conditions?: readonly (readonly LabelTest[])[] | undefined
  /** A line of the run was read to its end, so what follows is taken for lines of the same kind. */
  seen: boolean
}

/** Tells from a line's first bytes whether somebody asked for its series. */
export type NameFilter = {
  /** The run the line at `start` belongs to; nothing when its name is quoted, behind blanks or none at all. */
  runAt: (bytes: Buffer, start: number) => NameRun | undefined
  /** The same question about a line that was parsed. */
  keeps: (name: string, labels: Labels) => boolean
}

const isNameByte = new Uint8Array(256)
for (const character of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:') {
  isNameByte[character.charCodeAt(0)] = 1
}
const zero = 0x30
const nine = 0x39

const isName = (run: NameRun, bytes: Buffer, start: number): boolean => {
  const { bytes: name } = run
  const length = name.length
  // The byte behind the name first: it tells most other names apart.
  if (isNameByte[bytes[start + length] ?? 0] === 1) return false
  for (let at = length - 1; at >= 0; at--) if (bytes[start + at] !== name[at]) return false
  return true
}

type Conditions = readonly (readonly LabelTest[])[] | undefined

const conditionsByName = (keep: readonly Selector[]): ReadonlyMap<string, Conditions> => {
  const byName = Map.groupBy(keep, (selector) => selector.name)
  return new Map(
    [...byName].map(([name, same]): [string, Conditions] => {
      const conditions = same.map((selector) => compileLabelTests(selector.matchers))
      return [name, conditions.some((tests) => tests.length === 0) ? undefined : conditions]
    }),
  )
}

/** Does one of the selectors hold for a series whose labels are looked up by name? An absent label is "". */
export const holds = (conditions: Conditions, lookUp: (label: string) => string): boolean =>
  conditions === undefined || conditions.some((tests) => tests.every(({ label, test }) => test(lookUp(label))))

/**
 * Expositions are grouped by name, so the name of the line before is compared first; a line in a long run of unwanted
 * ones costs one comparison and nothing is decoded. Every line's name is looked at: a sample that stands outside its
 * family's group is found like any other.
 *
 * @throws SelectorError
 */
export const createNameFilter = (keep: readonly Selector[] | 'all'): NameFilter => {
  const asked = keep === 'all' ? undefined : conditionsByName(keep)
  let last: NameRun | undefined
  const runAt = (bytes: Buffer, start: number): NameRun | undefined => {
    if (last !== undefined && isName(last, bytes, start)) return last
    let end = start
    while (isNameByte[bytes[end] ?? 0] === 1) end++
    const first = bytes[start] ?? 0
    if (end === start || (first >= zero && first <= nine)) return undefined
    const name = bytes.toString('latin1', start, end)
    last = {
      name,
      // A copy, because the chunk the name stands in goes away.
      bytes: Buffer.from(name, 'latin1'),
      wanted: asked === undefined || asked.has(name),
      conditions: asked?.get(name),
      seen: false,
    }
    return last
  }
  const keeps = (name: string, labels: Labels): boolean =>
    asked === undefined ||
    (asked.has(name) && holds(asked.get(name), (label) => (Object.hasOwn(labels, label) ? (labels[label] ?? '') : '')))
  return { runAt, keeps }
}
