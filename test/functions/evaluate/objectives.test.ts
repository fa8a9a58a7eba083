import { expect, test } from '@jest/globals'
import { normalise } from '../../../config/normalise.ts'
import { configSchema } from '../../../config/schema.ts'
import type { AlertChange, Observation } from '../../../functions/contract.ts'
import { evaluateView } from '../../../functions/evaluate/config.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { timerRowId } from '../../../functions/row-ids.ts'
import type { ProbeOutcome } from '../../../probes/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { outcome, start } from '../builders.ts'

const minute = 60_000
const shard = '0/1'

type Told = Pick<AlertChange, 'alertId' | 'to' | 'severity' | 'reason'> & { minute: number }

/** `evaluate` with one objective of the shop; `deploy` gives it another config. */
const shopWith = (objective: object, { rules = {}, ...more }: { rules?: object; [key: string]: object } = {}) => {
  let nowMs = start
  const store = memoryStore({ nowMs: () => nowMs })
  const told: Told[] = []
  const deployed = (slo: object) => {
    const config = normalise(
      configSchema.parse({
        services: { shop: {} },
        monitors: {},
        channels: { console: { kind: 'console' } },
        routes: [{ channels: ['console'] }],
        ...more,
        rules: { ...rules, slo: { kind: 'slo', ...slo } },
      }),
    )
    return evaluateStep({ store, nowMs: () => nowMs, nudge: async () => {}, ...evaluateView(config) })
  }
  let evaluate = deployed(objective)
  const rowId = timerRowId(shard)
  /** Wakes the shard whenever its timer says so. */
  const runTo = async (untilMs: number) => {
    for (let timer = await store.row(rowId); timer && timer.row.dueAtMs <= untilMs; timer = await store.row(rowId))
      await send({ kind: 'timer', id: rowId, shard, rowId }, Math.max(nowMs, timer.row.dueAtMs))
  }
  const send = async (observation: Observation, atMs: number) => {
    nowMs = atMs
    const result = await evaluate(observation)
    if (result.status !== 'evaluated') throw new Error('conflict')
    for (const { alertId, to, severity, reason } of result.changes)
      told.push({ alertId, to, severity, reason, minute: (Math.floor(atMs / minute) * minute - start) / minute })
  }
  return {
    told: (alertId: string) => told.filter((one) => one.alertId === alertId),
    deploy: (slo: object) => {
      evaluate = deployed(slo)
    },
    runTo,
    /** What the counters of a minute came to, said at its end. */
    count: (nth: number, events: { good?: number; bad?: number; unknown?: number }) => {
      const atMs = start + nth * minute
      const minutes = [{ atMs, good: 0, bad: 0, unknown: 0, ...events }]
      return send({ kind: 'sli-counts', id: `${nth}`, shard, counts: [{ ruleId: 'slo', minutes }] }, atMs + 59_000)
    },
    look: (atMs: number, looks: readonly Parameters<typeof outcome>[0][]) => {
      const outcomes = looks.map((one): ProbeOutcome => outcome({ scheduledAtMs: atMs, startedAtMs: atMs, ...one }))
      const id = `${atMs} ${outcomes[0]?.location}`
      return send({ kind: 'outcomes', id, shard, outcomes }, atMs + 1000)
    },
  }
}

const town = { clusters: { town: { sources: [{ kind: 'app', url: 'http://app.example/metrics' }] } } }
const series = { cluster: 'town', total: 'requests_total', bad: 'requests_total{code="500"}' }
const counted = { service: 'shop', series, objectivePercent: 99.9 }

const front = { kind: 'http', service: 'shop', url: 'http://shop.example/' }
const inTime = { monitor: 'front', latencyMs: 500, objectivePercent: 99 }

test('counters that cannot be read any more end no page, and those that are read again and well do at once', async () => {
  const { count, told } = shopWith(counted, town)
  for (let nth = -600; nth < 33; nth++) await count(nth, nth < 0 ? { good: 1000 } : { good: 970, bad: 30 })
  for (let nth = 33; nth < 600; nth++) await count(nth, { unknown: 1 })
  expect(told('slo')).toMatchObject([{ to: 'firing', minute: 28 }])
  await count(600, { good: 1000 })
  expect(told('slo').slice(1)).toMatchObject([{ to: 'inactive', minute: 600 }])
})

