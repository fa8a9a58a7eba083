import { expect, test } from '@jest/globals'
import { startTicker } from '../../../cli/hub/ticker.ts'

test('a tick that throws is told, and the next one comes', async () => {
  const failures: string[] = []
  const twice = Promise.withResolvers<void>()
  let ticks = 0
  const ticker = startTicker({
    periodMs: 5,
    nowMs: Date.now,
    tick: async () => {
      if (++ticks === 3) twice.resolve()
      throw new Error(`tick ${ticks}`)
    },
    failed: (error) => failures.push(String(error)),
  })
  await twice.promise
  await ticker.stop()
  expect(failures).toEqual(['Error: tick 1', 'Error: tick 2', 'Error: tick 3'])
})
