import { expect, test } from '@jest/globals'
import type { Severity } from '../../../config/contract.ts'
import type { AlertChange, Observation } from '../../../functions/contract.ts'
import { decideEvaluate, type RuleView, type Seen } from '../../../functions/evaluate/decide.ts'
import { packShard, unpackShard } from '../../../functions/shard-packing.ts'
import { emptyShard } from '../../../functions/shard-state.ts'
import { judge, ruleSpec } from '../../../rules/registry.ts'
import { availability, hubView, outcome, period, ruleView, seen, start } from '../builders.ts'
import { Hub, open } from '../correlate/hub.ts'

const down = ruleView(availability())
const as = (severity: Severity, rule: RuleView = down): RuleView => ({ ...rule, severity })
const nothing: Seen = { shard: emptyShard, locations: new Map() }

const looks: Record<string, 'pass' | 'fail' | 'unknown'> = { P: 'pass', F: 'fail', '?': 'unknown' }
const lookAt =
  (letter: string) =>
  (atMs: number): Observation =>
    seen([outcome({ verdict: looks[letter] ?? 'unknown', scheduledAtMs: atMs, startedAtMs: atMs })])

const wordsOf = ({ alertId, from, to, severity, reason }: AlertChange) =>
  `${alertId} ${from} ${to} ${severity} ${reason}`

/** Plays an observation a minute, each with the rule as the config has it by then; alerts are written and read between. */
const play = (steps: readonly (readonly [RuleView, (atMs: number) => Observation])[]) => {
  let state = nothing
  return steps.map(([rule, observe], index) => {
    const nowMs = start + index * period
    const decision = decideEvaluate(state, observe(nowMs), { rules: [rule], nowMs })
    const locations = new Map([...state.locations, ...decision.locations])
    state = { shard: unpackShard(packShard(decision.shard)), locations }
    return { ...decision, told: decision.changes.map(wordsOf) }
  })
}

const minutes = (...all: readonly (readonly [Severity, string, Partial<RuleView>?])[]) =>
  play(all.map(([severity, letter, more]) => [{ ...as(severity), ...more }, lookAt(letter)] as const))

const toldIn = (decisions: readonly { told: string[] }[]) =>
  decisions.flatMap(({ told }, index) => told.map((one) => `${index}: ${one.replace('front-down ', '')}`))

test.each<[Severity, Severity]>([
  ['ticket', 'page'],
  ['page', 'ticket'],
])('a %s that the config calls a %s while it fires is told once more, as old as it is', (before, after) => {
  const played = minutes([before, 'F'], [before, 'F'], [after, 'F'], [after, 'F'], [after, 'P'])
  expect(toldIn(played)).toEqual([
    `1: pending firing ${before} threshold-met`,
    `2: firing firing ${after} severity-changed`,
    `4: firing inactive ${after} success-threshold-met`,
  ])
  const [again] = played[2]?.changes ?? []
  expect(again).toMatchObject({ sinceMs: start, labels: { service: 'shop', severity: after } })
  expect(played[2]?.transitions).toEqual([
    { alertId: 'front-down', from: 'firing', to: 'firing', reason: 'severity-changed', atMs: start + 2 * period },
  ])
  expect(played[3]?.shard.alerts['front-down']).toMatchObject({ activeAtMs: start, firedAtMs: start + period })
})

test.each<{ given: string; severity: Severity; reason: string }>([
  { given: 'it', severity: 'page', reason: 'service-changed' },
  { given: 'it, as a ticket,', severity: 'ticket', reason: 'severity-changed' },
])('what fires is told once more when the config has $given in another service', ({ severity, reason }) => {
  const moved = { service: 'store', apart: severity === 'page' }
  const played = minutes(
    ['page', 'F'],
    ['page', 'F'],
    [severity, 'F', moved],
    [severity, 'F', moved],
    [severity, 'P', moved],
  )
  expect(toldIn(played)).toEqual([
    '1: pending firing page threshold-met',
    `2: firing firing ${severity} ${reason}`,
    `4: firing inactive ${severity} success-threshold-met`,
  ])
  expect(played[2]?.changes[0]).toMatchObject({
    service: 'store',
    sinceMs: start,
    labels: { service: 'store', severity },
  })
  expect(played[4]?.changes[0]).toMatchObject({ service: 'store' })
})

test('a pending alert fires as what it is called by then', () => {
  const played = minutes(['ticket', 'F'], ['page', 'F'], ['page', 'F'])
  expect(toldIn(played)).toEqual(['1: pending firing page threshold-met'])
  expect(played[1]?.changes[0]?.labels).toEqual({ service: 'shop', severity: 'page' })
})

test('one that ends with the same look ends as what it was told as', () => {
  const played = minutes(['ticket', 'F'], ['ticket', 'F'], ['page', 'P'])
  expect(toldIn(played).slice(1)).toEqual(['2: firing inactive ticket success-threshold-met'])
})

