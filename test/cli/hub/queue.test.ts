import { expect, test } from '@jest/globals'
import { type Consumer, Queue } from '../../../cli/hub/queue.ts'

const idle: Consumer = { concurrency: 1, batch: 1, consume: async () => [] }
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

const queueWith = (deliver: Consumer) => {
  const failures: unknown[] = []
  const queue = new Queue({
    consumers: { correlate: idle, evaluate: idle, probe: idle, triage: idle, publish: idle, deliver },
    failed: (_to, rowIds, error) => failures.push([rowIds, String(error)]),
  })
  const nudge = (rowId: string, afterMs = 0) => queue.nudge([{ to: 'deliver', rowId, afterMs }])
  return { queue, nudge, failures }
}

test('one that hangs delays no other', async () => {
  const done: string[] = []
  const { nudge } = queueWith({
    concurrency: 3,
    batch: 1,
    consume: async ([rowId = '']) => {
      if (rowId === 'hangs') await new Promise(() => undefined)
      done.push(rowId)
      return []
    },
  })
  await nudge('hangs')
  for (const rowId of ['a', 'b', 'c', 'd']) await nudge(rowId)
  await turn()
  expect(done).toEqual(['a', 'b', 'c', 'd'])
})

test('a nudge for what is being worked on is not lost: it runs again afterwards', async () => {
  const gate = Promise.withResolvers<void>()
  let runs = 0
  const { nudge, queue } = queueWith({
    concurrency: 1,
    batch: 1,
    consume: async () => {
      runs++
      await gate.promise
      return []
    },
  })
  await nudge('a')
  await nudge('a')
  await nudge('a')
  expect([runs, queue.inHand('a')]).toEqual([1, true])
  gate.resolve()
  await turn()
  expect([runs, queue.inHand('a')]).toEqual([2, false])
})

test('a consumer that throws is told and holds up nobody', async () => {
  const { nudge, failures, queue } = queueWith({
    concurrency: 1,
    batch: 1,
    consume: async ([rowId]) => {
      if (rowId === 'bad') throw new Error('no')
      return []
    },
  })
  await nudge('bad')
  await nudge('good')
  await turn()
  expect(failures).toEqual([[['bad'], 'Error: no']])
  expect(queue.inHand('good')).toBe(false)
})

test('rows are taken in batches', async () => {
  const batches: (readonly string[])[] = []
  const gate = Promise.withResolvers<void>()
  const { nudge } = queueWith({
    concurrency: 1,
    batch: 3,
    consume: async (rowIds) => {
      batches.push(rowIds)
      await gate.promise
      return []
    },
  })
  for (const rowId of ['a', 'b', 'c', 'd', 'e']) await nudge(rowId)
  gate.resolve()
  await turn()
  await turn()
  expect(batches).toEqual([['a'], ['b', 'c', 'd'], ['e']])
})

test('closing waits for what runs and takes nothing new', async () => {
  const gate = Promise.withResolvers<void>()
  const done: string[] = []
  const { nudge, queue } = queueWith({
    concurrency: 1,
    batch: 1,
    consume: async ([rowId = '']) => {
      await gate.promise
      done.push(rowId)
      return []
    },
  })
  await nudge('a')
  await nudge('b')
  await nudge('c', 5)
  const closed = queue.close()
  await nudge('d')
  gate.resolve()
  await closed
  expect(done).toEqual(['a'])
})

test('a channel whose calls all hang holds up no other channel', async () => {
  const done: string[] = []
  const { nudge } = queueWith({
    concurrency: 2,
    batch: 1,
    groupOf: (rowId) => rowId.split(':')[0] ?? '',
    consume: async ([rowId = '']) => {
      if (rowId.startsWith('hangs')) await new Promise(() => undefined)
      done.push(rowId)
      return []
    },
  })
  for (const rowId of ['hangs:1', 'hangs:2', 'hangs:3', 'works:1', 'works:2', 'works:3']) await nudge(rowId)
  await turn()
  expect(done).toEqual(['works:1', 'works:2', 'works:3'])
})
