/** What was really written, heard and received, whatever any process believes: the invariants' evidence. */

import type { DeliveryEvent, DeliveryOrder, Observation } from '../../functions/contract.ts'
import type { Verdict } from '../../probes/contract.ts'
import type { CommitResult, Store } from '../../stores/contract.ts'
import type { FunctionName } from './awaits.ts'

export type Arrival = {
  id: string
  incidentId: string
  service: string
  channel: string
  event: DeliveryEvent
  /** A component's new status. */
  to?: string
  atMs: number
}

/** One look that `evaluate` was given. */
export type Heard = { monitorId: string; location: string; scheduledAtMs: number; verdict: Verdict; atMs: number }

export type Ledger = {
  /** Messages that a committed decision demands, by id, with what each means. */
  decided: Map<string, { meaning: string; order: DeliveryOrder }>
  /** Ids that were decided twice with different meanings. */
  ambiguous: string[]
  /** The last receipt of each message. */
  receipts: Map<string, 'delivered' | 'rejected'>
  /** Messages that were refused in the end, but may have arrived. */
  doubted: Set<string>
  arrivals: Arrival[]
  heard: { observation: Observation; atMs: number }[]
  quarantined: string[]
}

export const emptyLedger = (): Ledger => ({
  decided: new Map(),
  ambiguous: [],
  receipts: new Map(),
  doubted: new Set(),
  arrivals: [],
  heard: [],
  quarantined: [],
})

export const meaningOf = ({ event, component }: DeliveryOrder): string =>
  component ? `${event} ${component.to}` : event

const noteDecided = (ledger: Ledger, order: DeliveryOrder) => {
  const meaning = meaningOf(order)
  const before = ledger.decided.get(order.id)
  if (before && before.meaning !== meaning) ledger.ambiguous.push(order.id)
  ledger.decided.set(order.id, { meaning, order })
}

/** The town's store: keeps what was committed in mind. Only `correlate` decides messages, only `deliver` ends them. */
export const witnessed = (store: Store, ledger: Ledger, fn: FunctionName): Store => {
  if (fn !== 'correlate' && fn !== 'deliver') return store
  return {
    ...store,
    commit: async (changes, rows = []): Promise<CommitResult> => {
      const result = await store.commit(changes, rows)
      if (result === 'conflict') return result
      for (const { row } of rows) {
        if (row?.to === 'deliver' && fn === 'correlate') noteDecided(ledger, row.body.order)
        if (row?.to !== 'correlate' || row.body.kind !== 'receipt' || fn !== 'deliver') continue
        const { order, status, mayHaveArrived } = row.body.receipt
        ledger.receipts.set(order.id, status)
        if (mayHaveArrived) ledger.doubted.add(order.id)
      }
      return result
    },
  }
}
