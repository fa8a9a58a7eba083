import { expect, test } from '@jest/globals'
import type { Verdict } from '../../../probes/contract.ts'
import type { Facts, LocationHistory } from '../../../rules/contract.ts'
import { availabilityRule } from '../../../rules/kinds/availability.ts'

const verdictOf: Record<string, Verdict> = { P: 'pass', D: 'degraded', F: 'fail', '?': 'unknown' }

const history = (location: string, seen: string, fresh = true): LocationHistory => ({
  location,
  fresh,
  periodMs: 60_000,
  looks: [...seen].map((letter, index) => ({
    scheduledAtMs: index * 60_000,
    look: 'tick',
    verdict: verdictOf[letter] ?? 'unknown',
    ...(letter === 'F' ? { detail: 'expected 2xx, saw 500' } : {}),
  })),
})

const facts = (locations: LocationHistory[], firing = false): Facts => ({
  nowMs: 600_000,
  knownSinceMs: 0,
  locations,
  firing,
})
const spec = (more: object = {}) =>
  availabilityRule.schema.parse({
    kind: 'availability',
    monitor: 'front',
    failureThreshold: 3,
    successThreshold: 2,
    ...more,
  })

test.each([
  { given: 'nothing seen yet', seen: '', then: 'held' },
  { given: 'only passing', seen: 'PPP', then: 'inactive' },
  { given: 'a slow answer', seen: 'PPD', then: 'inactive' },
  { given: 'the first failure', seen: 'PPF', then: 'pending first-failure' },
  { given: 'two failures, the rule wants three', seen: 'PFF', then: 'pending first-failure' },
  { given: 'the third failure', seen: 'PFFF', then: 'firing threshold-met' },
  { given: 'a pass between failures', seen: 'FFPF', then: 'pending first-failure' },
  { given: 'an unknown between failures', seen: 'FF?F', then: 'firing threshold-met' },
  { given: 'an unknown after failures', seen: 'FFF?', then: 'held' },
  { given: 'an unknown after passes', seen: 'PP?', then: 'held' },
])('when not firing, $given is $then', ({ seen, then }) => {
  const { status, met, reason } = availabilityRule.judge(spec(), facts([history('local', seen)]))
  expect(status === 'active' ? `${met ? 'firing' : 'pending'} ${reason}` : status).toBe(then)
})

test.each([
  { given: 'another failure', seen: 'FFFF', then: 'active' },
  { given: 'one pass of the two it wants', seen: 'FFFP', then: 'active' },
  { given: 'the second pass', seen: 'FFFPP', then: 'inactive' },
  { given: 'a pass, an unknown, a pass', seen: 'FFFP?P', then: 'inactive' },
  { given: 'a pass and a failure', seen: 'FFFPF', then: 'active' },
  { given: 'nobody could look', seen: 'FFF?', then: 'held' },
])('when firing, $given keeps or ends it: $then', ({ seen, then }) => {
  expect(availabilityRule.judge(spec(), facts([history('local', seen)], true)).status).toBe(then)
})

test.each([
  {
    given: 'one of three fails',
    locations: ['FFF', 'PPP', 'PPP'],
    fresh: [true, true, true],
    then: 'pending quorum-not-met',
  },
  {
    given: 'two of three fail',
    locations: ['FFF', 'FFF', 'PPP'],
    fresh: [true, true, true],
    then: 'firing threshold-met',
  },
  {
    given: 'one fails, two are silent',
    locations: ['FFF', 'PPP', 'PPP'],
    fresh: [true, false, false],
    then: 'firing threshold-met',
  },
  {
    given: 'one fails, one is silent',
    locations: ['FFF', 'PPP', 'PPP'],
    fresh: [true, true, false],
    then: 'pending quorum-not-met',
  },
  {
    given: 'two fail with stale news',
    locations: ['FFF', 'FFF', 'PPP'],
    fresh: [false, false, true],
    then: 'inactive',
  },
])('with three locations, $given: $then', ({ locations, fresh, then }) => {
  const all = locations.map((seen, index) => history(`place-${index}`, seen, fresh[index]))
  const { status, met, reason } = availabilityRule.judge(spec(), facts(all))
  expect(status === 'active' ? `${met ? 'firing' : 'pending'} ${reason}` : status).toBe(then)
})

test('the outage began at the first failing look of the run', () => {
  expect(availabilityRule.judge(spec(), facts([history('local', 'PFPFFF')])).sinceMs).toBe(3 * 60_000)
})

test('the summary says from where it fails and how', () => {
  const { summary } = availabilityRule.judge(spec(), facts([history('paris', 'FFF'), history('tokyo', '', false)]))
  expect(summary).toBe('front fails from paris (1 of 2 locations could not look): expected 2xx, saw 500')
})

test('on its way back up it still says what failed, for that is what people will read', () => {
  const { summary } = availabilityRule.judge(spec(), facts([history('local', 'FFFP')], true))
  expect(summary).toBe('front fails from local: expected 2xx, saw 500')
})
