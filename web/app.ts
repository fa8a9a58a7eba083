import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { alertsNow } from '../functions/alerts-now.ts'
import { acknowledgePath, incidentPath, judgeAcknowledgeToken, viewToken } from '../functions/api/links.ts'
import { type ApiWorld, acknowledgeStep, findIncident, standing } from '../functions/api/step.ts'
import { listSilences } from '../functions/api/step-silences.ts'
import { keys, statusPageKey } from '../functions/contract.ts'
import { latestOutcomes, type MonitorView } from '../functions/latest-outcomes.ts'
import { knownSigner } from '../functions/link-key.ts'
import { readHub } from '../functions/publish/step.ts'
import type { WindowReport } from '../functions/scrape/step.ts'
import type { Blobs, Store } from '../stores/contract.ts'
import { type CaseFile, caseFile } from '../triage/contract.ts'
import { type Access, entryOf, isServed, type Shown } from './access.ts'
import { acknowledgePage } from './acknowledge-page.ts'
import { type AlertsWorld, addAlerts, alertsPath } from './alerts-api.ts'
import { apiApp } from './api.ts'
import { incidentPage } from './incident-page.ts'
import { incidentsPage } from './incidents-page.ts'
import { type Histogram, metricsText } from './metrics.ts'
import { refusals, sentencePage } from './sentence-page.ts'
import { silencesPage } from './silences-page.ts'

export type AppWorld = ApiWorld & {
  blobs: Blobs
  config: { shards?: number; locations: readonly string[]; monitors: readonly MonitorView[] } & AlertsWorld['config']
  access: Access
  /** How late this process' own looks begin, where it looks itself. */
  lag?: () => Histogram | undefined
  /** The clusters' windows, where this process writes them. */
  windows?: () => ReadonlyMap<string, WindowReport>
}

const headers = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  // A link's token is in its address: it must not travel to a runbook's server.
  'referrer-policy': 'no-referrer',
}

const apiPath = '/api/v1'

/** No page reads a body: the button sends none. */
const bodyLimitBytes = 4096

const findCaseFiles = async (store: Store, ids: readonly string[]): Promise<Map<string, CaseFile>> => {
  const items = await store.read(ids.map(keys.caseFile))
  // One that cannot be read (a newer version wrote it) is as good as none: no page closes for it.
  const files = [...items.values()].flatMap(({ value }) => caseFile.safeParse(value).data ?? [])
  return new Map(files.map((one) => [one.incidentId, one]))
}

const listed = async (store: Store) => {
  const { incidents } = await readHub(store)
  const caseFiles = await findCaseFiles(
    store,
    incidents.map(({ id }) => id),
  )
  return incidents.map((one) => ({ incident: one, caseFile: caseFiles.get(one.id) }))
}

/** What is shown and pages nobody. */
const advisories = async (store: Store) =>
  (await alertsNow(store)).filter(({ labels, state }) => labels['severity'] === 'advisory' && state === 'firing')

type Refusal = keyof typeof refusals

const refuse = (context: Context, reason: Refusal, nowMs: number) => {
  const { code, text, more } = refusals[reason]
  if (code === 401) context.header('www-authenticate', 'Bearer realm="whodunit"')
  return context.html(sentencePage(text, nowMs, { more }), code)
}

/** What the people on call see: a page for whoever may, the reason for everybody else. */
const addPrivatePages = (app: Hono, world: AppWorld) => {
  const { store, nowMs, config } = world
  const enter = (context: Context, incident?: NonNullable<Shown['incident']>) =>
    entryOf(world, { authorization: context.req.header('authorization'), ...(incident ? { incident } : {}) })
  app.get('/incidents', async (context) => {
    const entry = await enter(context)
    if (entry.status !== 'allowed') return refuse(context, entry.status, nowMs())
    return context.html(incidentsPage(await listed(store), await advisories(store), nowMs()))
  })
  app.get('/incidents/:id', async (context) => {
    const id = context.req.param('id')
    const { status, ...entry } = await enter(context, { id, token: context.req.query('token') })
    if (status !== 'allowed') return refuse(context, status, nowMs())
    const found = await findIncident(store, id)
    if (!found) return context.html(sentencePage(`There is no incident ${id}.`, nowMs()), 404)
    return context.html(incidentPage(found, (await findCaseFiles(store, [id])).get(id), nowMs(), entry))
  })
  app.get('/silences', async (context) => {
    const entry = await enter(context)
    if (entry.status !== 'allowed') return refuse(context, entry.status, nowMs())
    return context.html(silencesPage(await listSilences(world), nowMs()))
  })
  app.get('/metrics', async (context) => {
    const entry = await enter(context)
    if (entry.status !== 'allowed') return refuse(context, entry.status, nowMs())
    const type = 'text/plain; version=0.0.4; charset=utf-8'
    const [outcomes, alerts] = await Promise.all([latestOutcomes(store, config), alertsNow(store)])
    const own = { lag: world.lag?.(), windows: world.windows?.() ?? new Map() }
    return context.text(metricsText(outcomes, alerts, own), 200, { 'content-type': type })
  })
}

