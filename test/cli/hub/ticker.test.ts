import { expect, test } from '@jest/globals'
import { slotOf, startTicker } from '../../../cli/hub/ticker.ts'

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

test.each([
  { given: 'no phase', phaseMs: 0, nowMs: 119_999, slot: 60_000 },
  { given: 'a phase that has come', phaseMs: 15_000, nowMs: 75_000, slot: 75_000 },
  { given: 'a phase that is yet to come', phaseMs: 15_000, nowMs: 74_999, slot: 15_000 },
])('with $given a moment belongs to one slot, whoever asks', ({ phaseMs, nowMs, slot }) => {
  expect(slotOf(nowMs, 60_000, phaseMs)).toBe(slot)
})

test('ticks that may overlap come at their times though none ends, and stopping waits for them', async () => {
  const gate = Promise.withResolvers<void>()
  const third = Promise.withResolvers<void>()
  const slots: number[] = []
  const ticker = startTicker({
    periodMs: 20,
    overlaps: true,
    nowMs: Date.now,
    tick: async (scheduledAtMs) => {
      slots.push(scheduledAtMs)
      if (slots.length === 3) third.resolve()
      await gate.promise
    },
    failed: () => undefined,
  })
  await third.promise
  let stopped = false
  const stopping = ticker.stop().then(() => {
    stopped = true
  })
  expect(stopped).toBe(false)
  gate.resolve()
  await stopping
  expect(new Set(slots).size).toBe(slots.length)
})

test.each([
  { given: 'a sleep that its timers did not notice', jumpMs: 3_600_000 },
  { given: 'a clock that was set back', jumpMs: -3_600_000 },
])('after $given the next tick comes at once', async ({ jumpMs }) => {
  let aheadMs = 0
  const second = Promise.withResolvers<void>()
  const slots: number[] = []
  const ticker = startTicker({
    periodMs: 600_000,
    nowMs: () => 60_000_000 + aheadMs,
    tick: async (scheduledAtMs) => {
      slots.push(scheduledAtMs)
      if (slots.length === 2) second.resolve()
    },
    failed: () => undefined,
  })
  setImmediate(() => {
    aheadMs = jumpMs
  })
  await second.promise
  await ticker.stop()
  expect(slots).toEqual([60_000_000, 60_000_000 + jumpMs])
})
