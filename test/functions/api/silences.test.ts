import { expect, test } from '@jest/globals'
import { hiddenBy, longestSilenceMs, refuseSilence, wishOf } from '../../../functions/api/silences.ts'
import type { SilenceBody } from '../../../functions/api-contract.ts'
import type { Silence } from '../../../functions/hub-state.ts'
import { silenceId } from '../../../functions/silence-id.ts'
import { silencesKept } from '../../../functions/silence-limits.ts'
import { firing, sinceMs as nowMs, storedIncident } from '../stored-incidents.ts'

const hour = 3_600_000
const body = (at: Partial<SilenceBody> = {}): SilenceBody => ({
  matchers: ['service=shop'],
  author: 'kim',
  reason: 'a new database',
  forSeconds: 7200,
  ...at,
})
const kept = (at: Partial<Silence> = {}): Silence => ({
  id: 's-aaaaaa',
  ...wishOf(body(), nowMs),
  hid: [],
  hidCount: 0,
  ...at,
})
const refusal = (at: Partial<SilenceBody>, silences: Silence[] = []) =>
  refuseSilence(wishOf(body(at), nowMs), { silences, nowMs })?.code

test.each([
  { given: 'for two hours', at: {}, then: [0, 2 * hour] },
  { given: 'for two hours from tomorrow on', at: { startsAtMs: nowMs + 24 * hour }, then: [24 * hour, 26 * hour] },
  { given: 'until a moment', at: { forSeconds: undefined, endsAtMs: nowMs + hour }, then: [0, hour] },
])('a silence $given', ({ at, then }) => {
  const { startsAtMs, endsAtMs } = wishOf({ ...body(), ...at } as SilenceBody, nowMs) // one of the two ends is undefined
  expect([startsAtMs - nowMs, endsAtMs - nowMs]).toEqual(then)
})

test.each([
  { given: 'two hours', at: {}, then: undefined },
  { given: '31 days', at: { forSeconds: longestSilenceMs / 1000 }, then: undefined },
  { given: 'a second more', at: { forSeconds: longestSilenceMs / 1000 + 1 }, then: 'too-long' },
  { given: 'a begin in six weeks', at: { startsAtMs: nowMs + 42 * 24 * hour }, then: 'too-long' },
  { given: 'an end in the past', at: { startsAtMs: nowMs - 3 * hour }, then: 'over-already' },
  { given: 'a begin in the past', at: { startsAtMs: nowMs - hour }, then: undefined },
  { given: 'a matcher of everything', at: { matchers: ['service=~".*"'] }, then: 'matches-everything' },
  { given: 'only what is left out', at: { matchers: ['service!=shop'] }, then: 'matches-everything' },
  { given: 'something and what is left out', at: { matchers: ['service=shop', 'severity!=page'] }, then: undefined },
])('$given: $then', ({ at, then }) => expect(refusal(at)).toBe(then))

test('there are only so many silences, since all of them are one item', () => {
  const many = Array.from({ length: silencesKept }, (_, n) => kept({ id: `s-${n}` }))
  expect(refusal({}, many.slice(1))).toBeUndefined()
  expect(refusal({}, many)).toBe('too-many')
  expect(
    refusal(
      {},
      many.slice(0, 30).map((one) => ({ ...one, matchers: Array(20).fill('x'.repeat(90)) })),
    ),
  ).toBe('too-many')
})

test.each([
  { given: 'its service', matchers: ['service=shop'], then: ['shop'] },
  { given: 'a severity', matchers: ['severity="page"'], then: ['shop', 'cart'] },
  { given: 'its rule', matchers: ['alertname=shop-down'], then: ['shop'] },
  { given: 'a label of its own', matchers: ['route="VoteDoughnut"'], then: ['cart'] },
  { given: 'both of two', matchers: ['service=~"shop|cart"', 'route!=""'], then: ['cart'] },
  { given: 'nothing', matchers: ['service=nobody'], then: [] },
])('what matches $given is hidden', ({ matchers, then }) => {
  const incidents = [
    storedIncident('shop'),
    storedIncident('cart', { alerts: { a: firing('cart', { labels: { route: 'VoteDoughnut' } }) } }),
    storedIncident('shop', { id: 'over', status: 'resolved' }),
    storedIncident('shop', { id: 'quiet', alerts: { a: firing('shop', { firing: false }) } }),
  ]
  expect(hiddenBy(matchers, incidents).map(({ service }) => service)).toEqual(then)
})

test('a wish has one id within a minute, and another wish another', () => {
  const wish = wishOf(body(), nowMs)
  const id = silenceId(wish)
  expect(id).toMatch(/^s-[a-z2-7]{6}$/)
  expect(silenceId(wishOf(body(), nowMs + 20_000))).toBe(id)
  const others = [
    wishOf(body(), nowMs + 60_000),
    wishOf(body({ reason: 'another' }), nowMs),
    wishOf(body({ author: 'lee' }), nowMs),
    wishOf(body({ matchers: ['service=cart'] }), nowMs),
    wishOf(body({ forSeconds: 7201 }), nowMs),
    wishOf(body({ incidentId: 'shop-1' }), nowMs),
  ]
  expect(new Set([id, ...others.map(silenceId)]).size).toBe(7)
})
