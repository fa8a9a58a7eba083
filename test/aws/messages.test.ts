import { expect, test } from '@jest/globals'
import { fittingMessages } from '../../aws/messages.ts'
import { type Observation, observation } from '../../functions/contract.ts'

const outcome = (index: number, detail: string) => ({
  monitorId: `m${index}`,
  location: 'local',
  scheduledAtMs: 0,
  startedAtMs: 0,
  look: 'tick',
  verdict: 'unknown' as const, // `as const`: a literal of the verdicts, not any text
  cause: { phase: 'prober' as const, code: 'prober-failed', detail }, // the same
  timingsMs: { total: 0 },
})

const tick = (count: number, detail: string): Observation => ({
  kind: 'outcomes',
  id: 'tick',
  shard: '0/1',
  outcomes: Array.from({ length: count }, (_, index) => outcome(index, detail)),
})

const monitorsIn = (body: string) => {
  const parsed = observation.parse(JSON.parse(body))
  return parsed.kind === 'outcomes' ? parsed.outcomes.map(({ monitorId }) => monitorId) : []
}

test('what fits is one message with its own id', () => {
  const whole = tick(3, 'x')
  expect(fittingMessages(whole, 10_000)).toEqual([{ id: 'tick', body: JSON.stringify(whole) }])
})

test.each([
  { given: 'plain text', detail: 'x'.repeat(300) },
  { given: 'text whose bytes are more than its characters', detail: '€'.repeat(300) },
])('$given that does not fit: every message within the limit, every outcome once and in order', ({ detail }) => {
  const messages = fittingMessages(tick(101, detail), 10_000)
  expect(Math.max(...messages.map(({ body }) => Buffer.byteLength(body)))).toBeLessThanOrEqual(10_000)
  expect(new Set(messages.map(({ id }) => id)).size).toBe(messages.length)
  expect(messages.map(({ id, body }) => ({ id, own: JSON.parse(body).id })).every(({ id, own }) => id === own)).toBe(
    true,
  )
  expect(messages.flatMap(({ body }) => monitorsIn(body))).toEqual(
    Array.from({ length: 101 }, (_, index) => `m${index}`),
  )
})

test('a single outcome is sent whatever its size, and an empty tick does not split for ever', () => {
  expect(fittingMessages(tick(1, 'x'.repeat(500)), 100)).toHaveLength(1)
  expect(fittingMessages(tick(0, ''), 10)).toHaveLength(1)
})

test('counts of objectives are halved too, each of them whole and once', () => {
  const minutes = Array.from({ length: 15 }, (_, nth) => ({ atMs: nth * 60_000, good: 1, bad: 0, unknown: 0 }))
  const counts = Array.from({ length: 40 }, (_, nth) => ({ ruleId: `slo-${nth}`, minutes }))
  const messages = fittingMessages({ kind: 'sli-counts', id: 'counts', shard: '0/1', counts }, 10_000)
  const read = messages.map(({ body }) => observation.parse(JSON.parse(body)))
  expect(messages.every(({ body }) => Buffer.byteLength(body) <= 10_000)).toBe(true)
  expect(read.flatMap((one) => (one.kind === 'sli-counts' ? one.counts : []))).toEqual(counts)
})
