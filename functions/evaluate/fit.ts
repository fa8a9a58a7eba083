import { type PackedLocation, packLocation } from '../location-packing.ts'
import { packShard } from '../shard-packing.ts'
import type { Alert, LocationState, MonitorState, ShardState } from '../shard-state.ts'
import { lastLooks } from './counters.ts'

/** An item of 64 KB, with room for its version and key. */
export const itemRoomBytes = 60_000
/** More than any threshold a rule may have. */
const fewestLooks = 10

const encoder = new TextEncoder()
const bytesOf = (text: string) => encoder.encode(text).byteLength

/** A UTF-16 unit is at most three bytes of UTF-8, so that most items need no counting. */
const fits = (value: unknown) => {
  const text = JSON.stringify(value)
  return text.length * 3 <= itemRoomBytes || bytesOf(text) <= itemRoomBytes
}

const cut = (text: string, limit: number) => text.slice(0, limit).toWellFormed()

type Keep = { looks: number; detail: number }

const shortened =
  (keep: Keep) =>
  ({ looks, last }: MonitorState): MonitorState => ({
    looks: lastLooks(looks, keep.looks).map(({ detail, ...look }) => {
      return detail === undefined ? look : { ...look, detail: cut(detail, keep.detail) }
    }),
    last: last.cause ? { ...last, cause: { ...last.cause, detail: cut(last.cause.detail, keep.detail) } } : last,
  })

const everything = Number.POSITIVE_INFINITY
const sacrifices: readonly Keep[] = [
  { looks: 12, detail: everything },
  { looks: fewestLooks, detail: everything },
  { looks: fewestLooks, detail: 320 },
  { looks: fewestLooks, detail: 160 },
  { looks: fewestLooks, detail: 80 },
  { looks: fewestLooks, detail: 40 },
  { looks: fewestLooks, detail: 20 },
  { looks: fewestLooks, detail: 0 },
]

/** A state and the item it is kept in. */
export type Fitted = { state: LocationState; packed: PackedLocation }

/** A location that fails in many monitors at once remembers less of each, rather than nothing of any. */
export const fitLocation = (state: LocationState): Fitted => {
  let fitted: Fitted = { state, packed: packLocation(state) }
  for (const keep of sacrifices) {
    if (fits(fitted.packed)) break
    const shorter = shortened(keep)
    const monitors = Object.entries(state.monitors).map(([id, monitor]) => [id, shorter(monitor)] as const)
    const less = { ...state, monitors: Object.fromEntries(monitors) }
    fitted = { state: less, packed: packLocation(less) }
  }
  return fitted
}

const shardSacrifices = [
  { summary: everything, fired: 3 },
  ...[160, 80, 40, 20, 0].map((summary) => ({ summary, fired: 3 })),
  { summary: 0, fired: 1 },
  { summary: 0, fired: 0 },
]

const lastFired = (all: ShardState['fired'], count: number): ShardState['fired'] =>
  count === 0 ? {} : Object.fromEntries(Object.entries(all).map(([id, times]) => [id, times.slice(-count)]))

/** So many alerts at once that their summaries do not fit keep shorter ones; what is told of them was whole. */
export const fitShard = (state: ShardState): ShardState => {
  let fitted = state
  for (const { summary, fired } of shardSacrifices) {
    if (fits(packShard(fitted))) break
    const alerts = Object.entries(state.alerts).map(([id, alert]): [string, Alert] => {
      return [id, { ...alert, summary: cut(alert.summary, summary) }]
    })
    fitted = { ...state, alerts: Object.fromEntries(alerts), fired: lastFired(state.fired, fired) }
  }
  return fitted
}
