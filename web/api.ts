import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type * as z from 'zod'
import { acknowledged } from '../functions/api/silences.ts'
import { type ApiWorld, acknowledgeStep } from '../functions/api/step.ts'
import { endSilenceStep, listSilences, silenceStep, suggestIncident } from '../functions/api/step-silences.ts'
import { acknowledgeBody, type Refusal, silenceBody } from '../functions/api-contract.ts'
import { type Access, entryOf } from './access.ts'

/** Twenty matchers of the longest kind, a reason and a name. */
const bodyLimitBytes = 16 * 1024

type ErrorStatus = 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 500

const fail = (context: Context, status: ErrorStatus, error: { code: string; message: string; hint: string }) =>
  context.json({ error }, status)

const statusOf = ({ code }: Refusal): ErrorStatus => {
  if (code === 'unknown-incident' || code === 'unknown-silence') return 404
  return code === 'incident-over' || code === 'maintenance-window' || code === 'too-many' ? 409 : 422
}

/** Browsers say which page sent a request; one of another place has no business here. A program says nothing. */
const isForeign = (context: Context): boolean => {
  const origin = context.req.header('origin')
  if (origin === undefined) return false
  return !URL.canParse(origin) || new URL(origin).host !== context.req.header('host')
}

const wrongBody = (error: z.ZodError) => {
  const [issue] = error.issues
  const place = issue?.path.length ? `${issue.path.join('.')}: ` : ''
  return `${place}${issue?.message ?? 'it cannot be read'}`
}

/** A JSON body of this shape, or the answer that says what is wrong with it. No form of another page can send one. */
const readBody = async <T>(context: Context, schema: z.ZodType<T>): Promise<T | Response> => {
  const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') {
    const message = 'the body must be JSON'
    return fail(context, 415, { code: 'not-json', message, hint: 'send content-type: application/json' })
  }
  const data: unknown = await context.req.json().catch(() => undefined)
  if (data === undefined) {
    return fail(context, 400, { code: 'not-json', message: 'the body is no JSON', hint: 'send one JSON object' })
  }
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  const hint = 'docs/alerting.md says what it takes'
  return fail(context, 400, { code: 'wrong-body', message: wrongBody(parsed.error), hint })
}

const addSilences = (api: Hono, world: ApiWorld) => {
  const silence = silenceStep(world)
  const end = endSilenceStep(world)
  api.get('/silences', async (context) => context.json({ silences: await listSilences(world) }))
  api.post('/silences', async (context) => {
    const body = await readBody(context, silenceBody)
    if (body instanceof Response) return body
    const result = await silence(body)
    return result.ok ? context.json(result.answer, 202) : fail(context, statusOf(result.refusal), result.refusal)
  })
  api.delete('/silences/:id', async (context) => {
    const by = (context.req.query('by') ?? '').trim().slice(0, 100) || 'somebody with the API token'
    const result = await end({ id: context.req.param('id'), by })
    return result.ok ? context.json(result.answer, 202) : fail(context, statusOf(result.refusal), result.refusal)
  })
}

const addAcknowledge = (api: Hono, world: ApiWorld) => {
  const acknowledge = acknowledgeStep(world)
  api.post('/incidents/:id/acknowledge', async (context) => {
    const body = await readBody(context, acknowledgeBody)
    if (body instanceof Response) return body
    const incidentId = context.req.param('id')
    const now = await acknowledge({ incidentId, by: body.by })
    if (now.status === 'gone') return fail(context, 404, await suggestIncident(world.store, incidentId))
    return context.json(acknowledged(now), now.status === 'pending' ? 202 : 200)
  })
}

/** What programs may ask: JSON in, JSON out, for whoever shows the API token, or for everyone on one's own machine. */
export const apiApp = (world: ApiWorld & { access: Access }): Hono => {
  const api = new Hono()
  api.use(async (context, next) => {
    const { status } = await entryOf(world, { authorization: context.req.header('authorization') })
    if (status !== 'allowed') {
      context.header('www-authenticate', 'Bearer realm="whodunit"')
      const hint = 'send "Authorization: Bearer …" with the token that the config names as api.token'
      return fail(context, 401, { code: 'no-token', message: 'this needs the API token', hint })
    }
    if (context.req.method !== 'GET' && isForeign(context)) {
      const message = 'a page of another origin asked for this'
      return fail(context, 403, { code: 'foreign-origin', message, hint: 'send it from a program, without Origin' })
    }
    return next()
  })
  const tooLarge = { code: 'too-large', message: 'the body is too large', hint: `send at most ${bodyLimitBytes} bytes` }
  api.use(bodyLimit({ maxSize: bodyLimitBytes, onError: (context) => fail(context, 413, tooLarge) }))
  addSilences(api, world)
  addAcknowledge(api, world)
  api.all('*', (context) =>
    fail(context, 404, { code: 'unknown-address', message: 'there is nothing here', hint: 'see docs/alerting.md' }),
  )
  api.onError((error, context) => {
    world.warn(`a request failed: ${error.message}`)
    const hint = 'nothing is lost: try again in a moment'
    return fail(context, 500, { code: 'failed', message: 'something went wrong here', hint })
  })
  return api
}
