import { expect, test } from '@jest/globals'
import { keys, type OutboxRow, statusPageKey } from '../../../functions/contract.ts'
import { emptyIndex } from '../../../functions/hub-state.ts'
import { publishStep } from '../../../functions/publish/step.ts'
import { publishRowId } from '../../../functions/row-ids.ts'
import { memoryBlobs, memoryStore } from '../../../stores/memory.ts'
import { start } from '../builders.ts'
import { putIncidents, storedIncident } from '../stored-incidents.ts'

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

test('a page that was begun before the news and written after them does not hide them', async () => {
  const store = memoryStore({ nowMs: () => start })
  const blobs = memoryBlobs()
  const [began, slow] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const put = async (key: string, bytes: Uint8Array) => {
    began.resolve()
    await slow.promise
    await blobs.put(key, bytes)
  }
  const world = { store, nowMs: () => start, render: (view: object) => JSON.stringify(view), config }
  const minutely = publishStep({ ...world, blobs: { ...blobs, put } })()
  await began.promise
  await putIncidents(store, [storedIncident('shop')])
  await store.commit([], [{ id: row.id, expect: 0, row }])
  await publishStep({ ...world, blobs })(row.id)
  const told = await blobs.get(statusPageKey)
  slow.resolve()
  await minutely
  expect(new TextDecoder().decode(told)).toContain('"service":"shop"')
  expect(await blobs.get(statusPageKey)).toEqual(told)
})

test('a hub that never stands still has its page written three times, and the row is done', async () => {
  const store = memoryStore({ nowMs: () => start })
  await store.commit([], [{ id: row.id, expect: 0, row }])
  let puts = 0
  const put = async () => {
    await store.commit([{ key: keys.hub, expect: puts++, value: emptyIndex }])
  }
  const blobs = { ...memoryBlobs(), put }
  await publishStep({ store, blobs, nowMs: () => start, render: () => 'page', config })(row.id)
  expect(puts).toBe(3)
  expect(await store.row(row.id)).toBeUndefined()
})
