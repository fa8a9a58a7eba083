import { expect, test } from '@jest/globals'
import type { Observation } from '../../../functions/contract.ts'
import { decideEvaluate, type RuleView, type Seen } from '../../../functions/evaluate/decide.ts'
import { settleMs } from '../../../functions/evaluate/settle.ts'
import { emptyShard, looksKept } from '../../../functions/shard-state.ts'
import type { Verdict } from '../../../probes/contract.ts'
import { ruleAlerts } from '../../../rules/registry.ts'
import { availability, outcome, period, ruleView, seen, start } from '../builders.ts'

const rules = [ruleView(availability())]
const nothing: Seen = { shard: emptyShard, locations: new Map() }

const apply = (before: Seen, observation: Observation, at: { nowMs: number; rules?: readonly RuleView[] }) => {
  const decision = decideEvaluate(before, observation, { rules: at.rules ?? rules, nowMs: at.nowMs })
  const after: Seen = { shard: decision.shard, locations: new Map([...before.locations, ...decision.locations]) }
  return { after, decision }
}

const verdictOf = (letter: string): Verdict => (letter === 'P' ? 'pass' : letter === 'F' ? 'fail' : 'unknown')

/** Plays one letter a minute: Pass, Fail, `?` unknown; answers what was told at each. */
const play = (letters: string) => {
  let state = nothing
  return [...letters].map((letter, index) => {
    const verdict = verdictOf(letter)
    const scheduledAtMs = start + index * period
    const { after, decision } = apply(state, seen([outcome({ verdict, scheduledAtMs })]), {
      nowMs: scheduledAtMs + 100,
    })
    state = after
    const [told] = decision.changes
    return told ? `${told.to} ${told.reason}` : (after.shard.alerts['front-down']?.state ?? '-')
  })
}

test.each([
  { given: 'one failure', letters: 'F', told: ['pending'] },
  { given: 'the threshold', letters: 'PFF', told: ['-', 'pending', 'firing threshold-met'] },
  { given: 'more failures after it', letters: 'FFF', told: ['pending', 'firing threshold-met', 'firing'] },
  { given: 'a recovery', letters: 'FFP', told: ['pending', 'firing threshold-met', 'inactive success-threshold-met'] },
  { given: 'a pending alert that passes', letters: 'FP', told: ['pending', '-'] },
  { given: 'blindness while firing', letters: 'FF?', told: ['pending', 'firing threshold-met', 'firing'] },
  { given: 'blindness while pending', letters: 'F?F', told: ['pending', 'pending', 'firing threshold-met'] },
])('$given', ({ letters, told }) => expect(play(letters)).toEqual(told))

test('the same observation twice decides nothing the second time', () => {
  const observation = seen([outcome({ verdict: 'fail' }), outcome({ verdict: 'fail', look: 'recheck' })])
  const first = apply(nothing, observation, { nowMs: start })
  const second = apply(first.after, observation, { nowMs: start + 5 })
  expect(first.decision.changes.map(({ to }) => to)).toEqual(['firing'])
  expect(second.decision.changes).toEqual([])
  expect(second.decision.locations.size).toBe(0)
})

test('a repeat that comes much later still counts once', () => {
  const observation = seen([outcome({ verdict: 'fail' })])
  const { after } = apply(nothing, observation, { nowMs: start })
  const late = apply(after, observation, { nowMs: start + 5 * period })
  expect(late.decision.changes).toEqual([])
  expect(late.after.locations.get('local')?.monitors['front']?.looks).toHaveLength(1)
})

test('a look that was overtaken is put back in its place', () => {
  const at = (index: number) => start + index * period
  const late = seen([outcome({ verdict: 'pass', scheduledAtMs: at(1) })])
  const first = apply(nothing, seen([outcome({ verdict: 'fail', scheduledAtMs: at(0) })]), { nowMs: at(0) })
  const second = apply(first.after, seen([outcome({ verdict: 'fail', scheduledAtMs: at(2) })]), { nowMs: at(2) })
  const third = apply(second.after, late, { nowMs: at(2) + 1 })
  const looks = third.after.locations.get('local')?.monitors['front']?.looks ?? []
  expect(looks.map(({ verdict }) => verdict)).toEqual(['fail', 'pass', 'fail'])
})

