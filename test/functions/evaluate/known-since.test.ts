import { expect, test } from '@jest/globals'
import type { Observation } from '../../../functions/contract.ts'
import { decideEvaluate, type RuleView, type Seen } from '../../../functions/evaluate/decide.ts'
import { emptyShard, looksKept } from '../../../functions/shard-state.ts'
import type { Verdict } from '../../../probes/contract.ts'
import { outcome, ruleView, seen, start } from '../builders.ts'

const blind: RuleView[] = [
  ruleView({ kind: 'absence', monitor: 'front', severity: 'ticket', forSeconds: 300 }, { ruleId: 'front-blind' }),
]
const nothing: Seen = { shard: emptyShard, locations: new Map() }
const timer: Observation = { kind: 'timer', id: 't', shard: '0/1', rowId: '' }

const apply = (before: Seen, observation: Observation, nowMs: number, rules: readonly RuleView[] = blind) => {
  const decision = decideEvaluate(before, observation, { rules, nowMs })
  const after: Seen = { shard: decision.shard, locations: new Map([...before.locations, ...decision.locations]) }
  return { after, told: decision.changes.map(({ to }) => to) }
}

const look = (verdict: Verdict, scheduledAtMs: number) => seen([outcome({ verdict, scheduledAtMs })])

test('silence of a rule nobody looked for yet is counted from when it was first heard of', () => {
  const first = apply(nothing, timer, start)
  expect(first.after.shard.knownSinceMs).toEqual({ 'front-blind': start })
  expect(apply(first.after, timer, start + 299_999).told).toEqual([])
  expect(apply(first.after, timer, start + 300_000).told).toEqual(['firing'])
})

test('a look that saw something makes that superfluous, one that saw nothing does not', () => {
  const first = apply(nothing, timer, start)
  expect(apply(first.after, look('unknown', start + 10), start + 10).after.shard.knownSinceMs).toEqual({
    'front-blind': start,
  })
  expect(apply(first.after, look('pass', start + 10), start + 10).after.shard.knownSinceMs).toEqual({})
})

test('a blindness that outlasts the memory of looks begins only once', () => {
  let state = apply(nothing, look('pass', start), start).after
  const told: string[] = []
  for (let index = 1; index <= 3 * looksKept; index++) {
    const atMs = start + index * 15_000
    const next = apply(state, look('unknown', atMs), atMs)
    told.push(...next.told)
    state = next.after
  }
  expect(told).toEqual(['firing'])
  expect(state.shard.alerts['front-blind']?.sinceMs).toBe(start)
  expect(apply(state, look('pass', start + 3_600_000), start + 3_600_000).told).toEqual(['inactive'])
})

test('a rule that comes back to the config begins anew', () => {
  const first = apply(nothing, timer, start)
  const without = apply(first.after, timer, start + 100_000, [])
  expect(without.after.shard.knownSinceMs).toEqual({})
  expect(apply(without.after, timer, start + 400_000).after.shard.knownSinceMs).toEqual({
    'front-blind': start + 400_000,
  })
})
