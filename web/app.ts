import { Hono } from 'hono'
import { html } from 'hono/html'
import { type Incident, incident, keys } from '../functions/contract.ts'
import { latestOutcomes, type MonitorView } from '../functions/latest-outcomes.ts'
import { readHub, statusPageKey } from '../functions/publish/step.ts'
import type { Blobs, Store } from '../stores/contract.ts'
import { type CaseFile, caseFile } from '../triage/contract.ts'
import { incidentPage, incidentsPage } from './incident-page.ts'
import { page } from './layout.ts'
import { metricsText } from './metrics.ts'

export type AppWorld = {
  store: Store
  blobs: Blobs
  nowMs: () => number
  config: { shards: number; locations: readonly string[]; monitors: readonly MonitorView[] }
}

const headers = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

const findIncident = async (store: Store, id: string): Promise<Incident | undefined> => {
  const item = (await store.read([keys.incident(id)])).get(keys.incident(id))
  return item && incident.parse(item.value)
}

const findCaseFiles = async (store: Store, ids: readonly string[]): Promise<Map<string, CaseFile>> => {
  const items = await store.read(ids.map(keys.caseFile))
  return new Map([...items.values()].map(({ value }) => caseFile.parse(value)).map((one) => [one.incidentId, one]))
}

const listed = async (store: Store) => {
  const { incidents } = await readHub(store)
  const caseFiles = await findCaseFiles(
    store,
    incidents.map(({ id }) => id),
  )
  return incidents.map((one) => ({ incident: one, caseFile: caseFiles.get(one.id) }))
}

/** A page of one sentence, with the way back. */
const sentencePage = (text: string, nowMs: number, refreshSeconds?: number) =>
  page(
    {
      title: text,
      atMs: nowMs,
      links: [
        ['/', 'status page'],
        ['/incidents', 'incidents'],
      ],
      ...(refreshSeconds === undefined ? {} : { refreshSeconds }),
    },
    html`<h1>${text}</h1>`,
  )

/** The pages and `/metrics`: the same application behind `whodunit serve` and a Function URL. */
export const webApp = ({ store, blobs, nowMs, config }: AppWorld): Hono => {
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    for (const [name, value] of Object.entries(headers)) context.header(name, value)
  })
  app.get('/', async (context) => {
    const bytes = await blobs.get(statusPageKey)
    return bytes
      ? context.html(new TextDecoder().decode(bytes))
      : context.html(sentencePage('The status page is not written yet.', nowMs(), 5), 503)
  })
  app.get('/incidents', async (context) => context.html(incidentsPage(await listed(store), nowMs())))
  app.get('/incidents/:id', async (context) => {
    const id = context.req.param('id')
    const found = await findIncident(store, id)
    if (!found) return context.html(sentencePage(`There is no incident ${id}.`, nowMs()), 404)
    return context.html(incidentPage(found, (await findCaseFiles(store, [id])).get(id), nowMs()))
  })
  app.get('/metrics', async (context) =>
    context.text(metricsText(await latestOutcomes(store, config)), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    }),
  )
  app.notFound((context) => context.html(sentencePage('There is no such page.', nowMs()), 404))
  return app
}