test('a tick that started late is not hidden by a second opinion from before it began', () => {
  const asked = outcome({ verdict: 'pass', scheduledAtMs: start + 600, startedAtMs: start + 700, look: 'probe:x' })
  const late = { scheduledAtMs: start, startedAtMs: start + 2700, verdict: 'fail' as const }
  const first = apply(nothing, seen([asked]), { nowMs: start + 1000 })
  const second = apply(first.after, seen([outcome(late), outcome({ ...late, look: 'recheck' })]), {
    nowMs: start + 9000,
  })
  const { looks, last } = second.after.locations.get('local')?.monitors['front'] ?? {}
  expect(looks?.map(({ look, verdict }) => `${look} ${verdict}`)).toEqual([
    'second-opinion pass',
    'tick fail',
    'recheck fail',
  ])
  expect(last).toMatchObject({ look: 'recheck', verdict: 'fail' })
  expect(second.decision.changes).toMatchObject([{ to: 'firing' }])
})

test('a second opinion that hung goes before the tick that began and passed meanwhile', () => {
  const tick = outcome({ verdict: 'pass', scheduledAtMs: start, startedAtMs: start + 2400 })
  const hung = outcome({ verdict: 'fail', scheduledAtMs: start + 1500, startedAtMs: start + 1600, look: 'probe:x' })
  const first = apply(nothing, seen([tick]), { nowMs: start + 2500 })
  const second = apply(first.after, seen([hung]), { nowMs: start + 11_600 })
  const { looks, last } = second.after.locations.get('local')?.monitors['front'] ?? {}
  expect(looks?.map(({ look, verdict }) => `${look} ${verdict}`)).toEqual(['second-opinion fail', 'tick pass'])
  expect(last?.look).toBe('tick')
})

test('an observation older than ten minutes changes counters, never alerts', () => {
  const old = seen([outcome({ verdict: 'fail' }), outcome({ verdict: 'fail', look: 'recheck' })])
  const { after, decision } = apply(nothing, old, { nowMs: start + 11 * 60_000 })
  expect(decision.changes).toEqual([])
  expect(after.locations.get('local')?.monitors['front']?.looks).toHaveLength(2)
})

test('a location remembers a bounded number of looks', () => {
  let state = nothing
  for (let index = 0; index < 100; index++) {
    const scheduledAtMs = start + index * period
    state = apply(state, seen([outcome({ verdict: 'pass', scheduledAtMs })]), { nowMs: scheduledAtMs }).after
  }
  expect(state.locations.get('local')?.monitors['front']?.looks).toHaveLength(looksKept)
})

test('an alert whose rule left the config ends, and says so', () => {
  const firing = apply(nothing, seen([outcome({ verdict: 'fail' }), outcome({ verdict: 'fail', look: 'recheck' })]), {
    nowMs: start,
  })
  const timer: Observation = { kind: 'timer', id: 't', shard: '0/1', rowId: '' }
  const { decision } = apply(firing.after, timer, { nowMs: start + 1, rules: [] })
  expect(decision.changes.map(({ to, reason }) => `${to} ${reason}`)).toEqual(['inactive rule-removed'])
  expect(decision.shard.alerts).toEqual({})
})

test('an older rule result that arrives late does not replace a newer one', () => {
  const result = (atMs: number, absent: boolean): Observation => ({
    kind: 'rule-results',
    id: String(atMs),
    shard: '0/1',
    results: [{ ruleId: 'r', atMs, status: 'ok', active: absent ? [{ labels: {}, value: 1 }] : [] }],
  })
  const known = [ruleView(availability(), { ruleId: 'r' })]
  const newer = apply(nothing, result(start + 10, true), { nowMs: start + 10, rules: known })
  const older = apply(newer.after, result(start, false), { nowMs: start + 11, rules: known })
  expect(older.after.shard.results['r']?.atMs).toBe(start + 10)
})

test('looks dated by a clock that was a day ahead neither hide new ones nor pass for them', () => {
  const day = 86_400_000
  const ahead = apply(nothing, seen([outcome({ verdict: 'pass', scheduledAtMs: start + day })]), { nowMs: start + day })
  const one = apply(ahead.after, seen([outcome({ verdict: 'fail' })]), { nowMs: start })
  const failing = outcome({ verdict: 'fail', look: 'recheck' })
  const two = apply(one.after, seen([failing]), { nowMs: start })
  expect(two.decision.changes).toMatchObject([{ to: 'firing', sinceMs: start }])
})

test('a look from the far future counts for nothing', () => {
  const { decision } = apply(nothing, seen([outcome({ verdict: 'pass', scheduledAtMs: start + 3_600_000 })]), {
    nowMs: start,
  })
  expect(decision.locations.size).toBe(0)
})