/** Opening the link changes nothing, since mail scanners and chat previews open links; only the button's POST does. */
const addAcknowledge = (app: Hono, world: AppWorld) => {
  const { store, nowMs } = world
  const acknowledge = acknowledgeStep(world)
  const judged = async (token: string) => {
    const signer = await knownSigner(store)
    const judgement = signer ? judgeAcknowledgeToken(signer, { token, nowMs: nowMs() }) : undefined
    if (!signer || !judgement || judgement.status === 'forged') return { status: 'forged' } as const
    return judgement.status === 'valid' ? { ...judgement, signer } : judgement
  }
  app.get('/acknowledge/:token', async (context) => {
    const link = await judged(context.req.param('token'))
    if (link.status !== 'valid') return refuse(context, link.status, nowMs())
    const { incidentId, channel } = link
    const now = await standing(store, link)
    const incidentHref = incidentPath(incidentId, viewToken(link.signer, link))
    const file = (await findCaseFiles(store, [incidentId])).get(incidentId)
    const view = { standing: now, channel, incidentHref, caseFile: file, nowMs: nowMs() }
    return context.html(acknowledgePage(view), now.status === 'gone' ? 404 : 200)
  })
  app.post('/acknowledge/:token', async (context) => {
    const token = context.req.param('token')
    const link = await judged(token)
    if (link.status !== 'valid') return refuse(context, link.status, nowMs())
    await acknowledge(link)
    // Then a reload or "back" asks again and does nothing twice; the page says who was first.
    return context.redirect(acknowledgePath(token), 303)
  })
}

/** The pages and `/metrics`: the same application behind `whodunit serve` and a Function URL. */
export const webApp = (world: AppWorld): Hono => {
  const { blobs, nowMs, warn } = world
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    for (const [name, value] of Object.entries(headers)) context.header(name, value)
    if (context.req.path !== '/') context.header('cache-control', 'no-store')
  })
  const isProgram = (path: string) => path.startsWith(`${apiPath}/`) || path === alertsPath
  app.use((context, next) => {
    const host = context.req.header('host')
    if (isServed(world.access, host)) return next()
    const message = `This server does not answer to the name ${host}.`
    const hint = 'Start serve with --public-url and the address people use, or come by an address instead of a name.'
    const answer = isProgram(context.req.path)
      ? context.json({ error: { code: 'wrong-host', message, hint } }, 421)
      : context.html(sentencePage(message, nowMs(), { more: hint, links: [] }), 421)
    return Promise.resolve(answer)
  })
  const pageLimit = bodyLimit({
    maxSize: bodyLimitBytes,
    onError: (context) => context.html(sentencePage('That is more than anybody needs to send here.', nowMs()), 413),
  })
  // What programs send has limits of its own.
  app.use((context, next) => (isProgram(context.req.path) ? next() : pageLimit(context, next)))
  app.get('/', async (context) => {
    const bytes = await blobs.get(statusPageKey)
    if (bytes) return context.html(new TextDecoder().decode(bytes))
    return context.html(sentencePage('The status page is not written yet.', nowMs(), { refreshSeconds: 5 }), 503)
  })
  addPrivatePages(app, world)
  addAcknowledge(app, world)
  app.route(apiPath, apiApp(world))
  addAlerts(app, world)
  app.notFound((context) => context.html(sentencePage('There is no such page.', nowMs()), 404))
  app.onError((error, context) => {
    warn(`a page failed: ${error.message}`)
    const more = 'Nothing is lost: try again in a moment.'
    return context.html(sentencePage('Something went wrong here.', nowMs(), { more }), 500)
  })
  return app
}
