import { expect, test } from '@jest/globals'
import type { StatusView } from '../../functions/publish/view.ts'
import type { CaseFile } from '../../triage/contract.ts'
import { incidentPage } from '../../web/incident-page.ts'
import { incidentsPage } from '../../web/incidents-page.ts'
import { span, whole } from '../../web/layout.ts'
import { metricsText } from '../../web/metrics.ts'
import { statusPage } from '../../web/status-page.ts'
import { firingAlert, openIncident, outcome, start } from '../functions/builders.ts'

const hostile = '<script>alert(1)</script>'

const incident = openIncident({
  id: 'shop-1',
  service: 'shop',
  alerts: {
    a: firingAlert({ ruleId: 'a', summary: `front fails ${hostile}` }),
  },
  counts: { alerts: 1, firing: 1, audible: 1 },
  caseFile: true,
  timeline: [{ atMs: start, what: 'opened', reason: 'first-alert' }],
})
const caseFile: CaseFile = {
  incidentId: 'shop-1',
  atMs: start,
  headline: 'cart is out of memory',
  answers: [
    {
      question: 'logs-look-okay',
      title: 'Logs look okay?',
      verdict: 'bad',
      headline: 'no',
      evidence: [{ says: 'cart logs', quote: hostile }],
      tookMs: 3,
    },
  ],
  suspects: [
    {
      accused: { kind: 'workload', name: 'cart' },
      cause: 'out-of-memory',
      score: 0.87,
      headline: 'cart: out of memory',
      for: ['killed five times'],
      against: [],
      owner: { team: 'platform', role: 'sre' },
    },
  ],
}

test('the incident page shows checklist, suspect and timeline, and runs nobody’s script', () => {
  const page = incidentPage(incident, caseFile, start + 60_000)
  for (const text of [
    'cart is out of memory',
    'Logs look okay?',
    '87 %',
    'killed five times',
    'first-alert',
    'platform',
  ]) {
    expect(page).toContain(text)
  }
  expect(page).not.toContain('<script')
  expect(page).toContain('&lt;script&gt;')
})

test('a quiet incident says what keeps it quiet, what fails because of an incident is listed with it', () => {
  const mute = { kind: 'dependency', ref: 'db-20261123-055500' } as const
  const { toldAtMs: _, ...untold } = incident
  const quiet = { ...untold, alerts: { a: firingAlert({ mute }) }, counts: { alerts: 1, firing: 1, audible: 0 } }
  const text = incidentPage(quiet, undefined, start)
  expect(text).toContain('quiet while this is open: <a class="reach" href="/incidents/db-20261123-055500">')
  expect(text).toContain('Nobody was told, so the questions were not asked.')
  expect(incidentPage({ ...incident, affects: ['cart', 'web'] }, undefined, start)).toContain(
    '<li>cart</li><li>web</li>',
  )
})

test('of a big incident the page shows how many alerts there are', () => {
  const big = { ...incident, counts: { alerts: 400, firing: 300, audible: 300 } }
  expect(incidentPage(big, undefined, start)).toContain('and 399 more; 300 of 400 fire')
})

test('who came with a link to one incident is sent to no other page', () => {
  const mute = { kind: 'dependency', ref: 'db-20261123-055500' } as const
  const text = incidentPage({ ...incident, alerts: { a: firingAlert({ mute }) } }, undefined, start, { alone: true })
  expect(text).toContain('quiet while this is open: db-20261123-055500')
  expect(text).not.toMatch(/href="\/(incidents|silences)/)
})

test('what fires comes before what is over, which nothing keeps quiet', () => {
  const over = firingAlert({ summary: 'over since long', firing: false, mute: { kind: 'silence', ref: 's-1' } })
  const text = incidentPage({ ...incident, alerts: { over, a: firingAlert({}) } }, undefined, start)
  expect(text.lastIndexOf('front fails')).toBeLessThan(text.lastIndexOf('over since long'))
  expect(text).not.toContain('silenced by')
})

test.each([
  { status: 'open', says: ['The questions are not answered yet.', 'What fails, seen'] },
  { status: 'resolved', says: ['The questions were not answered.', 'What failed, seen'] },
] as const)('an incident without answers that is $status says so', ({ status, says }) => {
  const text = incidentPage({ ...incident, status, caseFile: false }, undefined, start)
  for (const each of says) expect(text).toContain(each)
})

test('what is open comes before what is over, however old it is', () => {
  const over = { ...incident, id: 'cart-2', service: 'cart', status: 'resolved', resolvedAtMs: start } as const
  const text = incidentsPage([{ incident: over }, { incident }], [], start)
  expect(text).toContain('<title>Incidents: 1 open</title>')
  expect(text.indexOf('href="/incidents/shop-1"')).toBeLessThan(text.indexOf('href="/incidents/cart-2"'))
  expect(incidentsPage([{ incident: over }], [], start)).toContain('<title>Incidents: none open</title>')
})

const view: StatusView = {
  title: 'Shop',
  atMs: start,
  overall: 'unknown',
  components: [{ id: 'shop', status: 'unknown' }],
  open: [],
  past: [],
}

test('the status page shows unknown as unknown', () => {
  const page = statusPage(view)
  expect(page).toContain('We cannot see some services right now')
  expect(page).not.toContain('operational</span>')
})

test.each([
  { given: 'nothing of it fails any more', firing: false, then: 'recovering' },
  { given: 'something of it fails still', firing: true, then: 'goes on' },
])('an incident that is open while its service is up again, and $given, is no operational one', ({ firing, then }) => {
  const open = [{ id: 'shop-1', service: 'shop', sinceMs: start, status: 'operational' as const, firing }]
  const page = statusPage({ ...view, open })
  expect(page).toContain(then)
  expect(page).not.toContain('operational</span>')
})

test('of what is over the status page shows ten, the rest on demand', () => {
  const past = Array.from({ length: 12 }, (_, at) => ({
    id: `shop-${at}`,
    service: 'shop',
    sinceMs: start,
    resolvedAtMs: start + 1000,
  }))
  const [shown, folded] = statusPage({ ...view, past }).split('<summary>2 older</summary>')
  expect([shown, folded].map((part) => part?.match(/✓ resolved/g)?.length)).toEqual([10, 2])
  expect(statusPage({ ...view, past: past.slice(0, 10) })).not.toContain('<details>')
})

const latest = { attempt: {}, service: 'shop', target: 'GET https://"shop"\n', periodSeconds: 60, runSinceMs: start }

test('metrics tell what the window of each cluster takes', () => {
  const text = metricsText([], [], { windows: new Map([['main', { series: 120, leftOut: 3, bytes: 4096 }]]) })
  expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
    'whodunit_window_series{cluster="main"} 120',
    'whodunit_window_left_out_series{cluster="main"} 3',
    'whodunit_window_chunk_bytes{cluster="main"} 4096',
  ])
})