test('a silence from before the start pages only when the first looks had their time', () => {
  const blind: RuleView[] = [
    ruleView({ kind: 'absence', monitor: 'front', severity: 'ticket', forSeconds: 300 }, { ruleId: 'front-blind' }),
  ]
  const before = apply(nothing, seen([outcome({ verdict: 'pass' })]), { nowMs: start, rules: blind })
  const startedAtMs = start + 3_600_000
  const timer: Observation = { kind: 'timer', id: 'x', shard: '0/1', rowId: '' }
  const at = { rules: blind, startedAtMs }
  const early = decideEvaluate(before.after, timer, { ...at, nowMs: startedAtMs })
  expect([early.changes, early.againAtMs]).toEqual([[], startedAtMs + settleMs])
  const late = decideEvaluate(before.after, timer, { ...at, nowMs: startedAtMs + settleMs })
  expect(late.changes).toMatchObject([{ to: 'firing', reason: 'silence-too-long', sinceMs: start }])
})

test('a location that cannot look for hours still holds what it saw last', () => {
  const here = [ruleView(availability(), { locations: ['here', 'there', 'yonder'] })]
  const minute = (index: number, verdict: Verdict) => {
    const scheduledAtMs = start + index * period
    const both = ['here', 'there'].map((location) => outcome({ location, verdict, scheduledAtMs }))
    return {
      nowMs: scheduledAtMs,
      looks: seen([...both, outcome({ location: 'yonder', verdict: 'pass', scheduledAtMs })]),
    }
  }
  let state = nothing
  const told: string[] = []
  const verdicts: Verdict[] = [
    'fail',
    'fail',
    ...Array.from({ length: 5 * looksKept }, () => 'unknown' as const),
    'pass',
  ]
  for (const [index, verdict] of verdicts.entries()) {
    const { nowMs, looks } = minute(index, verdict)
    const { after, decision } = apply(state, looks, { nowMs, rules: here })
    told.push(...decision.changes.map(({ to }) => `${index} ${to}`))
    state = after
  }
  expect(told).toEqual(['1 firing', `${verdicts.length - 1} inactive`])
})

/** Plays one letter a minute and answers every step of the alert. */
const steps = (letters: string) => {
  let state = nothing
  return [...letters].flatMap((letter, index) => {
    const verdict = verdictOf(letter)
    const scheduledAtMs = start + index * period
    const { after, decision } = apply(state, seen([outcome({ verdict, scheduledAtMs })]), { nowMs: scheduledAtMs })
    state = after
    return decision.transitions.map(({ from, to, reason }) => `${from} ${to} ${reason}`)
  })
}

test.each([
  { given: 'nothing wrong', letters: 'PPP', then: [] },
  { given: 'a blip', letters: 'FP', then: ['inactive pending first-failure', 'pending inactive condition-gone'] },
  {
    given: 'an outage',
    letters: 'FFP',
    then: ['inactive pending first-failure', 'pending firing threshold-met', 'firing inactive success-threshold-met'],
  },
  {
    given: 'blindness while pending',
    letters: 'F??F',
    then: [
      'inactive pending first-failure',
      'pending held input-unknown',
      'held pending input-known',
      'pending firing threshold-met',
    ],
  },
  {
    given: 'blindness while firing, then a recovery',
    letters: 'FF?P',
    then: [
      'inactive pending first-failure',
      'pending firing threshold-met',
      'firing held input-unknown',
      'held firing input-known',
      'firing inactive success-threshold-met',
    ],
  },
  { given: 'blindness without an alert', letters: 'P?', then: [] },
])('every step has its reason: $given', ({ letters, then }) => expect(steps(letters)).toEqual(then))

/** So many outages, each `everyMs` after the one before; answers what was told of each beginning. */
const outages = (count: number, everyMs: number) => {
  let state = nothing
  return Array.from({ length: count }, (_, nth) => {
    const atMs = start + nth * everyMs
    const failing = ['tick', 'recheck'].map((look) => outcome({ verdict: 'fail', look, scheduledAtMs: atMs }))
    const down = apply(state, seen(failing), { nowMs: atMs + 1000 })
    const passing = outcome({ verdict: 'pass', scheduledAtMs: atMs + period })
    state = apply(down.after, seen([passing]), { nowMs: atMs + period }).after
    return down.decision.changes.map(({ flaps, summary }) => `${flaps ?? '-'} ${summary}`)[0]
  })
}

test('an alert that comes back within the hour says how often', () => {
  const said = 'front fails from local: expected 2xx, saw 500'
  expect(outages(4, 10 * period)).toEqual([
    `- ${said}`,
    `1 ${said}`,
    `2 ${said} (flapping: fired 3 times in 20 min)`,
    `3 ${said} (flapping: fired 4 times in 30 min)`,
  ])
})

test('what fired more than an hour ago is forgotten', () => {
  expect(outages(4, 31 * period).map((said) => said?.[0])).toEqual(['-', '1', '1', '1'])
  expect(outages(3, 61 * period).map((said) => said?.[0])).toEqual(['-', '-', '-'])
})

