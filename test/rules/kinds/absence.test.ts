import { expect, test } from '@jest/globals'
import type { Facts } from '../../../rules/contract.ts'
import { absenceRule } from '../../../rules/kinds/absence.ts'

const at = (seconds: number) => seconds * 1000
const silence = absenceRule.schema.parse({ kind: 'absence', monitor: 'front', forSeconds: 300 })
const series = absenceRule.schema.parse({
  kind: 'absence',
  service: 'shop',
  series: { cluster: 'town', selector: 'kube_pod_info{namespace="shop"}' },
  forSeconds: 60,
})

const facts = (nowMs: number, more: Partial<Facts> = {}): Facts => ({
  nowMs,
  locations: [],
  knownSinceMs: 0,
  sourceFreshMs: 180_000,
  firing: false,
  ...more,
})

const looked = (verdict: 'pass' | 'unknown', seconds: number) => [
  {
    location: 'local',
    fresh: true,
    freshForMs: 180_000,
    looks: [{ scheduledAtMs: at(seconds), look: 'tick', verdict }],
  },
]

test.each([
  { given: 'a monitor seen a minute ago', facts: facts(at(400), { locations: looked('pass', 340) }), then: 'inactive' },
  { given: 'a monitor last seen long ago', facts: facts(at(700), { locations: looked('pass', 340) }), then: 'active' },
  {
    given: 'a monitor only seen as unknown',
    facts: facts(at(400), { locations: looked('unknown', 390) }),
    then: 'active',
  },
  {
    given: 'a monitor this hub has just heard of',
    facts: facts(at(10_100), { knownSinceMs: at(10_000) }),
    then: 'inactive',
  },
])('$given: $then', ({ facts: known, then }) => {
  expect(absenceRule.judge(silence, known).status).toBe(then)
})

test('silence is judged again at its deadline even if nothing arrives', () => {
  expect(absenceRule.judge(silence, facts(at(400), { locations: looked('pass', 340) })).againAtMs).toBe(at(640))
})

const result = (status: 'ok' | 'unknown', absent: boolean) => ({
  ruleId: 'r',
  atMs: at(100),
  status,
  active: absent ? [{ labels: {}, value: 1 }] : [],
})

test.each([
  { given: 'no scrape yet', facts: facts(at(100)), then: 'held', met: false },
  {
    given: 'a source that could not be read',
    facts: facts(at(100), { result: result('unknown', false) }),
    then: 'held',
    met: false,
  },
  {
    given: 'the series is there',
    facts: facts(at(100), { result: result('ok', false) }),
    then: 'inactive',
    met: false,
  },
  { given: 'it is gone since now', facts: facts(at(100), { result: result('ok', true) }), then: 'active', met: false },
  {
    given: 'a reading that is too old',
    facts: facts(at(280), { result: result('ok', false) }),
    then: 'held',
    met: false,
  },
  {
    given: 'a reading of a cluster that is read once an hour',
    facts: facts(at(280), { result: result('ok', false), sourceFreshMs: 7_260_000 }),
    then: 'inactive',
    met: false,
  },
  {
    given: 'it is gone for a minute',
    facts: facts(at(160), { result: result('ok', true), activeSinceMs: at(100) }),
    then: 'active',
    met: true,
  },
])('a series rule with $given is $then', ({ facts: known, then, met }) => {
  const judgement = absenceRule.judge(series, known)
  expect([judgement.status, judgement.met]).toEqual([then, met])
})

test.each([
  { given: 'neither monitor nor series', spec: { kind: 'absence', forSeconds: 60 } },
  {
    given: 'a selector that is none',
    spec: { kind: 'absence', forSeconds: 60, series: { cluster: 'a', selector: 'up{' } },
  },
  {
    given: 'a matcher without quotes',
    spec: { kind: 'absence', forSeconds: 60, series: { cluster: 'a', selector: 'up{a=b}' } },
  },
])('$given is refused', ({ spec }) => {
  expect(absenceRule.schema.safeParse(spec).success).toBe(false)
})

test('the selector reaches scrape with its matchers', () => {
  const withMatchers = absenceRule.schema.parse({
    kind: 'absence',
    forSeconds: 60,
    series: { cluster: 'town', selector: 'up{job=~"a|b", pod!="x\\"y",}' },
  })
  expect(absenceRule.series(withMatchers)).toEqual({
    cluster: 'town',
    selectors: [
      {
        name: 'up',
        matchers: [
          { label: 'job', op: '=~', value: 'a|b' },
          { label: 'pod', op: '!=', value: 'x"y' },
        ],
      },
    ],
  })
})
