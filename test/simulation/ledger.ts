/** What was really written, heard and received, whatever any process believes: the invariants' evidence. */

import { type DeliveryEvent, type DeliveryOrder, keys, type Observation } from '../../functions/contract.ts'
import { type Incident, type Silence, silences } from '../../functions/hub-state.ts'
import type { Verdict } from '../../probes/contract.ts'
import type { Change, CommitResult, Store } from '../../stores/contract.ts'
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

/** A page, or a reminder, with what was known when it was decided. */
export type Woken = {
  order: DeliveryOrder
  /** As the decision left it. */
  incident: Incident
  wasAcknowledged: boolean
  silences: readonly Silence[]
  /** It is the first that people hear of the incident. */
  isFirst: boolean
}

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
  /** Messages that wake somebody, each when it was first decided. */
  woken: Woken[]
  /** All silences there ever were, as they were last. */
  silences: Map<string, Silence>
  /** Those that are kept now. */
  silencesNow: readonly Silence[]
  /** Incidents that somebody has taken on. */
  acknowledged: Set<string>
  heard: { observation: Observation; atMs: number }[]
  quarantined: string[]
}

export const emptyLedger = (): Ledger => ({
  decided: new Map(),
  ambiguous: [],
  receipts: new Map(),
  doubted: new Set(),
  arrivals: [],
  woken: [],
  silences: new Map(),
  silencesNow: [],
  acknowledged: new Set(),
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

const wakes: readonly DeliveryEvent[] = ['opened', 'reopened', 'reminder']

/** Notes whom a commit wakes, and what it leaves of incidents and silences. */
const noteWoken = (ledger: Ledger, changes: readonly Change[], orders: readonly DeliveryOrder[]) => {
  const values = new Map(changes.map((change) => [change.key, 'value' in change ? change.value : undefined]))
  const kept = values.get(keys.silences)
  const after = kept === undefined ? ledger.silencesNow : silences.parse(kept).silences
  // A batch may hear of a silence's beginning after it decided, and of its end before.
  const throughout = after.filter(({ id }) => ledger.silencesNow.some((one) => one.id === id))
  const incidents = [...values].flatMap(([key, value]) => (key.startsWith('incident/') ? [value as Incident] : [])) // `correlate` writes no other.
  for (const order of orders) {
    const incident = incidents.find(({ id }) => id === order.incidentId)
    const isNew = wakes.includes(order.event) && order.fallbackFor.length === 0 && !ledger.decided.has(order.id)
    if (!isNew || !incident) continue
    const wasAcknowledged = ledger.acknowledged.has(incident.id)
    const isFirst = incident.toldAtMs === order.atMs
    ledger.woken.push({ order, incident, wasAcknowledged, isFirst, silences: throughout })
  }
  for (const { id, status } of incidents) {
    if (status === 'acknowledged') ledger.acknowledged.add(id)
    else ledger.acknowledged.delete(id)
  }
  ledger.silencesNow = after
  for (const one of ledger.silencesNow) ledger.silences.set(one.id, one)
}

/** The town's store: keeps what was committed in mind. Only `correlate` decides messages, only `deliver` ends them. */
export const witnessed = (store: Store, ledger: Ledger, fn: FunctionName): Store => {
  if (fn !== 'correlate' && fn !== 'deliver') return store
  return {
    ...store,
    commit: async (changes, rows = []): Promise<CommitResult> => {
      const result = await store.commit(changes, rows)
      if (result === 'conflict') return result
      if (fn === 'correlate') {
        const orders = rows.flatMap(({ row }) => (row?.to === 'deliver' ? [row.body.order] : []))
        noteWoken(ledger, changes, orders)
      }
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
