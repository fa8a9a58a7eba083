import { Hono } from 'hono'
import { type Incident, incident, keys } from '../functions/contract.ts'
import { latestOutcomes, type MonitorView } from '../functions/latest-outcomes.ts'
import { readHub, statusPageKey } from '../functions/publish/step.ts'
import type { Blobs, Store } from '../stores/contract.ts'
import { caseFile } from '../triage/contract.ts'
import { incidentPage, incidentsPage } from './incident-page.ts'
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

const findCaseFile = async (store: Store, id: string) => {
  const item = (await store.read([keys.caseFile(id)])).get(keys.caseFile(id))
  return item && caseFile.parse(item.value)
}

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
      : context.text('The status page is not written yet.\n', 503)
  })
  app.get('/incidents', async (context) => context.html(incidentsPage((await readHub(store)).incidents, nowMs())))
  app.get('/incidents/:id', async (context) => {
    const id = context.req.param('id')
    const found = await findIncident(store, id)
    if (!found) return context.text(`There is no incident ${id}.\n`, 404)
    return context.html(incidentPage(found, await findCaseFile(store, id), nowMs()))
  })
  app.get('/metrics', async (context) =>
    context.text(metricsText(await latestOutcomes(store, config)), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    }),
  )
  app.notFound((context) => context.text('There is no such page.\n', 404))
  return app
}