test('looks that can tell nothing end no page of an objective', async () => {
  const monitors = { front: { ...front, periodSeconds: 10 } }
  const { look, told } = shopWith({ ...inTime, badInARow: false }, { monitors })
  for (let at = -4 * 360; at < 4 * 360; at++) {
    const verdict = at < 12 * 6 ? ('pass' as const) : ('unknown' as const)
    await look(start + at * 10_000, [{ verdict, timingsMs: { total: at < 0 ? 50 : 900 } }])
  }
  expect(told('slo').map(({ to }) => to)).toEqual(['firing'])
})

test('a page whose pairs of windows the config makes tickets is over', async () => {
  const { count, told, deploy } = shopWith(counted, town)
  for (let nth = -60; nth < 8; nth++) await count(nth, nth < 0 ? { good: 1000 } : { good: 500, bad: 500 })
  expect(told('slo').map(({ to }) => to)).toEqual(['firing'])
  deploy({ ...counted, burnRates: [{ severity: 'ticket', longSeconds: 86_400, shortSeconds: 7200, factor: 3 }] })
  await count(8, { good: 500, bad: 500 })
  expect(told('slo').slice(1)).toMatchObject([{ to: 'inactive', minute: 8, severity: 'page' }])
})

test.each([
  { given: 'an hour without traffic ends', events: {}, ends: [62] },
  { given: 'two days that nobody can see do not end', events: { unknown: 1 }, ends: [] },
])('$given the bad minutes in a row of a service that is taken down', async ({ events, ends }) => {
  const { count, told } = shopWith({ ...counted, objectivePercent: 99 }, town)
  for (let nth = -300; nth < 3; nth++) await count(nth, nth < 0 ? { good: 100 } : { bad: 5 })
  for (let nth = 3; nth < 48 * 60; nth++) await count(nth, events)
  const [fired, ...ended] = told('slo:in-a-row')
  expect(fired).toMatchObject({ to: 'firing', minute: 2 })
  expect(ended.map(({ minute: at }) => at)).toEqual(ends)
})

test.each([
  { given: 'every location reaches it', far: 'pass' as const },
  { given: 'one location, below the quorum, cannot reach it', far: 'fail' as const },
])('what is slow everywhere pages while $given', async ({ far }) => {
  const monitors = { front: { ...front, periodSeconds: 7200 } }
  const { look, told } = shopWith(inTime, { monitors, locations: ['a', 'b', 'far'] })
  for (let nth = -6; nth < 6; nth++) {
    for (const [at, location] of ['a', 'b', 'far'].entries()) {
      const verdict = location === 'far' && nth >= -3 ? far : 'pass'
      const looks = verdict === 'fail' ? ['tick', 'recheck', 'recheck-2'] : ['tick']
      const timingsMs = { total: nth < 0 ? 50 : 900 }
      const atMs = start + nth * 120 * minute + at * 1000
      await look(
        atMs,
        looks.map((one) => ({ location, verdict, look: one, timingsMs })),
      )
    }
  }
  expect(told('slo:in-a-row')).toMatchObject([{ to: 'firing', minute: 240 }])
})

test.each([
  { given: 'at the third failure', thresholds: { failureThreshold: 3 } },
  { given: 'at the fifth failure', thresholds: { failureThreshold: 5 } },
  { given: 'when all locations agree', thresholds: { failureThreshold: 5, quorum: 3 } },
])('what nobody reaches is paged $given once, by the availability of its monitor', async ({ thresholds }) => {
  const monitors = { front: { ...front, periodSeconds: 60 } }
  const rules = { down: { kind: 'availability', monitor: 'front', ...thresholds } }
  const { look, told } = shopWith(inTime, { monitors, rules, locations: ['a', 'b', 'far'] })
  for (let nth = -10; nth < 10; nth++) {
    for (const [at, location] of ['a', 'b', 'far'].entries())
      await look(start + nth * minute + at * 1000, [{ location, verdict: nth < 0 ? 'pass' : 'fail' }])
  }
  expect(told('down').map(({ to }) => to)).toEqual(['firing'])
  expect(told('slo:in-a-row')).toEqual([])
})

