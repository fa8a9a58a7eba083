import { expect, test } from '@jest/globals'
import type { OutboxRow } from '../../../functions/contract.ts'
import { publishStep } from '../../../functions/publish/step.ts'
import { publishRowId } from '../../../functions/row-ids.ts'
import { memoryBlobs, memoryStore } from '../../../stores/memory.ts'
import { start } from '../builders.ts'

const row: OutboxRow = { id: publishRowId, to: 'publish', dueAtMs: start, nudges: 0, body: {} }
const config = { title: 'Shop', shards: 1, locations: ['local'], monitors: [] }

test('the row that demanded the page is gone when the page is written', async () => {
  const store = memoryStore({ nowMs: () => start })
  await store.commit([], [{ id: row.id, expect: 0, row }])
  await publishStep({ store, blobs: memoryBlobs(), nowMs: () => start, render: () => 'page', config })(row.id)
  expect(await store.row(row.id)).toBeUndefined()
})

test('a row that is written again while the page is made demands the next one', async () => {
  const store = memoryStore({ nowMs: () => start })
  await store.commit([], [{ id: row.id, expect: 0, row }])
  const blobs = memoryBlobs()
  const put = async (key: string, bytes: Uint8Array) => {
    await store.commit([], [{ id: row.id, expect: 1, row }])
    await blobs.put(key, bytes)
  }
  await publishStep({ store, blobs: { ...blobs, put }, nowMs: () => start, render: () => 'page', config })(row.id)
  expect(await store.row(row.id)).toMatchObject({ version: 2 })
})
