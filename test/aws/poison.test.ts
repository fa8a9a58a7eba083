import { expect, test } from '@jest/globals'
import type { PoisonMessage } from '../../aws/batch.ts'
import { leaveToTheQueue, quarantineMessage } from '../../aws/poison.ts'
import { quarantined, quarantinePrefix, StoreError } from '../../stores/contract.ts'
import { memoryStore } from '../../stores/memory.ts'

const nowMs = () => 9000
const message: PoisonMessage = {
  messageId: 'm-1',
  queue: 'deliver',
  sentAtMs: 5000,
  text: '{"rowId',
  reason: 'not JSON',
}

test('a message that nobody can read is kept with its bytes, and told once however often it comes', async () => {
  const store = memoryStore({ nowMs })
  const told: string[] = []
  const setAside = quarantineMessage({ store, nowMs, quarantined: ({ messageId }) => void told.push(messageId) })
  await setAside(message)
  await setAside(message)
  const items = await store.list(quarantinePrefix, { limit: 10 })
  expect([...items].map(([key, { value }]) => [key, quarantined.parse(value)])).toEqual([
    [
      'quarantine/message:deliver:m-1',
      { rowId: 'message:deliver:m-1', text: '{"rowId', reason: 'not JSON', dueAtMs: 5000, quarantinedAtMs: 9000 },
    ],
  ])
  expect(told).toEqual(['m-1'])
  expect((await store.due(9000, 10)).map(({ row }) => [row.id, row.to])).toEqual([
    ['dead-letter:message:deliver:m-1', 'correlate'],
  ])
})

test('one that is too large to keep stays with its queue', async () => {
  const setAside = quarantineMessage({ store: memoryStore({ nowMs }), nowMs, quarantined: () => undefined })
  await expect(setAside({ ...message, text: '"'.repeat(250_000) })).rejects.toThrow(StoreError)
})

test('where there is no table it stays with its queue', async () => {
  await expect(leaveToTheQueue(message)).rejects.toThrow('a message that cannot be read: not JSON')
})
