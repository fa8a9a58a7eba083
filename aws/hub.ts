import { SQSClient } from '@aws-sdk/client-sqs'
import type { Nudge } from '../functions/contract.ts'
import type { Store } from '../stores/contract.ts'
import type { BatchOptions } from './batch.ts'
import { clientOptions } from './clients.ts'
import type { Environment } from './contract.ts'
import { type Deployed, deployed, type Process } from './deployed.ts'
import { hubStore } from './hub-store.ts'
import { quarantineMessage } from './poison.ts'
import { sqsNudges } from './queues.ts'

type HubNeeds = 'WHODUNIT_TABLE' | 'WHODUNIT_QUEUES' | 'WHODUNIT_PROBE_QUEUES'

/** What the functions of the pipeline have besides: the hub's table and its queues. */
export type Hub<K extends keyof Environment> = Deployed<K | HubNeeds> & {
  store: Store
  sqs: SQSClient
  nudge: (nudges: readonly Nudge[]) => Promise<void>
  /** What becomes of messages that cannot be read or worked on. */
  unread: Pick<BatchOptions<unknown>, 'poison' | 'failed'>
}

/** The ground a function of the hub stands on; its clients are made once. */
export const hub = <K extends keyof Environment = HubNeeds>(
  process: Process,
  { role, needs = [] }: { role: string; needs?: readonly K[] },
): Hub<K> => {
  const hubNeeds = ['WHODUNIT_TABLE', 'WHODUNIT_QUEUES', 'WHODUNIT_PROBE_QUEUES'] as const
  const ground: Deployed<K | HubNeeds> = deployed<K | HubNeeds>(process, { role, needs: [...hubNeeds, ...needs] })
  const { env, region, nowMs, health } = ground
  const store = hubStore({ table: env.WHODUNIT_TABLE, region, nowMs })
  const clients = new Map<string, SQSClient>()
  const clientIn = (place: string): SQSClient => {
    const client = clients.get(place) ?? new SQSClient(clientOptions(place))
    clients.set(place, client)
    return client
  }
  const sqs = clientIn(region)
  const { WHODUNIT_QUEUES: queues, WHODUNIT_PROBE_QUEUES: probeQueues } = env
  const nudge = sqsNudges({ client: sqs, clientIn, queues, probeQueues, nowMs, lost: health.lost })
  const poison = quarantineMessage({ store, nowMs, quarantined: health.poison })
  return { ...ground, store, sqs, nudge, unread: { poison, failed: health.failed } }
}
