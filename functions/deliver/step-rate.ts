/**
 * Reads what a channel was sent lately; decides a delivery's next step with it; commits both together.
 * All deliveries of a channel write the same item: whoever comes second reads it again and decides anew, so that no
 * slot is given twice and nothing is lost.
 */
import type { RowChange, Store } from '../../stores/contract.ts'
import { type ChannelRate, channelRate, keys } from '../contract.ts'

/** What to write, or why nothing is to be written. */
export type Paced<T> = { rate: ChannelRate; rows: RowChange[] } | { instead: T }

/** `limited: false`: this channel has no limit, and its item is neither read nor written. */
export type Pacing = { rowId: string; version: number; channel: string; limited: boolean }

const quiet: ChannelRate = { sentAtMs: [], heldUntilMs: 0 }
const tries = 6

const readRate = async (store: Store, key: string) => {
  const found = (await store.read([key])).get(key)
  // One that cannot be read (a newer version wrote it) holds up no page.
  return { rate: channelRate.safeParse(found?.value).data ?? quiet, version: found?.version ?? 0 }
}

/** `conflict`: somebody else moved the row. `busy`: so many write the channel's item that this one did not get to it. */
export const commitPaced = async <T>(
  store: Store,
  { rowId, version, channel, limited }: Pacing,
  decide: (rate: ChannelRate) => Paced<T>,
): Promise<'committed' | 'conflict' | 'busy' | { instead: T }> => {
  const key = keys.rate(channel)
  for (let attempt = 1; attempt <= tries; attempt++) {
    const found = limited ? await readRate(store, key) : { rate: quiet, version: 0 }
    const paced = decide(found.rate)
    if ('instead' in paced) return paced
    const changes = limited ? [{ key, expect: found.version, value: paced.rate }] : []
    if ((await store.commit(changes, paced.rows)) === 'committed') return 'committed'
    if (!limited || (await store.row(rowId))?.version !== version) return 'conflict'
  }
  return 'busy'
}
