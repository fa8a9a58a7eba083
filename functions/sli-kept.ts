import * as z from 'zod'
import type { SliBucket } from '../rules/contract.ts'
import type { Change, Store, Stored } from '../stores/contract.ts'
import { keys } from './contract.ts'
import { ancestors } from './shards.ts'
import { type BlockKind, blockAt, blockKinds, packBlock, unpackBlock } from './sli-blocks.ts'
import { noCounts, type SliCounts, type Touched, withBuckets } from './sli-counts.ts'

/** Written with every block, so that its version says whether what is remembered of them all still holds. */
const index = z.strictObject({ form: z.literal('counts-1'), closedMs: z.number() })

/** The counted events of a shard as they were read. `seen`: the versions of its index and of those it comes from. */
export type KeptCounts = { state: SliCounts; versions: ReadonlyMap<string, number>; seen: string }

const kinds: readonly BlockKind[] = ['minutes', 'hours']

const blockKeys = (shard: string) =>
  kinds.flatMap((kind) =>
    Array.from({ length: blockKinds[kind].ring }, (_, place) => ({ kind, key: keys.sliBlock(shard, kind, place) })),
  )

/** The blocks of one shard; in a ring they do not come in their order. */
const readBlocks = async (store: Store, shard: string) => {
  const places = blockKeys(shard)
  const items = await store.read(places.map(({ key }) => key))
  const of = (wanted: BlockKind) => {
    const all = places.flatMap(({ kind, key }) => {
      const item = kind === wanted ? items.get(key) : undefined
      return item ? unpackBlock(item.value, kind) : []
    })
    const byRule = Map.groupBy(all, ({ id }) => id)
    return new Map(
      [...byRule].map(([id, own]): [string, SliBucket[]] => [
        id,
        own.flatMap(({ buckets }) => buckets).sort((a, b) => a.atMs - b.atMs),
      ]),
    )
  }
  const versions = new Map([...items].map(([key, { version }]) => [key, version]))
  return { minutes: of('minutes'), hours: of('hours'), versions }
}

const closedOf = (item: Stored | undefined): number => (item ? index.parse(item.value).closedMs : 0)

/**
 * Everything a shard knows of its objectives. A shard that was split off finds what was counted before with those it comes
 * from; nothing is moved, since what is in both counts once.
 */
export const readCounts = async (store: Store, shard: string, before?: KeptCounts): Promise<KeptCounts> => {
  const shards = [shard, ...ancestors(shard)]
  const items = await store.read(shards.map(keys.slis))
  const seen = shards.map((name) => items.get(keys.slis(name))?.version ?? 0).join(' ')
  if (before?.seen === seen) return before
  const known = shards.filter((name) => items.has(keys.slis(name)))
  const own = items.get(keys.slis(shard))
  const closedMs = Math.max(...(own ? [own] : [...items.values()]).map(closedOf), 0)
  const parts = await Promise.all(known.map(async (name) => ({ name, ...(await readBlocks(store, name)) })))
  const all = parts.reduce<SliCounts>(
    (sum, { minutes, hours }) => ({
      closedMs,
      minutes: withBuckets(sum.minutes, minutes),
      hours: withBuckets(sum.hours, hours),
    }),
    { ...noCounts, closedMs },
  )
  // Whoever reads while an hour is closed may find it in both.
  const minutes = [...all.minutes].map(([id, own]) => [id, own.filter(({ atMs }) => atMs >= closedMs)] as const)
  const hours = [...all.hours].map(([id, own]) => [id, own.filter(({ atMs }) => atMs < closedMs)] as const)
  const ownVersions = parts.find(({ name }) => name === shard)?.versions ?? []
  const versions = new Map([...ownVersions, ...(own ? [[keys.slis(shard), own.version] as const] : [])])
  return { state: { closedMs, minutes: new Map(minutes), hours: new Map(hours) }, versions, seen }
}

/** What to write of a shard's objectives after some of their minutes or hours changed: nothing when none did. */
export const countChanges = (
  shard: string,
  before: KeptCounts,
  now: { state: SliCounts; touched: Touched; ids: readonly string[] },
): Change[] => {
  const { state, touched, ids } = now
  const blocks = kinds.flatMap((kind) => {
    const places = new Map([...touched[kind]].map((atMs) => [blockAt(kind, atMs).fromMs, blockAt(kind, atMs)]))
    return [...places.values()].map(({ fromMs, place }): Change => {
      const key = keys.sliBlock(shard, kind, place)
      return { key, expect: before.versions.get(key) ?? 0, value: packBlock(state, { kind, fromMs, ids }) }
    })
  })
  if (blocks.length === 0 && state.closedMs === before.state.closedMs) return []
  const key = keys.slis(shard)
  const value = { form: 'counts-1', closedMs: state.closedMs }
  return [{ key, expect: before.versions.get(key) ?? 0, value }, ...blocks]
}

/** What is known once these changes are written. */
export const afterWriting = (
  shard: string,
  before: KeptCounts,
  { state, changes }: { state: SliCounts; changes: readonly Change[] },
): KeptCounts => {
  if (changes.length === 0) return { ...before, state }
  const versions = new Map([...before.versions, ...changes.map(({ key, expect }) => [key, expect + 1] as const)])
  const [, ...others] = before.seen.split(' ')
  return { state, versions, seen: [versions.get(keys.slis(shard)) ?? 0, ...others].join(' ') }
}
