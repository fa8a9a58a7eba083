import { packSli, type SliState, sliOf, unpackSli, withSli } from '../../functions/sli-state.ts'
import type { Facts } from '../../rules/contract.ts'
import { judge, ruleAlerts, ruleSpec } from '../../rules/registry.ts'
import { atMost, percentile } from './figures.ts'
import { measureSloBytes } from './slo-bytes.ts'
import { measureCounts } from './slo-counts.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const objectives = 1000

/** Thirty days of a look a minute, one in two hundred of which fails. */
const month = (nowMs: number, seed: number): SliState => {
  let state: SliState = { ticks: {}, hours: [], closedMs: 0 }
  for (let atMs = nowMs - 30 * 24 * hourMs; atMs < nowMs; atMs += hourMs) {
    const ticks = Array.from({ length: 60 }, (_, nth) => {
      const fails = ((atMs / minuteMs + nth + seed) * 2_654_435_761) % 200 === 0
      return { atMs: atMs + nth * minuteMs, was: fails ? ('bad' as const) : ('good' as const) }
    })
    state = withSli(state, 'local', { ticks, nowMs: atMs + hourMs })
  }
  return state
}

/** What a tick costs 1,000 objectives over 30 days: counting it, and judging the page, the ticket and the budget's policy. */
export const measureSlo = async (): Promise<string[]> => {
  const nowMs = Date.UTC(2026, 10, 23, 6)
  const rule = ruleSpec.parse({ kind: 'slo', monitor: 'front', objectivePercent: 99.9 })
  const judges = [(facts: Facts) => judge(rule, facts), ...ruleAlerts(rule).map((one) => one.judge)]
  const kept = Array.from({ length: 10 }, (_, seed) => month(nowMs, seed))
  // As many objects as there are objectives, so that none is given what was made for another.
  const states = Array.from({ length: objectives }, (_, nth) => ({ ...(kept[nth % 10] ?? month(nowMs, 0)) }))
  const times: number[] = []
  for (let round = 0; round < 15; round++) {
    const tick = { atMs: nowMs + round * minuteMs, was: 'good' as const }
    // Processor time: what else this machine does is not what it costs.
    const before = process.cpuUsage()
    for (const state of states) {
      const sli = sliOf(state, [tick])
      const facts = { nowMs: tick.atMs, locations: [], sli, knownSinceMs: 0, firing: false }
      for (const judged of judges) judged(facts)
    }
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / 1000)
  }
  const texts = kept.map((state) => JSON.stringify(packSli(state)))
  const before = process.cpuUsage()
  for (let nth = 0; nth < objectives; nth++) unpackSli(JSON.parse(texts[nth % 10] ?? '{}'))
  const read = process.cpuUsage(before)
  return [
    atMost('evaluating 1,000 objectives over 30 days', percentile(times, 0.5), { limit: 50, unit: 'ms' }),
    `reading their items for the first time: ${(read.user / 1000).toFixed(0)} ms`,
    ...(await measureSloBytes()),
    ...(await measureCounts(nowMs)),
  ]
}
