import { expect, test } from '@jest/globals'
import type { ChannelRate, DeliveryEvent } from '../../../functions/contract.ts'
import { heldBack, slotFor } from '../../../functions/deliver/rate.ts'
import { start } from '../builders.ts'

const rate = (secondsAgo: readonly number[], heldUntilMs = 0): ChannelRate => ({
  sentAtMs: secondsAgo.map((seconds) => start - seconds * 1000),
  heldUntilMs,
})
const many = (count: number, secondsAgo: number) => Array.from({ length: count }, () => secondsAgo)
const free = 'free'
const after = (seconds: number, reason = 'rate-limited') => ({ seconds, reason })

type Case = {
  given: string
  sent: readonly number[]
  event?: DeliveryEvent
  perMinute?: number
  heldUntilMs?: number
  then: typeof free | { seconds: number; reason: string }
}
const cases: Case[] = [
  { given: 'nothing was sent', sent: [], then: free },
  { given: 'four of five for news are taken: the fifth is for a page', sent: many(4, 10), then: after(50) },
  { given: 'a page takes the fifth', sent: many(4, 10), event: 'opened', then: free },
  { given: 'one that is back takes it too', sent: many(4, 10), event: 'reopened', then: free },
  { given: 'a full minute holds a page too', sent: many(5, 10), event: 'opened', then: after(50) },
  { given: 'the oldest in the way decides', sent: [3, 40, 2, 1], then: after(20) },
  { given: 'a minute ago is over', sent: many(5, 60), then: free },
  { given: 'more were sent than are allowed now', sent: [50, 40, 30, 20, 10, 5], then: after(30) },
  { given: 'one a minute serves everybody', sent: [], perMinute: 1, then: free },
  { given: 'one a minute is one a minute', sent: [59], perMinute: 1, event: 'opened', then: after(1) },
  { given: 'what lies far ahead was noted by a wrong clock', sent: many(9, -3600), then: free },
  { given: 'the provider asked for a pause', sent: [], heldUntilMs: start + 9000, then: after(9, 'held-back') },
  { given: 'a pause that is over', sent: [], heldUntilMs: start, then: free },
  {
    given: 'a pause that was asked for before the clock was set back',
    sent: [-1800],
    heldUntilMs: start + 1_860_000,
    then: free,
  },
  { given: 'a pause longer than any', sent: [], heldUntilMs: start + 3_600_001, then: free },
]

test.each(cases)('$given', ({ sent, event = 'updated', perMinute = 5, heldUntilMs = 0, then }) => {
  const slot = slotFor(rate(sent, heldUntilMs), { event, perMinute, nowMs: start })
  const seconds = slot.status === 'wait' ? (slot.untilMs - start) / 1000 : 0
  expect(slot.status === 'wait' ? { seconds, reason: slot.reason } : slot.status).toEqual(then)
})

test('a slot that is given is noted, and what is older than a minute forgotten', () => {
  const slot = slotFor(rate([90, 30]), { event: 'updated', perMinute: 5, nowMs: start })
  expect(slot).toEqual({ status: 'free', rate: { sentAtMs: [start - 30_000, start], heldUntilMs: 0 } })
})

test('without a limit nothing is counted', () => {
  const slot = slotFor(rate(many(999, 0)), { event: 'updated', perMinute: undefined, nowMs: start })
  expect(slot.status).toBe('free')
})

test('of two pauses the longer one holds', () => {
  const once = heldBack(rate([]), { untilMs: start + 60_000, nowMs: start })
  expect(heldBack(once, { untilMs: start + 5000, nowMs: start }).heldUntilMs).toBe(start + 60_000)
  expect(heldBack(once, { untilMs: start + 90_000, nowMs: start }).heldUntilMs).toBe(start + 90_000)
})

test('whatever is asked for, no 60 seconds hold more than the limit', () => {
  let known = rate([])
  const sent: number[] = []
  for (let nowMs = start; nowMs < start + 300_000; nowMs += 700) {
    const event = nowMs % 3 === 0 ? 'opened' : 'updated'
    const slot = slotFor(known, { event, perMinute: 7, nowMs })
    if (slot.status === 'wait') continue
    known = slot.rate
    sent.push(nowMs)
  }
  const windows = sent.map((fromMs) => sent.filter((atMs) => atMs >= fromMs && atMs < fromMs + 60_000).length)
  expect(Math.max(...windows)).toBe(7)
  expect(sent.length).toBeGreaterThanOrEqual(35)
})

test('a clock that was set back ends a pause for good, not for one attempt, and a new pause holds', () => {
  const ahead = rate([-1800], start + 1_860_000)
  const slot = slotFor(ahead, { event: 'opened', perMinute: 5, nowMs: start })
  expect(slot).toEqual({ status: 'free', rate: { sentAtMs: [start], heldUntilMs: 0 } })
  const held = heldBack(ahead, { untilMs: start + 60_000, nowMs: start })
  expect(slotFor(held, { event: 'opened', perMinute: 5, nowMs: start })).toMatchObject({ untilMs: start + 60_000 })
})
