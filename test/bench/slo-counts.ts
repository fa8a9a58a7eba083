import { configSchema } from '../../config/schema.ts'
import type { Observation } from '../../functions/contract.ts'
import { evaluateView } from '../../functions/evaluate/config.ts'
import { evaluateStep } from '../../functions/evaluate/step.ts'
import { type SliCounts, sliOfCounts, withCounts } from '../../functions/sli-counts.ts'
import type { Facts, SliBucket } from '../../rules/contract.ts'
import { judge, type RuleSpec, ruleAlerts, ruleSpec } from '../../rules/registry.ts'
import type { Store } from '../../stores/contract.ts'
import { memoryStore } from '../../stores/memory.ts'
import { atMost, percentile } from './figures.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** About three thousand events a minute, up and down by a few hundred, a few of which are bad. */
const minuteAt = (atMs: number, seed: number): SliBucket => {
  const noise = ((atMs / minuteMs + seed * 7919) * 2_654_435_761) % 601
  return { atMs, good: 2700 + noise, bad: noise % 7, unknown: 0 }
}

const rule: RuleSpec = ruleSpec.parse({
  kind: 'slo',
  service: 'shop',
  series: { cluster: 'town', total: 'requests_total', bad: 'requests_total{code="500"}' },
  objectivePercent: 99.9,
})

/** Thirty days of so many objectives, as a shard knows them. */
const month = (nowMs: number, ids: readonly string[]): SliCounts => {
  const closedMs = nowMs - 6 * hourMs
  const hours = Array.from({ length: 714 }, (_, nth) => {
    const one = minuteAt(closedMs - (714 - nth) * hourMs, nth)
    return { ...one, good: one.good * 60, bad: one.bad * 60 }
  })
  const minutes = Array.from({ length: 360 }, (_, nth) => minuteAt(closedMs + nth * minuteMs, nth))
  return {
    closedMs,
    minutes: new Map(ids.map((id) => [id, [...minutes]])),
    hours: new Map(ids.map((id) => [id, [...hours]])),
  }
}

/** What a minute costs 1,000 objectives over counters: counting it, and judging the page, the ticket and the budget's policy. */
const measureMinute = (nowMs: number): number => {
  const ids = Array.from({ length: 1000 }, (_, nth) => `rule-${nth}`)
  const judges = [(facts: Facts) => judge(rule, facts), ...ruleAlerts(rule).map((one) => one.judge)]
  let counts = month(nowMs, ids)
  const times: number[] = []
  for (let round = 0; round < 15; round++) {
    const atMs = nowMs + round * minuteMs
    const news = ids.map((id, seed) => ({ id, partIs: 'bad' as const, minutes: [minuteAt(atMs, seed)] }))
    const before = process.cpuUsage()
    counts = withCounts(counts, news, atMs).state
    for (const id of ids) {
      const facts = { nowMs: atMs, locations: [], sli: sliOfCounts(counts, id), knownSinceMs: 0, firing: false }
      for (const judged of judges) judged(facts)
    }
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / 1000)
  }
  return percentile(times, 0.5)
}

/** What a whole `evaluate` writes in an hour for each of 300 objectives of a shard that has counted for eight. */
const measureWriting = async (startMs: number): Promise<number> => {
  const rules = Object.fromEntries(Array.from({ length: 300 }, (_, nth) => [`objective-${nth}`, rule]))
  const parts = { services: { shop: {} }, monitors: {}, channels: {}, routes: [{ channels: ['terminal'] }] }
  const config = configSchema.parse({ ...parts, rules })
  const clock = { nowMs: startMs }
  const nowMs = () => clock.nowMs
  const plain = memoryStore({ nowMs })
  let bytes = 0
  const store: Store = {
    ...plain,
    commit: async (changes, rows) => {
      for (const { key, value } of changes) bytes += key.length + JSON.stringify(value).length
      return plain.commit(changes, rows)
    },
  }
  const evaluate = evaluateStep({ store, nowMs, nudge: async () => {}, ...evaluateView(config) })
  const ids = Object.keys(config.rules)
  for (let minute = 0; minute < 9 * 60; minute++) {
    if (minute === 8 * 60) bytes = 0
    clock.nowMs = startMs + minute * minuteMs
    const counts = ids.map((ruleId, seed) => ({ ruleId, minutes: [minuteAt(clock.nowMs, seed)] }))
    const observation: Observation = { kind: 'sli-counts', id: `${minute}`, shard: '0/1', counts }
    await evaluate(observation)
  }
  return bytes / ids.length
}

/** Objectives over counters, beside those over looks. */
export const measureCounts = async (nowMs: number): Promise<string[]> => [
  atMost('evaluating 1,000 objectives over counters, 30 days', measureMinute(nowMs), { limit: 50, unit: 'ms' }),
  atMost('written for each of them in an hour', Math.round(await measureWriting(nowMs)), {
    limit: 2048,
    unit: 'bytes',
  }),
]
