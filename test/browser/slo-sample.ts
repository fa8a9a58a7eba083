/** A month of three objectives, the same every time: for the page's test and for the picture in the documents. */
import { gzipSync } from 'node:zlib'
import { type SloReport, sloReports } from '../../cli/commands/slo-report.ts'
import { seededRandom } from '../../examples/emojivoto/random-names.ts'
import { keys } from '../../functions/contract.ts'
import { historyKey, historyLine } from '../../functions/history.ts'
import { emptySli, packSli, type SliState, withSli } from '../../functions/sli-state.ts'
import { ruleSpec } from '../../rules/registry.ts'
import { memoryBlobs, memoryStore } from '../../stores/memory.ts'
import { firingAlert, openIncident, outcome } from '../functions/builders.ts'

export const nowMs = Date.UTC(2026, 10, 23, 6)
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const days = 30

type Trouble = { atHour: number; hours: number; badShare: number }

/** A look a minute; a few fail at any time, more in times of trouble, and for some hours nobody could look. */
const month = (troubles: readonly Trouble[], blindHour: number, seed: number): SliState => {
  const random = seededRandom(seed)
  let state = emptySli
  for (let hour = 0; hour < days * 24; hour++) {
    const atMs = nowMs - (days * 24 - hour) * hourMs
    const now = troubles.find((one) => hour >= one.atHour && hour < one.atHour + one.hours)
    const ticks = Array.from({ length: 60 }, (_, nth) => {
      const bad = random() < (now?.badShare ?? 0.0002)
      const was = hour >= blindHour && hour < blindHour + 5 ? 'unknown' : bad ? 'bad' : 'good'
      return { atMs: atMs + nth * minuteMs, was } as const
    })
    state = withSli(state, 'local', { ticks, nowMs: atMs + hourMs })
  }
  return state
}

const troubled: Readonly<Record<string, SliState>> = {
  'front-slo': month([{ atHour: 200, hours: 3, badShare: 0.06 }], 420, 3),
  'search-slo': month(
    [
      { atHour: 90, hours: 2, badShare: 0.15 },
      { atHour: 400, hours: 4, badShare: 0.1 },
      { atHour: 610, hours: 3, badShare: 0.1 },
    ],
    500,
    5,
  ),
}

const rules = Object.fromEntries(
  ['front', 'search', 'checkout'].map((monitor) => {
    const spec = { kind: 'slo', service: 'shop', monitor, objectivePercent: 99.9 }
    return [`${monitor}-slo`, ruleSpec.parse(spec)]
  }),
)

const incidentAt = (hour: number, alert: { severity: 'page' | 'ticket'; alertId: string; summary: string }) => {
  const sinceMs = nowMs - (days * 24 - hour) * hourMs + 12 * minuteMs
  const { severity, alertId, summary } = alert
  const firing = { ...firingAlert({ ruleId: 'search-slo', summary }), severity, sinceMs, firing: false }
  const at = new Date(sinceMs).toISOString().replace(/\D/g, '').slice(0, 12)
  const id = `shop-${at.slice(0, 8)}-${at.slice(8)}00`
  const over = { status: 'resolved' as const, resolvedAtMs: sinceMs + 100 * minuteMs, sinceMs }
  return { ...openIncident({ id, service: 'shop', alerts: { [alertId]: firing } }), ...over, severity }
}

const burn = "search (99.9 %): 21 % of the month's budget burnt in 58 min; empty on Tuesday 01:50 UTC at this rate"
const incidents = [
  incidentAt(400, { severity: 'page', alertId: 'search-slo', summary: `${burn}; the 1 h window fired` }),
  incidentAt(610, {
    severity: 'ticket',
    alertId: 'search-slo:budget-100',
    summary: "search (99.9 %): 117 % of the month's budget is spent (policy: 100 %)",
  }),
]

const history = async () => {
  const [blobs, random] = [memoryBlobs(), seededRandom(9)]
  for (let minute = 0; minute < 90; minute++) {
    const atMs = nowMs - minute * minuteMs
    const outcomes = ['front', 'search'].map((monitorId) => ({
      ...outcome({ verdict: 'pass', monitorId, scheduledAtMs: atMs, startedAtMs: atMs }),
      look: 'tick' as const,
      timingsMs: { total: 90 + 160 * random() + (monitorId === 'search' ? 1500 * random() ** 12 : 0) },
    }))
    const part = { observationId: 'tick', outcomes, judgements: [], transitions: [] }
    const line = historyLine({ shard: '0/1', minuteMs: atMs, parts: [part] })
    await blobs.put(historyKey(atMs, '0/1'), gzipSync(line))
  }
  return blobs
}

export const sampleReports = async (): Promise<SloReport[]> => {
  const store = memoryStore({ nowMs: () => nowMs })
  const recent = incidents.map(({ id }) => id)
  await store.commit([
    { key: keys.hub, expect: 0, value: { recent } },
    ...Object.entries(troubled).map(([id, state]) => ({ key: keys.slo(id), expect: 0, value: packSli(state) })),
    ...incidents.map((one) => ({ key: keys.incident(one.id), expect: 0, value: one })),
  ])
  return sloReports({ store, blobs: await history() }, { config: { rules, locations: ['local'] }, nowMs })
}
