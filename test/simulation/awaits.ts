/** Every await in a step at which its process may die: named by function and call, before and after it took effect. */
const calls = {
  probe: ['run', 'send', 'waitUntil'],
  'second-opinion': ['run', 'send', 'waitUntil'],
  evaluate: ['store.read', 'store.row', 'store.commit', 'nudge'],
  correlate: ['store.row', 'store.read', 'store.list', 'store.commit', 'nudge'],
  triage: ['store.row', 'investigate', 'store.read', 'store.commit', 'nudge'],
  deliver: ['store.row', 'store.read', 'render', 'store.commit', 'send', 'nudge'],
  publish: ['store.read', 'store.list', 'blobs.put', 'store.row', 'store.commit'],
  sweep: ['store.due', 'store.read', 'store.row', 'store.commit', 'nudge', 'waitUntil'],
  api: ['store.row', 'store.read', 'store.commit', 'nudge'],
} as const

export type FunctionName = keyof typeof calls
export type CallName = (typeof calls)[FunctionName][number]

export const functionNames = Object.keys(calls) as FunctionName[] // Object.keys forgets what it was given.

const names = functionNames.flatMap((fn) =>
  calls[fn].flatMap((call) => [`${fn}: ${call} (before)`, `${fn}: ${call} (after)`]),
)
export const awaitCount = names.length

const indexes = new Map(
  functionNames.map((fn) => [
    fn,
    new Map<string, number>(calls[fn].map((call) => [call, names.indexOf(`${fn}: ${call} (before)`)])),
  ]),
)

/** The number of an await before its effect; the one after it is the next. A call that is not listed is a mistake. */
export const awaitIndex = (fn: FunctionName, call: CallName): number => {
  const index = indexes.get(fn)?.get(call)
  if (index === undefined) throw new Error(`${fn} awaits ${call}, which awaits.ts does not list`)
  return index
}

export const awaitName = (index: number): string => names[index] ?? ''

/** How often each await was passed, and how often a process died at it, over all seeds. */
export type AwaitTally = { passed: number[]; crashes: number[] }

export const awaitTally = (): AwaitTally => ({
  passed: names.map(() => 0),
  crashes: names.map(() => 0),
})

/** The awaits at which nobody ever died. */
export const neverCrashed = ({ crashes }: AwaitTally): string[] => names.filter((_, index) => crashes[index] === 0)

export const awaitTable = ({ passed, crashes }: AwaitTally): string[] => {
  const width = Math.max(...names.map((name) => name.length))
  return [
    `${'await'.padEnd(width)}     passed  crashes`,
    ...names.map(
      (name, index) =>
        `${name.padEnd(width)} ${String(passed[index]).padStart(10)} ${String(crashes[index]).padStart(8)}`,
    ),
  ]
}
