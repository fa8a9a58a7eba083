import type { Sample } from '../../sources/contract.ts'
import { perSecond } from '../counter-steps.ts'
import type { Series } from '../past.ts'

/** The series of one thing, such as a node, by name. */
export type Own = {
  /** The labels that tell it from others of its kind. */
  key: Readonly<Record<string, string>>
  named: (name: string) => readonly Sample[]
  /** The only one of that name. */
  one: (name: string) => Sample | undefined
  /** Its value; undefined, never 0, where it is absent or no number. */
  value: (name: string) => number | undefined
  rate: (sample: Sample | undefined) => number | undefined
}

export const finite = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isFinite(value) ? value : undefined

export const ratio = (part: number | undefined, whole: number | undefined): number | undefined =>
  part === undefined || whole === undefined || whole <= 0 ? undefined : part / whole

/** A sum of which every part is known and there is at least one. */
export const sum = (parts: readonly (number | undefined)[]): number | undefined => {
  const known = parts.filter((part) => part !== undefined)
  return known.length === 0 || known.length < parts.length ? undefined : known.reduce((a, b) => a + b, 0)
}

/** An object without the keys whose values are unknown. */
export const known = <T extends Record<string, unknown>>(
  fields: T,
): { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
} =>
  // The type says what the filter does: keys of unknown values are gone.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as ReturnType<typeof known<T>>

const ownOf = (series: Series, key: Own['key'], samples: ReadonlyMap<string, readonly Sample[]>): Own => {
  const named = (name: string) => samples.get(name) ?? []
  const one = (name: string) => named(name)[0]
  return { key, named, one, value: (name) => finite(one(name)?.value), rate: (sample) => perSecond(series, sample) }
}

/** Series of these names put together by the labels that `keyOf` finds in them; those without a key are left out. */
export const grouped = (
  series: Series,
  names: readonly string[],
  keyOf: (sample: Sample) => Own['key'] | undefined,
): Own[] => {
  const groups = new Map<string, { key: Own['key']; samples: Map<string, Sample[]> }>()
  for (const name of new Set(names)) {
    for (const sample of series.named(name)) {
      const key = keyOf(sample)
      if (key === undefined) continue
      const text = JSON.stringify(key)
      const group = groups.get(text) ?? { key, samples: new Map<string, Sample[]>() }
      groups.set(text, group)
      const same = group.samples.get(name)
      if (same) same.push(sample)
      else group.samples.set(name, [sample])
    }
  }
  return [...groups.values()].map(({ key, samples }) => ownOf(series, key, samples))
}
