import type { Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ReceivedView } from '../functions/api/received.ts'
import type { ApiWorld } from '../functions/api/step.ts'
import { type ReceiveResult, receiveStep } from '../functions/api/step-receive.ts'
import { type Access, entryOf, isReadOnly, readOnly } from './access.ts'

export type AlertsWorld = ApiWorld & {
  access: Access
  config: { alertmanager?: ReceivedView['alertmanager'] | undefined; services?: ReceivedView['services'] }
}

export const alertsPath = '/api/v2/alerts'

/** A Prometheus server sends at most 256 alerts at once, of about a kilobyte each. */
const bodyLimitBytes = 2 * 1024 * 1024

const notConfigured = 'this whodunit takes no alerts: write `alertmanager: {}` into its config'

const said = (context: Context, code: 400 | 401 | 403 | 404 | 413 | 415 | 503, why: readonly string[]) =>
  context.json({ status: 'error', error: why.slice(0, 20).join('; ') }, code)

const answer = (context: Context, result: ReceiveResult) => {
  switch (result.status) {
    case 'accepted':
      return context.json({
        status: 'success',
        accepted: result.alerts,
        ...(result.unmapped.length > 0 && { unmapped: result.unmapped.slice(0, 20) }),
      })
    case 'refused':
      return said(context, 400, [...result.why.slice(0, 19), `${result.accepted} alerts were accepted`])
    case 'busy':
      return said(context, 503, ['too much at once: send them again'])
    default:
      return result satisfies never
  }
}

/** Where a Prometheus server posts its alerts, as to Alertmanager's API version 2. */
export const addAlerts = (app: Hono, world: AlertsWorld) => {
  const { alertmanager, services = {} } = world.config
  app.post(
    alertsPath,
    bodyLimit({ maxSize: bodyLimitBytes, onError: (context) => said(context, 413, ['the body is larger than 2 MiB']) }),
    async (context) => {
      const entry = await entryOf(world, { authorization: context.req.header('authorization') })
      if (entry.status !== 'allowed') {
        context.header('www-authenticate', 'Bearer realm="whodunit"')
        return said(context, 401, ['the API token is missing or wrong: Authorization: Bearer …'])
      }
      if (isReadOnly(world.access)) return said(context, 403, [readOnly.message, readOnly.hint])
      if (alertmanager === undefined) return said(context, 404, [notConfigured])
      // A page elsewhere can make a browser post a form, but no JSON.
      if (!/^application\/json\b/i.test(context.req.header('content-type') ?? ''))
        return said(context, 415, ['the body must be application/json'])
      let body: unknown
      try {
        body = await context.req.json()
      } catch {
        return said(context, 400, ['the body is not JSON'])
      }
      return answer(context, await receiveStep({ ...world, view: { alertmanager, services } })(body))
    },
  )
}
