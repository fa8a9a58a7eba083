import { expect, test } from '@jest/globals'
import type { Verdict } from '../../../probes/contract.ts'
import type { Facts, LocationHistory } from '../../../rules/contract.ts'
import { availabilityRule } from '../../../rules/kinds/availability.ts'
import { adviseAvailability } from '../../../rules/quorum.ts'

const verdictOf: Record<string, Verdict> = { P: 'pass', D: 'degraded', F: 'fail', '?': 'unknown' }

const history = (location: string, seen: string, fresh = true): LocationHistory => ({
  location,
  fresh,
  freshForMs: 180_000,
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

test.each([
  { given: 'failures with passes between them', seen: 'FPFPF', then: 'firing threshold-met' },
  { given: 'too few of them', seen: 'FPPPF', then: 'pending first-failure' },
  { given: 'enough of them, the last look passed', seen: 'PFFPFP', then: 'firing threshold-met' },
  { given: 'the first of them left the window', seen: 'FPFPFPP', then: 'inactive' },
  { given: 'an unknown look, which takes no place in it', seen: 'FP?FPF', then: 'firing threshold-met' },
  { given: 'a run, before the threshold is', seen: 'PPFFF', then: 'firing threshold-met' },
])('three failures of five, $given: $then', ({ seen, then }) => {
  const windowed = spec({ failureThreshold: 10, failureWindow: { failures: 3, of: 5 } })
  const { status, met, reason } = availabilityRule.judge(windowed, facts([history('local', seen)]))
  expect(status === 'active' ? `${met ? 'firing' : 'pending'} ${reason}` : status).toBe(then)
})

test.each([
  { given: 'two passes, but still three failures of five', seen: 'FFFPP', then: 'active' },
  { given: 'three passes', seen: 'FFFPPP', then: 'inactive' },
  { given: 'few failures, the last of them just now', seen: 'FPPPF', then: 'active' },
])('up again takes the passes and a window with few failures: $given', ({ seen, then }) => {
  const windowed = spec({ failureWindow: { failures: 3, of: 5 } })
  expect(availabilityRule.judge(windowed, facts([history('local', seen)], true)).status).toBe(then)
})

test.each([{ failures: 4, of: 3 }, { failures: 0, of: 3 }, { failures: 1, of: 11 }, { failures: 1 }])(
  'a window %j is refused',
  (failureWindow) => {
    const written = { kind: 'availability', monitor: 'front', failureWindow }
    expect(availabilityRule.schema.safeParse(written).success).toBe(false)
  },
)

const three = (seen: readonly string[], fresh = [true, true, true]) =>
  seen.map((looks, index) => history(`place-${index}`, looks, fresh[index]))

test.each([
  { given: 'one of three at its threshold', seen: ['FFF', 'PPP', 'PPP'], then: 'active quorum-not-met' },
  { given: 'one below it', seen: ['PFF', 'PPP', 'PPP'], then: 'inactive success-threshold-met' },
  { given: 'the quorum', seen: ['FFF', 'FFF', 'PPP'], then: 'inactive quorum-met' },
  { given: 'nobody heard', seen: ['FFF?', '', ''], then: 'held input-unknown' },
  {
    given: 'one that was down, while the advisory stands',
    seen: ['FFFP', 'PPP', 'PPP'],
    firing: true,
    then: 'active quorum-not-met',
  },
  {
    given: 'one that came up, while the advisory stands',
    seen: ['FFFPP', 'PPP', 'PPP'],
    firing: true,
    then: 'inactive success-threshold-met',
  },
  {
    given: 'one alone, the others silent',
    seen: ['FFF', 'PPP', 'PPP'],
    fresh: [true, false, false],
    then: 'inactive quorum-met',
  },
])('an advisory at $given is $then', ({ seen, fresh, firing, then }) => {
  const { status, reason } = adviseAvailability(spec(), facts(three(seen, fresh), firing ?? false))
  expect(`${status} ${reason}`).toBe(then)
})

/** `-` behind the looks: it has stopped reporting since. */
const heardLast = (seen: readonly string[], more: Partial<Facts> = {}): Facts => ({
  ...facts(
    seen.map((looks, index) => history(`place-${index}`, looks.replace('-', ''), !looks.endsWith('-'))),
    true,
  ),
  ...more,
})

test.each([
  { given: 'both that were down cannot look', seen: ['FFF?', 'FFF?', 'PPPP'], then: 'held' },
  { given: 'both that were down are silent', seen: ['FFF-', 'FFF-', 'PPPP'], then: 'held' },
  { given: 'one of them cannot look, the other still fails', seen: ['FFFF', 'FFF?', 'PPPP'], then: 'held' },
  { given: 'one of them is silent, the other passes again', seen: ['FFF-', 'FFFPP', 'PPPP'], then: 'inactive' },
  { given: 'one of them is silent, the other has passed once of twice', seen: ['FFF-', 'FFFP', 'PPPP'], then: 'held' },
  { given: 'all were down, one passes again', seen: ['FFFPP', 'FFF-', 'FFF?'], then: 'held' },
  { given: 'one was silent when it passed once of twice', seen: ['FFFP-', 'FFF?', 'PPPP'], then: 'held' },
  { given: 'one that passed last is silent', seen: ['FFFPP', 'FFFPP', 'PPPP-'], then: 'inactive' },
  { given: 'one was never heard of', seen: ['FFFPP', 'FFF-', ''], then: 'inactive' },
  { given: 'one that never failed is silent', seen: ['FFFPP', 'FFF-', 'P-'], then: 'inactive' },
  { given: 'those that can look still fail', seen: ['FFFF', 'PPPP-', 'PPPP?'], then: 'active' },
  { given: 'all must agree and one cannot look', seen: ['FFFF', 'FFF?', 'FFFF'], quorum: 3, then: 'active' },
  {
    given: 'all must agree, one cannot look and one passes',
    seen: ['FFFF', 'FFF?', 'FFFPP'],
    quorum: 3,
    then: 'inactive',
  },
  { given: 'more must agree than there are', seen: ['FFF-', 'FFF-', 'FFFPP'], quorum: 5, then: 'inactive' },
  { given: 'one is enough, and is silent', seen: ['FFF-', 'PPPP', 'PPPP'], quorum: 1, then: 'held' },
  { given: 'one is enough, and passes again', seen: ['FFFPP', 'PPPP-', 'PPPP'], quorum: 1, then: 'inactive' },
  { given: 'its only location is silent', seen: ['FFF-'], then: 'held' },
  { given: 'its other locations left the config', seen: ['FFFPP'], then: 'inactive' },
])('silence ends no page: $given: $then', ({ seen, quorum, then }) => {
  const { status, reason } = availabilityRule.judge(spec({ quorum }), heardLast(seen))
  expect(status).toBe(then)
  if (then === 'held') expect(reason).toBe('input-unknown')
})

test('a location that was gone before this alert began does not hold it', () => {
  const seen = ['FFF-', 'PPPP', 'PPPP']
  const lastMs = 2 * 60_000
  const judged = (activeSinceMs: number) =>
    availabilityRule.judge(spec({ quorum: 1 }), heardLast(seen, { activeSinceMs }))
  expect(judged(lastMs + 180_000).status).toBe('held')
  expect(judged(lastMs + 180_001)).toMatchObject({ status: 'inactive', reason: 'success-threshold-met' })
})

test('an alert that is held by what cannot look says from where', () => {
  const { summary, tally } = availabilityRule.judge(spec(), heardLast(['FFF?', 'FFF-', 'PPPP']))
  expect(summary).toBe('nobody can look at front from place-0, place-1 since it failed there')
  expect(tally).toEqual({ down: 0, failing: 0, heard: 1, of: 3, need: 1 })
})

test.each([
  { given: 'is silent', seen: ['FFF-', 'PPPP', 'PPPP'], then: 'held input-unknown' },
  { given: 'cannot look', seen: ['FFF?', 'PPPP', 'PPPP'], then: 'held input-unknown' },
  { given: 'is silent, and another fails too', seen: ['FFF-', 'PFFF', 'PPPP'], then: 'active quorum-not-met' },
  {
    given: 'is up, and another is silent that never failed',
    seen: ['FFFPP', 'PPPP-', 'PPPP'],
    then: 'inactive success-threshold-met',
  },
])('silence ends no advisory: the location that was down $given: $then', ({ seen, then }) => {
  const { status, reason } = adviseAvailability(spec(), heardLast(seen))
  expect(`${status} ${reason}`).toBe(then)
})

test('an advisory says why it is not a page', () => {
  expect(adviseAvailability(spec(), facts(three(['FFF', 'PPP', 'PPP']))).summary).toBe(
    'front fails from place-0: expected 2xx, saw 500 (1 of 3 locations, too few to page: quorum is 2)',
  )
})

test.each([
  { given: 'firing', firing: true },
  { given: 'not firing', firing: false },
])('when every location has stopped reporting nothing is known, whatever each saw last ($given)', ({ firing }) => {
  const silent = facts(three(['FFF', 'FFF', 'FFF'], [false, false, false]), firing)
  expect(availabilityRule.judge(spec(), silent)).toMatchObject({ status: 'held', reason: 'input-unknown' })
})

test('what stopped reporting is neither down nor a pass, and what it saw last is not quoted', () => {
  const { tally, summary } = availabilityRule.judge(spec(), facts(three(['FFF', 'FFF', 'PPP'], [true, false, true])))
  expect(tally).toEqual({ down: 1, failing: 1, heard: 2, of: 3, need: 2 })
  expect(summary).toBe('front fails from place-0 (1 of 3 locations could not look): expected 2xx, saw 500')
})
