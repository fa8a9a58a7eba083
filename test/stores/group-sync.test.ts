import { expect, test } from '@jest/globals'
import { groupSync } from '../../stores/group-sync.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Syncs that end when they are told to. */
const disk = () => {
  const running: { end: () => void; fail: (error: Error) => void }[] = []
  const sync = () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    running.push({ end: resolve, fail: reject })
    return promise
  }
  return { running, ...groupSync(sync) }
}

test('whoever comes while a sync runs shares the next one, since the running one may have missed their bytes', async () => {
  const { running, durable } = disk()
  const done: string[] = []
  void durable().then(() => done.push('first'))
  await turn()
  for (const name of ['second', 'third']) void durable().then(() => done.push(name))
  running[0]?.end()
  await turn()
  expect({ done, syncs: running.length }).toEqual({ done: ['first'], syncs: 2 })
  running[1]?.end()
  await turn()
  expect(done).toEqual(['first', 'second', 'third'])
})

test('a sync that fails is told to those who waited for it, and to nobody after them', async () => {
  const { running, durable } = disk()
  const failed = durable()
  await turn()
  const next = durable()
  running[0]?.fail(new Error('no'))
  await expect(failed).rejects.toThrow('no')
  await turn()
  running[1]?.end()
  await expect(next).resolves.toBeUndefined()
})

test('it is idle when the last sync anybody waits for has ended', async () => {
  const { running, durable, idle } = disk()
  void durable()
  await turn()
  void durable()
  let over = false
  const waiting = idle().then(() => {
    over = true
  })
  running[0]?.end()
  await turn()
  expect(over).toBe(false)
  running[1]?.end()
  await waiting
})
