import * as z from 'zod'
import type { ComponentStatus } from '../../functions/contract.ts'
import { defineChannel, type Message } from '../contract.ts'
import { isoTime, oneLine } from '../plain-text.ts'
import { signedPost, signedPostFields } from '../signed-post.ts'

const text = (value: string): string => oneLine(value, 300)

/** The words Statuspage itself uses for the whole page. */
const pageStatus: Readonly<Record<ComponentStatus, { indicator: string; description: string }>> = {
  operational: { indicator: 'none', description: 'All Systems Operational' },
  degraded_performance: { indicator: 'minor', description: 'Partially Degraded Service' },
  partial_outage: { indicator: 'major', description: 'Partial System Outage' },
  major_outage: { indicator: 'critical', description: 'Major Service Outage' },
  under_maintenance: { indicator: 'maintenance', description: 'Service Under Maintenance' },
}

/** One component that is well again does not make "all systems operational": that needs the worst of all. */
const pageOf = ({ order, statusPage }: Message): { indicator: string; description: string } => {
  const to = statusPage.worst ?? order.component?.to ?? 'operational'
  const known = pageStatus[to]
  return to === 'operational' && statusPage.worst === undefined
    ? { ...known, description: `${text(order.component?.id ?? order.service)} is operational` }
    : known
}

/**
 * The body Statuspage's own component webhooks have, so that their receivers work unchanged. `render` cannot refuse:
 * a message without a component becomes an empty body, which `send` rejects.
 */
const bodyOf = (message: Message): string => {
  const { order, statusPage } = message
  if (order.event !== 'component-changed' || !order.component) return ''
  const { id, from, to } = order.component
  const page = pageOf(message)
  const url = statusPage.url ?? ''
  // A component changes while its incident goes on; orders of an earlier version say only when that began or was over.
  const createdAt = isoTime(order.atMs ?? order.resolvedAtMs ?? order.openedAtMs)
  return JSON.stringify({
    meta: { unsubscribe: url, documentation: url },
    page: { id: text(statusPage.id), status_indicator: page.indicator, status_description: page.description },
    component_update: {
      created_at: createdAt,
      new_status: to,
      old_status: from,
      id: text(order.id),
      component_id: text(id),
    },
    component: {
      id: text(id),
      name: text(order.service),
      status: to,
      created_at: createdAt,
      updated_at: createdAt,
      description: null,
      page_id: text(statusPage.id),
      group_id: null,
      group: false,
    },
  })
}

/** Tells the subscribers of the status page about one component, signed like `webhook`. */
export const statuspageWebhookChannel = defineChannel({
  kind: 'statuspage-webhook',
  schema: z.strictObject({ kind: z.literal('statuspage-webhook'), ...signedPostFields }),
  audience: 'status',
  render: (_spec, message) => ({ body: bodyOf(message), contentType: 'application/json' }),
  send: async (spec, order, rendered, world) => {
    if (order.event !== 'component-changed' || !order.component || rendered.body === '') {
      return { status: 'rejected', cause: `it tells component changes only, and this is "${order.event}"` }
    }
    return signedPost(spec, order, rendered, world)
  },
})