test('when an alert fired is remembered only as long as somebody could need it', () => {
  const failing = [outcome({ verdict: 'fail' }), outcome({ verdict: 'fail', look: 'recheck' })]
  const down = apply(nothing, seen(failing), { nowMs: start })
  expect(down.after.shard.fired).toEqual({})
  const up = apply(down.after, seen([outcome({ verdict: 'pass', scheduledAtMs: start + period })]), {
    nowMs: start + period,
  })
  expect(up.after.shard.fired).toEqual({ 'front-down': [start] })
  const later = seen([outcome({ verdict: 'pass', scheduledAtMs: start + 61 * period })])
  expect(apply(up.after, later, { nowMs: start + 61 * period }).after.shard.fired).toEqual({})
  expect(apply(up.after, later, { nowMs: start + 2 * period, rules: [] }).after.shard.fired).toEqual({})
})

const places = ['here', 'there', 'yonder']
const advising = (quiet: boolean): RuleView[] => {
  const rule = availability()
  const page = ruleView(rule, { locations: places })
  const advise = ruleAlerts(rule)[0]?.judge
  return advise
    ? [page, { ...page, alertId: 'front-down:advisory', severity: 'advisory', quiet, judge: advise }]
    : [page]
}

/** Each location's letters, a minute each; answers every step of every alert and what was told. */
const together = (looks: readonly string[], quiet = true) => {
  let state = nothing
  const rules = advising(quiet)
  const all = [...(looks[0] ?? '')].flatMap((_, index) => {
    const scheduledAtMs = start + index * period
    const outcomes = places.map((location, place) =>
      outcome({ location, scheduledAtMs, verdict: verdictOf(looks[place]?.[index] ?? 'P') }),
    )
    const { after, decision } = apply(state, seen(outcomes), { nowMs: scheduledAtMs, rules })
    state = after
    return [decision]
  })
  return {
    steps: all.flatMap(({ transitions }) => transitions.map(({ alertId, to, reason }) => `${alertId} ${to} ${reason}`)),
    told: all.flatMap(({ changes }) => changes.map(({ alertId, to }) => `${alertId} ${to}`)),
  }
}

test('below the quorum there is an advisory and no page; it ends when those locations see it pass', () => {
  const { steps, told } = together(['FFP', 'PPP', 'PPP'])
  expect(steps).toEqual([
    'front-down pending first-failure',
    'front-down:advisory firing quorum-not-met',
    'front-down inactive condition-gone',
    'front-down:advisory inactive success-threshold-met',
  ])
  expect(told).toEqual(['front-down:advisory inactive'])
})

test('at the quorum the page takes over from the advisory', () => {
  const { steps, told } = together(['FFFF', 'PPFF', 'PPPP'], false)
  expect(steps).toEqual([
    'front-down pending first-failure',
    'front-down:advisory firing quorum-not-met',
    'front-down firing threshold-met',
    'front-down:advisory inactive quorum-met',
  ])
  expect(told).toEqual(['front-down:advisory firing', 'front-down firing', 'front-down:advisory inactive'])
})

test('while a page fires there is no advisory of the same, though fewer than the quorum can look', () => {
  const { steps, told } = together(['FFFP', 'FF?P', 'PPPP'], false)
  expect(steps).toEqual([
    'front-down pending first-failure',
    'front-down firing threshold-met',
    'front-down held input-unknown',
    'front-down firing input-known',
    'front-down inactive success-threshold-met',
  ])
  expect(told).toEqual(['front-down firing', 'front-down inactive'])
})

test('locations that stop reporting hold the alert, whatever they saw last', () => {
  const rules = advising(true)
  const down = places.flatMap((location) =>
    ['tick', 'recheck'].map((look) => outcome({ location, look, verdict: 'fail' })),
  )
  const firing = apply(nothing, seen(down), { nowMs: start, rules })
  const timer: Observation = { kind: 'timer', id: 'x', shard: '0/1', rowId: '' }
  const silent = apply(firing.after, timer, { nowMs: start + 4 * period, rules })
  expect(silent.decision.transitions.map(({ from, to, reason }) => `${from} ${to} ${reason}`)).toEqual([
    'firing held input-unknown',
  ])
  expect(silent.decision.changes).toEqual([])
  const passing = (location: string) => outcome({ verdict: 'pass', location, scheduledAtMs: start + 5 * period })
  const one = apply(silent.after, seen([passing('here')]), { nowMs: start + 5 * period, rules })
  expect(one.decision.changes).toEqual([])
  expect(one.after.shard.alerts['front-down']).toMatchObject({ state: 'firing', heldSinceMs: start + 4 * period })
  const two = apply(one.after, seen([passing('there')]), { nowMs: start + 5 * period, rules })
  expect(two.decision.changes).toMatchObject([{ to: 'inactive', reason: 'success-threshold-met' }])
})
