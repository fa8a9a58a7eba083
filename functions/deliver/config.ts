import type { ChannelWorld, DeliveryResult } from '../../channels/contract.ts'
import { renderMessage, sendRendered } from '../../channels/registry.ts'
import type { Config } from '../../config/schema.ts'
import type { Store } from '../../stores/contract.ts'
import { type MessageLinks, messageLinks } from '../api/links.ts'
import { worstOf } from '../component-status.ts'
import { type ComponentStatus, type DeliveryOrder, keys } from '../contract.ts'
import { component } from '../hub-state.ts'
import { hubSigner } from '../link-key.ts'
import { attemptTimeoutMs, type DeliverWorld, overdue } from './step.ts'

type Outside = Omit<ChannelWorld, 'signal'> & {
  /** Asked once for each message, when it is rendered: the links hold the time they end. */
  links: (order: DeliveryOrder) => Promise<MessageLinks>
  statusPageUrl: string | undefined
  /** The worst status of all services, asked when a component's change is rendered; undefined when none is known to fail. */
  worst: (order: DeliveryOrder) => Promise<ComponentStatus | undefined>
}

type LinkWorld = {
  store: Store
  /** Where people reach `api`; nobody can while it is undefined. */
  baseUrl: string | undefined
  nowMs: () => number
  randomBytes: (length: number) => Uint8Array
  warn: (text: string) => void
}

/** The links of this hub's pages. A page goes out without links rather than not at all. */
export const linksOf =
  ({ store, baseUrl, nowMs, randomBytes, warn }: LinkWorld): Outside['links'] =>
  async (order) => {
    if (baseUrl === undefined) return {}
    try {
      const signer = await hubSigner(store, randomBytes)
      return signer ? messageLinks(signer, order, { baseUrl, nowMs: nowMs() }) : {}
    } catch (error) {
      warn(`${order.id} has no links: ${error instanceof Error ? error.message : String(error)}`)
      return {}
    }
  }

type WorstWorld = {
  store: Store
  /** The ids of all services in the config. */
  services: readonly string[]
  warn: (text: string) => void
}

/**
 * The worst status of all services when a component's change is told. Undefined when none is known to fail: a service
 * that nobody can look at is not well for that. A change is told without it rather than not at all.
 */
export const worstStatus =
  ({ store, services, warn }: WorstWorld) =>
  async ({ id, component: changed }: DeliveryOrder): Promise<ComponentStatus | undefined> => {
    if (!changed) return undefined
    try {
      const others = services.filter((service) => service !== changed.id)
      const items = await store.read(others.map(keys.component))
      const known = [...items.values()].map(({ value }) => component.parse(value).status)
      const worst = worstOf([changed.to, ...known])
      return worst === 'operational' ? undefined : worst
    } catch (error) {
      warn(`${id} is told without the other components: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }

/** The config with the topics that were made for its channels, by channel id. */
export const deployedTopics = (config: Config, topics: Readonly<Record<string, string>>): Config => {
  const channels = Object.entries(config.channels).map(([id, spec]) => {
    const topicArn = Object.hasOwn(topics, id) ? topics[id] : undefined
    const lacksOne = spec.kind === 'sns' && spec.topicArn === undefined && topicArn !== undefined
    return [id, lacksOne ? { ...spec, topicArn } : spec] as const
  })
  return { ...config, channels: Object.fromEntries(channels) }
}

/** Channels whose topic only a deployment makes: where there is none they refuse every page. */
export const withoutTopic = (config: Config): string[] =>
  Object.entries(config.channels).flatMap(([id, spec]) =>
    spec.kind === 'sns' && spec.topicArn === undefined ? [id] : [],
  )

const late: DeliveryResult = {
  status: 'retry',
  cause: `no answer within ${attemptTimeoutMs / 1000} s`,
  mayHaveArrived: true,
}

/** A channel that ignores its signal must not hold the lease for ever. */
const within = async (signal: AbortSignal, attempt: Promise<DeliveryResult>): Promise<DeliveryResult> => {
  const { promise, resolve } = Promise.withResolvers<DeliveryResult>()
  const onAbort = () => setImmediate(() => resolve(late))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([attempt, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** The config's channels as `deliver` uses them. */
export const deliverChannels = (
  config: Config,
  outside: Outside,
): Pick<DeliverWorld, 'render' | 'send' | 'kindOf' | 'ratePerMinute'> => ({
  kindOf: (channel) => config.channels[channel]?.kind,
  ratePerMinute: (channel) => config.channels[channel]?.ratePerMinute,
  render: async ({ order, caseFile }) => {
    const spec = config.channels[order.channel]
    if (!spec) return undefined
    const [links, worst] = await Promise.all([outside.links(order), outside.worst(order)])
    const url = outside.statusPageUrl
    const { owner, runbook } = config.services[order.service] ?? {}
    return renderMessage(spec, {
      order,
      statusPage: {
        id: 'whodunit',
        name: config.statusPage.title,
        ...(url === undefined ? {} : { url }),
        ...(worst && { worst }),
      },
      ...(caseFile ? { caseFile } : {}),
      ...links,
      ...(owner ? { owner } : {}),
      ...(runbook === undefined ? {} : { runbook }),
    })
  },
  send: async (order, rendered, beginByMs) => {
    if (outside.nowMs() > beginByMs) return overdue
    const spec = config.channels[order.channel]
    if (!spec) return { status: 'rejected', cause: 'the channel is not in the config' }
    const signal = AbortSignal.timeout(attemptTimeoutMs)
    const { nowMs, secret, print } = outside
    return within(signal, sendRendered(spec, order, rendered, { nowMs, secret, print, signal }))
  },
})