test('metrics count how late looks began, each bucket with all below it', () => {
  const buckets = [
    { bound: 0.1, count: 3 },
    { bound: 1, count: 1 },
  ]
  expect(
    metricsText([], [], { lag: { buckets, count: 5, sum: 4.5 } }),
  ).toBe(`# HELP whodunit_schedule_lag_seconds How late looks began after the time they were scheduled for
# TYPE whodunit_schedule_lag_seconds histogram
whodunit_schedule_lag_seconds_bucket{le="0.1"} 3
whodunit_schedule_lag_seconds_bucket{le="1"} 4
whodunit_schedule_lag_seconds_bucket{le="+Inf"} 5
whodunit_schedule_lag_seconds_sum 4.5
whodunit_schedule_lag_seconds_count 5
`)
})

test('metrics leave out what was not seen, and never say 0 for it', () => {
  const text = metricsText([{ ...outcome({ verdict: 'unknown', timingsMs: { resolve: 4, total: 5 } }), ...latest }], [])
  expect(text).not.toContain('probe_success')
  expect(text).toContain(
    'whodunit_verdict{monitor="front",service="shop",location="local",target="GET https://\\"shop\\"\\n",verdict="unknown"} 1',
  )
  expect(text).toContain('phase="resolve"} 0.004')
  expect(text).not.toContain('phase="tls"')
})

test.each([
  { ms: 999, text: '1 s' },
  { ms: 60_000, text: '1 min' },
  { ms: 125_000, text: '2 min 5 s' },
  { ms: 3_900_000, text: '1 h 5 min' },
  { ms: 7 * 86_400_000, text: '7 d' },
  { ms: 50 * 3_600_000, text: '2 d 2 h' },
])('$ms ms is $text', ({ ms, text }) => expect(span(ms)).toBe(text))

test('no line ends between a figure and its unit, and words are left alone', () => {
  expect(whole('fails 100 % of 6 requests for 3 min, saw 200 since 06:41:42 UTC, 2 so far')).toBe(
    'fails 100\u00a0% of 6 requests for 3\u00a0min, saw 200 since 06:41:42\u00a0UTC, 2 so far',
  )
})

const advisory = {
  alertId: 'front-down:advisory',
  ruleId: 'front-down',
  service: 'shop',
  labels: { service: 'shop', severity: 'advisory' },
  state: 'firing' as const,
  standing: 'firing' as const,
  activeAtMs: start,
  sinceMs: start,
  reason: 'quorum-not-met',
  summary: `front fails ${hostile}`,
  flaps: 2,
}

test('an advisory is shown beside the incidents, and says that nobody is paged', () => {
  const text = incidentsPage([], [advisory], start + 60_000)
  expect(text).toContain('Advisories: nobody is paged')
  expect(text).toContain('for 1\u00a0min')
  expect(text).not.toContain(hostile)
  expect(incidentsPage([], [], start)).not.toContain('Advisories')
})

test('alerts are metrics with their state, advisories too', () => {
  const text = metricsText([], [advisory, { ...advisory, alertId: 'front-down', standing: 'held' }])
  expect(text).toContain(
    'whodunit_alert{alertname="front-down:advisory",service="shop",severity="advisory",alertstate="firing"} 1',
  )
  expect(text).toContain('alertname="front-down",service="shop",severity="advisory",alertstate="held"')
  expect(text).toContain('whodunit_alert_flaps{alertname="front-down:advisory",service="shop"} 2')
})