test.each([
  { given: 'well', farFailsFrom: 0 },
  { given: 'failing for hours', farFailsFrom: -200 },
])(
  'what fails too seldom for its own rule is no page of its objective, with one location $given before',
  async ({ farFailsFrom }) => {
    const rules = { down: { kind: 'availability', monitor: 'front', failureThreshold: 5 } }
    const { look, told } = shopWith(inTime, { monitors: { front }, rules, locations: ['a', 'b', 'far'] })
    for (let nth = -300; nth < 30; nth++)
      for (const [at, location] of ['a', 'b', 'far'].entries()) {
        const fails = location === 'far' ? nth >= farFailsFrom : nth >= 0 && nth < 4
        await look(start + nth * minute + at * 1000, [{ location, verdict: fails ? 'fail' : 'pass' }])
      }
    expect([...told('down'), ...told('slo:in-a-row')]).toEqual([])
  },
)

/** Letters of an hour are what its locations saw, one after the other; behind a space they are heard of a minute late. */
test.each([
  { given: 'all of it are there', minutes: 1, seen: ['bbb', 'ggg'], then: ['firing 60', 'inactive 120'] },
  { given: 'one of it is lost', minutes: 1, seen: ['bb', 'ggg'], then: ['firing 62', 'inactive 120'] },
  {
    given: 'one of the third is lost',
    minutes: 3,
    seen: ['bbb', 'bbb', 'bb', 'ggg'],
    then: ['firing 182', 'inactive 240'],
  },
  { given: 'a good one comes late', minutes: 1, seen: ['bb g', 'ggg'], then: [] },
  { given: 'a bad one comes late', minutes: 1, seen: ['bb b', 'ggg'], then: ['firing 61', 'inactive 120'] },
  { given: 'one of it is lost, and one is good', minutes: 1, seen: ['bg', 'ggg'], then: [] },
])('the looks of an hour are slow, and page soon: $given', async ({ minutes, seen, then }) => {
  const [monitors, locations] = [{ front: { ...front, periodSeconds: 3600 } }, ['a', 'b', 'far']]
  const { look, told, runTo } = shopWith({ ...inTime, badInARow: minutes }, { monitors, locations })
  for (const [nth, letters] of ['ggg', 'ggg', ...seen].entries()) {
    const [onTime = '', late = ''] = letters.split(' ')
    for (const [at, letter] of [...onTime, ...late].entries()) {
      const scheduledAtMs = start + (nth - 1) * 60 * minute + at * 1000
      const heardAtMs = scheduledAtMs + (at < onTime.length ? 0 : minute)
      await runTo(heardAtMs)
      const timingsMs = { total: letter === 'b' ? 900 : 50 }
      await look(heardAtMs, [{ location: locations[at] ?? '', verdict: 'pass', scheduledAtMs, timingsMs }])
    }
  }
  expect(told('slo:in-a-row').map(({ to, minute: at }) => `${to} ${at}`)).toEqual(then)
})

test('what is slow from one location and down from the others is paged once, by the availability of its monitor', async () => {
  const monitors = { front: { ...front, periodSeconds: 3600 } }
  const { look, told } = shopWith({ ...inTime, badInARow: 1 }, { monitors, locations: ['a', 'b', 'far'] })
  for (let nth = -3; nth < 1; nth++) {
    for (const [at, location] of ['a', 'b', 'far'].entries()) {
      const verdict = nth === 0 && location !== 'a' ? 'fail' : 'pass'
      const looks = verdict === 'fail' ? ['tick', 'recheck', 'recheck-2'] : ['tick']
      const more = { location, verdict, timingsMs: { total: nth === 0 ? 900 : 50 } } as const
      await look(
        start + nth * 60 * minute + at * 1000,
        looks.map((one) => ({ ...more, look: one })),
      )
    }
  }
  expect(told('front-availability').map(({ to }) => to)).toEqual(['firing'])
  expect(told('slo:in-a-row')).toEqual([])
})