test('one that is held is told when something is known again', () => {
  const played = minutes(['ticket', 'F'], ['ticket', 'F'], ['page', '?'], ['page', 'F'])
  expect(toldIn(played).slice(1)).toEqual(['3: firing firing page severity-changed'])
  expect(played[3]?.transitions.map(({ from, to }) => `${from} ${to}`)).toEqual(['held firing', 'firing firing'])
})

const elsewhere = { apart: true }
const silent = { quiet: true }
const fired = (severity: Severity) => `firing firing ${severity} severity-changed`
const ended = (severity: Severity) => `firing inactive ${severity} severity-changed`

test.each<{ given: string; before: Severity; after: Severity; more?: Partial<RuleView>; then: string[] }>([
  { given: 'an advisory becomes a page', before: 'advisory', after: 'page', then: [ended('advisory'), fired('page')] },
  { given: 'a page becomes an advisory', before: 'page', after: 'advisory', then: [ended('page'), fired('advisory')] },
  {
    given: 'a page becomes one nobody asked for',
    before: 'page',
    after: 'advisory',
    more: silent,
    then: [ended('page')],
  },
  {
    given: 'severities are apart',
    before: 'ticket',
    after: 'page',
    more: elsewhere,
    then: [ended('ticket'), fired('page')],
  },
])('where $given it is another incident, and the old one ends', ({ before, after, more = {}, then }) => {
  const [, , third] = minutes([before, 'F'], [before, 'F'], [after, 'F', more])
  expect(third?.told.map((one) => one.replace('front-down ', ''))).toEqual(then)
})

const routed = hubView([{ severities: ['page'], channels: ['pager'] }, { channels: ['chat'] }])
const bySeverity = { ...routed, grouping: { ...routed.grouping, by: ['service', 'severity'] } }

test.each<{ given: string; before: Severity; after: Severity; view?: typeof routed; more?: object; sent: string[] }>([
  {
    given: 'a ticket becomes a page',
    before: 'ticket',
    after: 'page',
    sent: ['chat opened', 'pager opened', 'chat updated'],
  },
  { given: 'a page becomes a ticket', before: 'page', after: 'ticket', sent: ['pager opened'] },
  { given: 'an advisory becomes a page', before: 'advisory', after: 'page', sent: ['pager opened'] },
  {
    given: 'a ticket becomes a page where severities are apart',
    before: 'ticket',
    after: 'page',
    view: bySeverity,
    more: elsewhere,
    sent: ['chat opened', 'chat resolved', 'pager opened'],
  },
])('people hear of it: $given', ({ before, after, view = routed, more = {}, sent }) => {
  const hub = new Hub(view)
  const wanted: [Severity, string, object][] = [...'FFFF'].map((letter, index) => [
    index < 2 ? before : after,
    letter,
    more,
  ])
  const hear = (changes: AlertChange[]) => {
    if (changes.length > 0) hub.hear({ kind: 'alert-changes', changes })
  }
  const played = minutes(...wanted, [after, 'P', more])
  for (const [index, { changes }] of played.slice(0, 4).entries()) {
    hub.until((index * period) / 1000)
    hear(changes)
  }
  hub.until(300)
  const said = () => hub.log.map((line) => line.replace(/^\S+ \S+:(\w+):\d+ /, '$1 '))
  expect(said()).toEqual(sent)
  expect(open(hub.hub)).toHaveLength(1)
  hear(played[4]?.changes ?? [])
  hub.until(600)
  expect(open(hub.hub)).toEqual([])
})

const absence = ruleSpec.parse({
  kind: 'absence',
  service: 'shop',
  series: { cluster: 'town', selector: 'kube_pod_info' },
  forSeconds: 60,
})
const gone: RuleView = {
  ruleId: 'gone',
  alertId: 'gone',
  service: 'shop',
  severity: 'ticket',
  sourceFreshMs: 180_000,
  judge: (facts) => judge(absence, facts),
}
const read = (atMs: number): Observation => ({
  kind: 'rule-results',
  id: `${atMs}`,
  shard: '0/1',
  results: [{ ruleId: 'gone', atMs, status: 'ok', active: [{ labels: {}, value: 1 }] }],
})
const timer = (): Observation => ({ kind: 'timer', id: 't', shard: '0/1', rowId: '' })

const blind = ruleView({ kind: 'absence', monitor: 'front', severity: 'ticket', forSeconds: 60 }, { ruleId: 'blind' })

test.each([
  { given: 'a rule over series', rule: gone, observe: read, id: 'gone' },
  { given: 'a rule of silence, at its timer', rule: blind, observe: timer, id: 'blind' },
])('$given tells it too', ({ rule, observe, id }) => {
  const played = play(
    (['ticket', 'ticket', 'page', 'page'] as const).map((severity) => [as(severity, rule), observe] as const),
  )
  expect(toldIn(played)).toEqual([
    `1: ${id} ${id === 'gone' ? 'pending' : 'inactive'} firing ticket silence-too-long`,
    `2: ${id} firing firing page severity-changed`,
  ])
})
