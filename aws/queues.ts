import type { SQSClient } from '@aws-sdk/client-sqs'
import type * as z from 'zod'
import { type Nudge, type Observation, pulseGroup, type QueueMessage } from '../functions/contract.ts'
import { secondOpinionOf, shardOfTimer } from '../functions/row-ids.ts'
import type { Environment, queueUrls } from './contract.ts'
import { deduplicationId, fittingMessages, nudgeId } from './messages.ts'
import { type Outgoing, sendAll, type Unsent } from './send.ts'

type Queues = z.output<typeof queueUrls>

export type NudgeOptions = {
  /** Of the hub's region. */
  client: SQSClient
  queues: Queues
  probeQueues: Environment['WHODUNIT_PROBE_QUEUES']
  /** A client of another region; needed where second opinions are asked for. */
  clientIn?: (region: string) => SQSClient
  nowMs: () => number
  /** Told what was not taken; the sweep will bring it. Without it the call rejects. */
  lost?: (unsent: readonly Unsent[]) => void
}

/** Nobody waits longer for a queue after a commit. */
const nudgeTimeoutMs = 3000
const observationTimeoutMs = 10_000
/** SQS' limit. A message that comes early is delayed again by whoever gets it. */
const longestDelayMs = 900_000

/** `alert-changes` is one FIFO group: there is one hub. */
const hubGroup = 'hub'

type Addressed = { client: SQSClient; url: string; message: Outgoing } | { unsent: Unsent }

const delayed = (afterMs: number) =>
  afterMs > 0 ? { delaySeconds: Math.ceil(Math.min(afterMs, longestDelayMs) / 1000) } : {}

const rowMessage = (rowId: string): string => JSON.stringify({ rowId } satisfies QueueMessage)

const fifo = (group: string, id: string) => ({ group, deduplicationId: deduplicationId(id) })

const timer = ({ rowId }: Nudge, id: string): Outgoing => {
  const shard = shardOfTimer(rowId)
  const body: Observation = { kind: 'timer', id, shard, rowId }
  return { id: rowId, body: JSON.stringify(body), ...fifo(shard, id) }
}

const toProbe = ({ rowId, afterMs }: Nudge, options: NudgeOptions): Addressed => {
  const location = secondOpinionOf(rowId)?.location
  const queue = location === undefined ? undefined : options.probeQueues[location]
  if (!queue) return { unsent: { id: rowId, cause: `no queue is known for location ${location ?? 'of this row'}` } }
  const client = options.clientIn?.(queue.region) ?? options.client
  return { client, url: queue.url, message: { id: rowId, body: rowMessage(rowId), ...delayed(afterMs) } }
}

const addressed = (nudge: Nudge, options: NudgeOptions): Addressed => {
  const { client, queues } = options
  const { to, rowId, afterMs } = nudge
  const id = nudgeId(nudge, options.nowMs())
  switch (to) {
    case 'probe':
      return toProbe(nudge, options)
    case 'evaluate':
      return { client, url: queues.observations, message: timer(nudge, id) }
    case 'correlate':
      return {
        client,
        url: queues['alert-changes'],
        message: { id: rowId, body: rowMessage(rowId), ...fifo(hubGroup, id) },
      }
    default:
      return { client, url: queues[to], message: { id: rowId, body: rowMessage(rowId), ...delayed(afterMs) } }
  }
}

/** A FIFO queue delays no message by itself, and would hand this one out too early: its time is the sweep's to keep. */
const isForTheSweep = ({ to, afterMs }: Nudge) => (to === 'correlate' || to === 'evaluate') && afterMs > 0

/**
 * Nudges as SQS messages. It never rejects after a commit (unless there is no `lost` to tell): what happened has happened,
 * a caller that failed now would do it again, and the sweep finds what a lost nudge left behind.
 */
export const sqsNudges =
  (options: NudgeOptions) =>
  async (nudges: readonly Nudge[]): Promise<void> => {
    const unsent: Unsent[] = []
    const byQueue = new Map<string, { client: SQSClient; messages: Outgoing[] }>()
    for (const nudge of nudges.filter((one) => !isForTheSweep(one))) {
      const to = addressed(nudge, options)
      if ('unsent' in to) {
        unsent.push(to.unsent)
        continue
      }
      const queue = byQueue.get(to.url) ?? { client: to.client, messages: [] }
      queue.messages.push(to.message)
      byQueue.set(to.url, queue)
    }
    const answers = await Promise.all(
      [...byQueue].map(([url, { client, messages }]) => sendAll({ client, url, timeoutMs: nudgeTimeoutMs }, messages)),
    )
    unsent.push(...answers.flat())
    if (unsent.length === 0) return
    if (!options.lost) throw new LostMessages(unsent)
    options.lost(unsent)
  }

/** Messages that SQS did not take, and that nobody else will bring. */
export class LostMessages extends Error {
  override name = 'LostMessages'
  readonly code = 'not-sent'
  constructor(unsent: readonly Unsent[]) {
    const shown = unsent.slice(0, 5).map(({ id, cause }) => `${id} (${cause})`)
    super(`${unsent.length} not sent: ${shown.join(', ')}${unsent.length > shown.length ? ', …' : ''}`)
  }
}

/** Sends observations to `evaluate`, each in as many messages as it needs. Rejects with what was lost. */
export const sqsSender =
  ({ client, url }: { client: SQSClient; url: string }) =>
  async (observation: Observation): Promise<void> => {
    const messages = fittingMessages(observation).map(({ id, body }) => ({ id, body, ...fifo(observation.shard, id) }))
    const unsent = await sendAll({ client, url, timeoutMs: observationTimeoutMs }, messages)
    if (unsent.length > 0) throw new LostMessages(unsent)
  }

/** Hands the hub's pulse to the next function on its way. Rejects when it was not taken: then no pulse is the truth. */
export const sqsPulse =
  ({ client, url }: { client: SQSClient; url: string }) =>
  async (pulseAtMs: number): Promise<void> => {
    const body = JSON.stringify({ pulseAtMs } satisfies QueueMessage)
    const id = `${pulseGroup}:${pulseAtMs}`
    const message = { id, body, ...(url.endsWith('.fifo') ? fifo(hubGroup, id) : {}) }
    const unsent = await sendAll({ client, url, timeoutMs: nudgeTimeoutMs }, [message])
    if (unsent.length > 0) throw new LostMessages(unsent)
  }

/** The observation that starts a pulse. */
export const pulse = (atMs: number): Observation => ({
  kind: 'pulse',
  id: `${pulseGroup}:${atMs}`,
  shard: pulseGroup,
  atMs,
})
