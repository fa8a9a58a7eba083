import type { ChannelWorld, DeliveryResult } from '../../channels/contract.ts'
import { renderMessage, sendRendered } from '../../channels/registry.ts'
import type { Config } from '../../config/schema.ts'
import { attemptTimeoutMs, type DeliverWorld } from './step.ts'

type Outside = Omit<ChannelWorld, 'signal'> & {
  incidentUrl: (incidentId: string) => string | undefined
  statusPageUrl: string | undefined
}

const late: DeliveryResult = { status: 'retry', cause: `no answer within ${attemptTimeoutMs / 1000} s` }

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
export const deliverChannels = (config: Config, outside: Outside): Pick<DeliverWorld, 'render' | 'send'> => ({
  render: ({ order, caseFile }) => {
    const spec = config.channels[order.channel]
    if (!spec) return undefined
    const incidentUrl = outside.incidentUrl(order.incidentId)
    const url = outside.statusPageUrl
    const { owner, runbook } = config.services[order.service] ?? {}
    return renderMessage(spec, {
      order,
      statusPage: { id: 'whodunit', name: config.statusPage.title, ...(url === undefined ? {} : { url }) },
      ...(caseFile ? { caseFile } : {}),
      ...(incidentUrl === undefined ? {} : { incidentUrl }),
      ...(owner ? { owner } : {}),
      ...(runbook === undefined ? {} : { runbook }),
    })
  },
  send: async (order, rendered) => {
    const spec = config.channels[order.channel]
    if (!spec) return { status: 'rejected', cause: 'the channel is not in the config' }
    const signal = AbortSignal.timeout(attemptTimeoutMs)
    const { nowMs, secret, print } = outside
    return within(signal, sendRendered(spec, order, rendered, { nowMs, secret, print, signal }))
  },
})
