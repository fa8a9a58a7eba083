import { gzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { sloReportPage } from '../../../cli/commands/slo-page.ts'
import { achievedWords, sloReports, sloReportText } from '../../../cli/commands/slo-report.ts'
import { keys } from '../../../functions/contract.ts'
import { historyKey, historyLine } from '../../../functions/history.ts'
import { packSli, type SliState, withSli } from '../../../functions/sli-state.ts'
import { ruleSpec } from '../../../rules/registry.ts'
import { memoryBlobs, memoryStore } from '../../../stores/memory.ts'
import { firingAlert, openIncident, outcome } from '../../functions/builders.ts'

const nowMs = Date.UTC(2026, 10, 23, 6)
const hourMs = 3_600_000

/** Thirty days of a look a minute, `bad` of which failed on the tenth day, and an hour nobody could look. */
const month = (bad: number): SliState => {
  let state: SliState = { ticks: {}, hours: [], closedMs: 0 }
  for (let hour = 0; hour < 720; hour++) {
    const atMs = nowMs - (720 - hour) * hourMs
    const was = (nth: number) => (hour === 300 ? 'unknown' : hour === 240 && nth < bad ? 'bad' : 'good')
    const ticks = Array.from({ length: 60 }, (_, nth) => ({ atMs: atMs + nth * 60_000, was: was(nth) }) as const)
    state = withSli(state, 'local', { ticks, nowMs: atMs + hourMs })
  }
  return state
}

const objective = (monitor: string) => ruleSpec.parse({ kind: 'slo', service: 'shop', monitor, objectivePercent: 99.9 })

const reported = async () => {
  const store = memoryStore({ nowMs: () => nowMs })
  const items = { 'front-slo': month(9), 'search-slo': month(58) }
  await store.commit(
    Object.entries(items).map(([id, state]) => ({ key: keys.slo(id), expect: 0, value: packSli(state) })),
  )
  const rules = { 'front-slo': objective('front'), 'search-slo': objective('search'), 'new-slo': objective('new') }
  return sloReports({ store, blobs: memoryBlobs() }, { config: { rules, locations: ['local'] }, nowMs })
}

test('the report says what is left of each budget, the worst first, and counts unknown apart', async () => {
  expect(sloReportText(await reported())).toBe(`search-slo (shop): overdrawn by 34.4 % of the month's budget
  99.866 % of 99.9 % promised
  43,140 events, 58 bad, 60 unknown (not counted)
front-slo (shop): 79.1 % left of the month's budget
  99.979 % of 99.9 % promised
  43,140 events, 9 bad, 60 unknown (not counted)
new-slo (shop): nothing known of the month's budget
  nothing seen of 99.9 % promised
  0 events, 0 bad`)
})

test('the budget burns down hour by hour, from all of it to what is left', async () => {
  const [worst] = await reported()
  const steps = worst?.burnDown ?? []
  expect(steps.length).toBe(721)
  expect(steps[0]?.leftRatio).toBe(1)
  expect(steps.at(-1)?.leftRatio).toBeCloseTo(1 - (worst?.spentRatio ?? 0), 9)
  expect(steps.every(({ leftRatio }, at) => leftRatio <= (steps[at - 1]?.leftRatio ?? 1))).toBe(true)
})

test('the page has a chart for each objective that was seen, with words for those who cannot see it, and no script', async () => {
  const page = sloReportPage(await reported(), { title: 'Shop <status>', nowMs })
  expect(page.match(/<svg /g)?.length).toBe(2)
  expect(page).toContain('aria-label="budget of search-slo from 24 Oct to 23 Nov: overdrawn by 34.4 %"')
  expect(page).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">')
  expect(page).toContain('Shop &lt;status&gt;')
  expect(page).not.toMatch(/<script|https?:|NaN/)
})

test('what its looks took is said where the history knows it, in text, figures and on the page', async () => {
  const [store, blobs] = [memoryStore({ nowMs: () => nowMs }), memoryBlobs()]
  const took = [80, 90, 100, 1250]
  const outcomes = took.map((total, nth) => ({
    ...outcome({ verdict: 'pass', scheduledAtMs: nowMs - nth * 60_000 }),
    look: 'tick' as const,
    timingsMs: { total },
  }))
  const part = { observationId: 'tick', outcomes, judgements: [], transitions: [] }
  const line = historyLine({ shard: '0/1', minuteMs: nowMs, parts: [part] })
  await blobs.put(historyKey(nowMs, '0/1'), gzipSync(line))
  const rules = { 'front-slo': objective('front'), 'search-slo': objective('search') }
  const reports = await sloReports({ store, blobs }, { config: { rules, locations: ['local'] }, nowMs })
  expect(reports.map(({ latency }) => latency)).toEqual([
    { p50Ms: 90.1, p95Ms: 1260, p99Ms: 1260, looks: 4 },
    undefined,
  ])
  expect(sloReportText(reports)).toContain('  p50 90.1 ms, p95 1.26 s, p99 1.26 s')
  expect(sloReportPage(reports, { title: 'Shop', nowMs })).toContain('p50 90.1 ms')
})

test('an alert that fires since before the window is told, and one that is over does not fire because its incident goes on', async () => {
  const store = memoryStore({ nowMs: () => nowMs })
  const alert = { ...firingAlert({ ruleId: 'front-slo' }), sinceMs: nowMs - 40 * 24 * hourMs }
  const alerts = {
    'front-slo:ticket': { ...alert, severity: 'ticket' as const },
    'front-slo': { ...alert, severity: 'page' as const, sinceMs: nowMs - 2 * hourMs, firing: false },
  }
  const going = openIncident({ id: 'going', service: 'shop', alerts })
  const over = { ...openIncident({ id: 'over', service: 'shop', alerts }), status: 'resolved', resolvedAtMs: nowMs }
  const old = { 'front-slo:ticket': { ...alerts['front-slo:ticket'], firing: false } }
  const before = { ...over, id: 'before', alerts: old, resolvedAtMs: nowMs - 31 * 24 * hourMs }
  await store.commit([
    { key: keys.hub, expect: 0, value: { recent: ['going', 'before'] } },
    ...[going, before].map((one) => ({ key: keys.incident(one.id), expect: 0, value: one })),
  ])
  const config = { rules: { 'front-slo': objective('front') }, locations: ['local'] }
  const text = sloReportText(await sloReports({ store, blobs: memoryBlobs() }, { config, nowMs }))
  expect(text.split('\n').slice(3)).toEqual([
    '  page since 2026-11-23 04:00 UTC, over, its incident is not (front-slo)',
    '  ticket since 2026-10-14 06:00 UTC, fires still (front-slo:ticket)',
  ])
})

test.each([
  { achievedPercent: 99.97913, objectivePercent: 99.9, words: '99.979 %' },
  { achievedPercent: 99.86553, objectivePercent: 99.9, words: '99.866 %' },
  { achievedPercent: 99.9996, objectivePercent: 99.9999, words: '99.9996 %' },
  { achievedPercent: 99.99999, objectivePercent: 99.9, words: '99.999 %' },
  { achievedPercent: 99.8999, objectivePercent: 99.9, words: '99.899 %' },
  { achievedPercent: 100, objectivePercent: 99.9, words: '100 %' },
])(
  '$achievedPercent of $objectivePercent reads $words: no rounding hides what is missing',
  async ({ words, ...said }) => {
    const [report] = await reported()
    expect(report && achievedWords({ ...report, ...said })).toBe(words)
  },
)

test('history of the last hours that cannot be read is told', async () => {
  const [store, blobs] = [memoryStore({ nowMs: () => nowMs }), memoryBlobs()]
  await blobs.put(historyKey(nowMs, '0/1'), new TextEncoder().encode('garbage'))
  const lost: string[] = []
  const config = { rules: { 'front-slo': objective('front') }, locations: ['local'] }
  await sloReports({ store, blobs }, { config, nowMs, lost: (key) => lost.push(key) })
  expect(lost.length).toBe(1)
})
