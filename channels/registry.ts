import * as z from 'zod'
import type { Grant } from '../config/contract.ts'
import type { DeliveryOrder } from '../functions/contract.ts'
import type { ChannelWorld, DeliveryResult, Message, Rendered } from './contract.ts'
import { consoleChannel } from './kinds/console.ts'
import { snsChannel } from './kinds/sns.ts'
import { statuspageWebhookChannel } from './kinds/statuspage-webhook.ts'
import { webhookChannel } from './kinds/webhook.ts'

export const channelKinds = [consoleChannel, snsChannel, statuspageWebhookChannel, webhookChannel] as const

export const channelSpec = z.discriminatedUnion('kind', [
  consoleChannel.schema,
  snsChannel.schema,
  statuspageWebhookChannel.schema,
  webhookChannel.schema,
])
export type ChannelSpec = z.output<typeof channelSpec>

/** Renders a message for its channel, once. */
export const renderMessage = (spec: ChannelSpec, message: Message): Rendered => {
  switch (spec.kind) {
    case 'console':
      return consoleChannel.render(spec, message)
    case 'sns':
      return snsChannel.render(spec, message)
    case 'statuspage-webhook':
      return statuspageWebhookChannel.render(spec, message)
    case 'webhook':
      return webhookChannel.render(spec, message)
    default:
      return spec satisfies never
  }
}

/** One attempt to send what was rendered. */
export const sendRendered = (
  spec: ChannelSpec,
  order: DeliveryOrder,
  rendered: Rendered,
  world: ChannelWorld,
): Promise<DeliveryResult> => {
  switch (spec.kind) {
    case 'console':
      return consoleChannel.send(spec, order, rendered, world)
    case 'sns':
      return snsChannel.send(spec, order, rendered, world)
    case 'statuspage-webhook':
      return statuspageWebhookChannel.send(spec, order, rendered, world)
    case 'webhook':
      return webhookChannel.send(spec, order, rendered, world)
    default:
      return spec satisfies never
  }
}

/** Who a channel of this kind speaks to. */
export const audience = (spec: ChannelSpec): 'people' | 'status' =>
  channelKinds.find(({ kind }) => kind === spec.kind)?.audience ?? 'people'

/** Does it reach people only where there is a terminal, as there is none on AWS? */
export const needsTerminal = (spec: ChannelSpec): boolean =>
  channelKinds.some((one) => one.kind === spec.kind && one.needsTerminal === true)

/** What sending through this channel needs of IAM, where it is not the deployment's own. */
export const channelGrants = (spec: ChannelSpec): readonly Grant[] => {
  switch (spec.kind) {
    case 'sns':
      return snsChannel.grants?.(spec) ?? []
    case 'console':
    case 'statuspage-webhook':
    case 'webhook':
      return []
    default:
      return spec satisfies never
  }
}
