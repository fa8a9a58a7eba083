import type { Blobs } from '../stores/contract.ts'
import { keysOf } from './blob-keys.ts'
import { type HistoryMinute, historyDay, historyOfKey, minuteOf } from './history.ts'
import { readMinute } from './history-keeping.ts'

export type Span = { fromMs: number; toMs: number }

const hourMs = 60 * 60_000
/** Objects read side by side. */
const readAtOnce = 32

const hoursOf = ({ fromMs, toMs }: Span): string[] => {
  const hours: string[] = []
  for (let atMs = Math.floor(fromMs / hourMs) * hourMs; atMs <= toMs; atMs += hourMs) {
    hours.push(`${historyDay(atMs)}/${new Date(atMs).toISOString().slice(11, 13)}/`)
  }
  return hours
}

const allKeys = async (blobs: Pick<Blobs, 'list'>, prefix: string): Promise<string[]> => {
  const keys: string[] = []
  for await (const key of keysOf(blobs, prefix)) keys.push(key)
  return keys
}

/** Objects of the history in the order of these keys; `lost` hears of each that cannot be read. */
export async function* readMinutes(
  blobs: Pick<Blobs, 'get'>,
  keys: AsyncIterable<string> | Iterable<string>,
  lost: () => void,
): AsyncGenerator<HistoryMinute> {
  async function* readAll(some: readonly string[]) {
    for (const one of await Promise.all(some.map((key) => readMinute(blobs, key).catch(() => undefined)))) {
      if (one) yield one
      else lost()
    }
  }
  let next: string[] = []
  for await (const key of keys) {
    next.push(key)
    if (next.length < readAtOnce) continue
    yield* readAll(next)
    next = []
  }
  yield* readAll(next)
}

/** What these shards kept of a span of minutes, the oldest first. An object that cannot be read is left out, and counted. */
export const readHistory = async (
  blobs: Pick<Blobs, 'get' | 'list'>,
  at: Span & { isOurs: (shard: string) => boolean },
): Promise<{ minutes: HistoryMinute[]; unreadable: number }> => {
  const span = { fromMs: minuteOf(at.fromMs), toMs: at.toMs }
  const keys = (await Promise.all(hoursOf(span).map((hour) => allKeys(blobs, hour)))).flat().filter((key) => {
    const of = historyOfKey(key)
    return of && of.minuteMs >= span.fromMs && of.minuteMs <= span.toMs && at.isOurs(of.shard)
  })
  const minutes: HistoryMinute[] = []
  let unreadable = 0
  for await (const one of readMinutes(blobs, keys, () => unreadable++)) minutes.push(one)
  return { minutes: minutes.sort((a, b) => a.minuteMs - b.minuteMs), unreadable }
}
