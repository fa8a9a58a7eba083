import { deadLetterRows } from '../functions/dead-letter.ts'
import { type Quarantined, quarantineKeepMs, quarantineKey, type Store } from '../stores/contract.ts'
import type { PoisonMessage } from './batch.ts'

/**
 * Sets a message that nobody can read aside with its bytes, as the stores do with rows, and has somebody paged. Setting
 * it aside again changes nothing. Rejects when it cannot be kept (too large, no table): then the queue must keep it.
 */
export const quarantineMessage =
  (world: { store: Pick<Store, 'commit'>; nowMs: () => number; quarantined: (message: PoisonMessage) => void }) =>
  async (message: PoisonMessage): Promise<void> => {
    const rowId = `message:${message.queue}:${message.messageId}`
    const quarantinedAtMs = world.nowMs()
    const { text, reason, sentAtMs } = message
    const value: Quarantined = { rowId, text, reason, dueAtMs: sentAtMs, quarantinedAtMs }
    const item = { key: quarantineKey(rowId), expect: 0, value, expiresAtMs: quarantinedAtMs + quarantineKeepMs }
    const rows = deadLetterRows(value).map((row) => ({ id: row.id, expect: 0, row }))
    const result = await world.store.commit([item], rows)
    if (result === 'committed') world.quarantined(message)
  }

/** For where there is no table: it goes back, and after its receives to the queue's dead letters, bytes and all. */
export const leaveToTheQueue = async ({ reason }: PoisonMessage): Promise<never> => {
  throw new Error(`a message that cannot be read: ${reason}`)
}
