import { packLocation } from '../location-packing.ts'
import { packShard } from '../shard-packing.ts'
import type { Alert, LocationState, MonitorState, ShardState } from '../shard-state.ts'

/** An item of 64 KB, with room for its version and key. */
export const itemRoomBytes = 60_000
/** More than any threshold a rule may have. */
const fewestLooks = 10

const encoder = new TextEncoder()
const bytesOf = (value: unknown) => encoder.encode(JSON.stringify(value)).byteLength

const cut = (text: string, limit: number) => text.slice(0, limit).toWellFormed()

type Keep = { looks: number; detail: number }

const shortened =
  (keep: Keep) =>
  ({ looks, last }: MonitorState): MonitorState => ({
    looks: looks.slice(-keep.looks).map(({ detail, ...look }) => {
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

/** A location that fails in many monitors at once remembers less of each, rather than nothing of any. */
export const fitLocation = (state: LocationState): LocationState => {
  let fitted = state
  for (const keep of sacrifices) {
    if (bytesOf(packLocation(fitted)) <= itemRoomBytes) break
    const shorter = shortened(keep)
    const monitors = Object.entries(state.monitors).map(([id, monitor]) => [id, shorter(monitor)] as const)
    fitted = { monitors: Object.fromEntries(monitors) }
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
    if (bytesOf(packShard(fitted)) <= itemRoomBytes) break
    const alerts = Object.entries(state.alerts).map(([id, alert]): [string, Alert] => {
      return [id, { ...alert, summary: cut(alert.summary, summary) }]
    })
    fitted = { ...state, alerts: Object.fromEntries(alerts), fired: lastFired(state.fired, fired) }
  }
  return fitted
}
