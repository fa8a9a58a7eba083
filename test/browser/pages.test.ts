import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { acknowledgePath, acknowledgeToken, linkKeepMs } from '../../functions/api/links.ts'
import { keys, statusPageKey } from '../../functions/contract.ts'
import { correlateStep } from '../../functions/correlate/step.ts'
import type { Incident, Silence } from '../../functions/hub-state.ts'
import { hubSigner, linkSigner } from '../../functions/link-key.ts'
import { memoryBlobs, memoryStore } from '../../stores/memory.ts'
import type { CaseFile } from '../../triage/contract.ts'
import { everyone } from '../../web/access.ts'
import { webApp } from '../../web/app.ts'
import { statusPage } from '../../web/status-page.ts'
import { firingAlert, hubView, openIncident, start } from '../functions/builders.ts'
import { type Browser, chromiumPath, startChromium } from './chromium.ts'
import { survey } from './survey.ts'

const browserTest = chromiumPath ? test : test.skip

const long = `/api/vote?choice=${'x'.repeat(300)}`

const incident = openIncident({
  id: 'web-20261123-060000',
  service: 'web',
  alerts: {
    a: firingAlert({
      ruleId: 'a',
      summary: `GET ${long} fails`,
      mute: { kind: 'dependency', ref: 'db-20261123-055500' },
    }),
  },
  affects: Array.from({ length: 40 }, (_, at) => `a-dependent-service-with-a-name-${at}`),
  counts: { alerts: 1, firing: 1, audible: 1 },
  caseFile: true,
  timeline: [
    { atMs: start, what: 'opened', reason: 'first-alert' },
    { atMs: start + 1000, what: 'case file stored' },
  ],
})
const taken: Incident = {
  ...incident,
  id: 'web-4',
  status: 'acknowledged',
  acknowledged: { by: `somebody with ${long}`, atMs: start + 30_000 },
}
const resolved: Incident = { ...incident, id: 'web-2', status: 'resolved', resolvedAtMs: start + 60_000 }
const unanswered: Incident = { ...incident, id: 'web-3', caseFile: false }

const caseFile: CaseFile = {
  incidentId: incident.id,
  atMs: start + 1000,
  headline: `voting: route ${long} fails`,
  answers: (['ok', 'bad', 'suspicious', 'unknown'] as const).map((verdict) => ({
    question: verdict,
    title: `Is it ${verdict}?`,
    verdict,
    headline: `it is ${verdict}`,
    evidence: Array.from({ length: 9 }, (_, at) => ({ says: `fact ${at} ${long}`, quote: `log line ${at} ${long}` })),
    tookMs: 3,
  })),
  suspects: [
    {
      accused: { kind: 'workload', name: 'voting' },
      cause: 'failing-route',
      score: 0.84,
      headline: `voting: route ${long} fails`,
      for: [`route ${long} fails`],
      against: ['all pods are ready'],
      owner: { team: 'voting', role: 'developers', contact: 'voting@example.com' },
      runbook: `https://runbooks.example${long}`,
    },
  ],
}

const nowMs = () => start + 90_000

const silence: Silence = {
  id: 's-abcdef',
  matchers: [`service=${'payments-'.repeat(12)}`, 'severity=~"page|ticket"'],
  author: 'kim',
  reason: `a new ${long}`,
  startsAtMs: start,
  endsAtMs: start + 7_200_000,
  incidentId: incident.id,
  hid: [{ incidentId: incident.id, service: 'db', sinceMs: start }],
  hidCount: 3,
}
const warnings: string[] = []
const key = new Uint8Array(32).fill(4)
const linkTo = (incidentId: string, expiresAtMs = start + linkKeepMs) =>
  acknowledgePath(acknowledgeToken(linkSigner(key), { incidentId, channel: 'pager', expiresAtMs }))

const pages = async () => {
  const store = memoryStore({ nowMs })
  const blobs = memoryBlobs()
  const all = [incident, resolved, unanswered, taken]
  const hub = { open: { web: incident.id }, components: {}, recent: all.map(({ id }) => id) }
  await store.commit(
    [
      { key: keys.hub, expect: 0, value: hub },
      { key: keys.silences, expect: 0, value: { silences: [silence] } },
      ...all.map((one) => ({ key: keys.incident(one.id), expect: 0, value: one })),
      { key: keys.caseFile(incident.id), expect: 0, value: caseFile },
      { key: keys.caseFile(resolved.id), expect: 0, value: { ...caseFile, incidentId: resolved.id } },
    ],
    [],
  )
  const component = { id: 'web', status: 'major_outage' as const, sinceMs: start }
  const view = {
    title: 'Emoji Vote',
    atMs: nowMs(),
    overall: component.status,
    components: [component, { id: 'voting', status: 'unknown' as const }, { id: 'x', status: 'operational' as const }],
    open: [{ id: incident.id, service: 'web', sinceMs: start, status: component.status, firing: true }],
    past: [{ id: resolved.id, service: 'web', sinceMs: start, resolvedAtMs: start + 60_000 }],
  }
  await blobs.put(statusPageKey, new TextEncoder().encode(statusPage(view)))
  await hubSigner(store, () => key)
  return webApp({
    store,
    blobs,
    nowMs,
    nudge: async (nudges) => {
      const correlate = correlateStep({ store, nowMs, nudge: async () => undefined, view: hubView([]) })
      await correlate(nudges.map(({ rowId }) => rowId))
    },
    warn: (text) => warnings.push(text),
    config: { locations: ['local'], monitors: [] },
    access: everyone,
  })
}

let browser: Browser | undefined
let server: ReturnType<typeof serve> | undefined
let base = ''

beforeAll(async () => {
  if (!chromiumPath) return
  browser = await startChromium(chromiumPath)
  server = serve({ fetch: (await pages()).fetch, hostname: '127.0.0.1', port: 0 })
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server has one
  base = `http://127.0.0.1:${port}`
})
afterAll(async () => {
  await browser?.close()
  server?.close()
})

const paths = [
  '/',
  '/incidents',
  '/silences',
  ...[incident, resolved, unanswered, taken].flatMap(({ id }) => [`/incidents/${id}`, linkTo(id)]),
  linkTo('web-9'),
  linkTo(incident.id, start),
  '/acknowledge/forged',
  '/nowhere',
]

browserTest.each(
  paths.flatMap((path) => [
    { path, width: 390, dark: false, scheme: 'light' },
    { path, width: 1280, dark: true, scheme: 'dark' },
  ]),
)('$path fits $width columns and can be read when it is $scheme', async ({ path, width, dark }) => {
  const seen = await browser?.look({ url: `${base}${path}`, width, dark }, survey)
  expect(seen).toMatchObject({ sticksOut: 0, lang: 'en', titled: true, mains: 1, h1s: 1, headless: 0, scripts: 0 })
  expect(seen).toMatchObject({ smallLinks: 0 })
  expect((seen as { worstContrast: number }).worstContrast).toBeGreaterThanOrEqual(4.5) // the survey's own shape
})

browserTest('the suspect comes before the checklist, the timeline comes last', async () => {
  const expression = `[...document.querySelectorAll('h2')].map((each) => each.textContent)`
  const seen = await browser?.look({ url: `${base}/incidents/${incident.id}`, width: 390, dark: false }, expression)
  expect(seen).toEqual([
    'Prime suspect',
    'What fails, seen from outside',
    'Fails because of it, or with it',
    'Checklist',
    'Timeline',
  ])
})

browserTest('the checklist says its verdicts in words, and long evidence is folded', async () => {
  const expression = `({
    marks: [...document.querySelectorAll('.plain .mark')].map((each) => each.textContent),
    folded: [...document.querySelectorAll('details')].map(({ open }) => open),
    links: [...document.querySelectorAll('.prime a')].map(({ href }) => href.slice(0, 24)),
  })`
  const seen = await browser?.look({ url: `${base}/incidents/${incident.id}`, width: 390, dark: false }, expression)
  expect(seen).toEqual({
    marks: ['✓ ok', '✕ bad', '▲ suspicious', '? unknown'],
    folded: [false, false, false, false, false],
    links: ['mailto:voting@example.co', 'https://runbooks.example'],
  })
})

browserTest('a thumb on the button acknowledges; reloading does nothing more', async () => {
  const seen = `({
    marks: [...document.querySelectorAll('.mark')].map((each) => each.textContent),
    buttons: [...document.querySelectorAll('button')].map((each) => each.textContent),
    path: location.pathname,
  })`
  const at = { url: `${base}${linkTo(unanswered.id)}`, width: 390, dark: false }
  const path = linkTo(unanswered.id)
  expect(await browser?.look(at, seen)).toEqual({ marks: ['✕ open'], buttons: ['Acknowledge'], path })
  const done = { marks: ['▲ acknowledged', '✓ acknowledged'], buttons: [], path }
  expect(await browser?.follow(`document.querySelector('button').click()`, seen)).toEqual(done)
  expect(await browser?.follow('location.reload()', seen)).toEqual(done)
  expect(warnings).toEqual([])
})
