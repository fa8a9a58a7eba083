/** What was really written, heard and received, whatever any process believes: the invariants' evidence. */

import {
  type AlertChange,
  type DeliveryEvent,
  type DeliveryOrder,
  keys,
  type Observation,
} from '../../functions/contract.ts'
import { type Incident, type Silence, silences } from '../../functions/hub-state.ts'
import type { Change, CommitResult, RowChange, Store } from '../../stores/contract.ts'
import type { FunctionName } from './awaits.ts'
import { isPage } from './outcome.ts'

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

type HeardOf = 'nothing' | 'nothing, it is over' | 'something' | 'a page'

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
  /** The open incidents in which an alert fires, by alert, and what was ever wrong with that. */
  homes: Map<string, Set<string>>
  homeless: string[]
  /** Each time that people were to be woken for an incident, be it with a message that still waits behind another. */
  wokenAt: { id: string; atMs: number }[]
  /** What people heard of each incident that was open, after its last commit. */
  heardOf: Map<string, HeardOf>
  /** Incidents that became a page, and woke nobody by it. */
  unwoken: string[]
  /** The alert changes that each row still tells. */
  untold: Map<string, readonly AlertChange[]>
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
  homes: new Map(),
  homeless: [],
  wokenAt: [],
  heardOf: new Map(),
  unwoken: [],
  untold: new Map(),
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

/** Where each alert fires after a commit: in one incident, and in none that is over. */
const noteHomes = ({ homes, homeless }: Ledger, incidents: readonly Incident[]) => {
  const touched = new Set<string>()
  for (const { id, status, alerts } of incidents) {
    for (const [alertId, { firing }] of Object.entries(alerts)) {
      const own = homes.get(alertId) ?? new Set()
      homes.set(alertId, own)
      touched.add(alertId)
      if (firing && status !== 'resolved') own.add(id)
      else own.delete(id)
      if (firing && status === 'resolved') homeless.push(`${alertId} fires in ${id}, which is over`)
    }
  }
  for (const alertId of touched) {
    const own = homes.get(alertId) ?? new Set()
    if (own.size > 1) homeless.push(`${alertId} fires in ${[...own].join(' and ')}`)
  }
}

const heardIn = ({ alerts, status }: Incident): HeardOf => {
  const heard = Object.values(alerts).filter(({ firing, mute }) => firing && !mute)
  if (status === 'resolved') return 'nothing, it is over'
  if (heard.length === 0) return 'nothing'
  return heard.some(({ severity }) => severity === 'page') ? 'a page' : 'something'
}

/** In a storm people have been woken three times within the minute, or more, besides. */
const areAwake = (wokenAt: Ledger['wokenAt'], { id, toldAtMs = 0 }: Incident): boolean =>
  wokenAt.filter((one) => Math.abs(toldAtMs - one.atMs) < 60_000 && !(one.id === id && one.atMs === toldAtMs)).length >=
  3

const noteWokenAt = ({ wokenAt }: Ledger, incidents: readonly Incident[]) => {
  for (const { id, toldAtMs: atMs } of incidents) {
    if (atMs !== undefined && wokenAt.findLast((one) => one.id === id)?.atMs !== atMs) wokenAt.push({ id, atMs })
  }
}

/**
 * What becomes a page wakes somebody: with a message of this commit, or behind one that is still on its way. Unless it
 * has come back so often that it counts as flapping, somebody took it on before it was quiet, or there is a storm.
 */
const noteUnwoken = (
  { heardOf, unwoken, wokenAt }: Ledger,
  incidents: readonly Incident[],
  orders: readonly DeliveryOrder[],
) => {
  for (const incident of incidents) {
    const { id, channels, reopenedAtMs, status } = incident
    const [before, now] = [heardOf.get(id) ?? 'nothing', heardIn(incident)]
    heardOf.set(id, now)
    // Whoever has not heard yet that it was over hears only of news when it is back.
    const wakesNow = (event: DeliveryEvent) => isPage(event) || before === 'nothing, it is over'
    const isTold = orders.some(({ incidentId, event }) => incidentId === id && wakesNow(event))
    const isOnItsWay = Object.values(channels).some(({ waiting }) => waiting.some(wakesNow))
    const isTaken = before === 'nothing' && status === 'acknowledged'
    const isSpared = reopenedAtMs.length >= 3 || isTaken || areAwake(wokenAt, incident)
    if (now === 'a page' && before !== now && !isTold && !isOnItsWay && !isSpared) unwoken.push(`${id} became a page`)
  }
}

const noteUntold = ({ untold }: Ledger, { row }: Pick<RowChange, 'row'>) => {
  if (row?.to === 'correlate' && row.body.kind === 'alert-changes') untold.set(row.id, row.body.changes)
}

/** What a commit of `correlate` was told fires has its incident; of a row's changes it may leave the last ones for later. */
const noteTold = (ledger: Ledger, rows: readonly RowChange[]) => {
  const last = new Map<string, AlertChange>()
  for (const { id, row } of rows) {
    const before = ledger.untold.get(id) ?? []
    ledger.untold.delete(id)
    if (row) noteUntold(ledger, { row })
    const told = before.slice(0, before.length - (ledger.untold.get(id)?.length ?? 0))
    for (const change of told) last.set(change.alertId, change)
  }
  for (const [alertId, { to }] of last) {
    const fires = (ledger.homes.get(alertId)?.size ?? 0) > 0
    if (fires !== (to === 'firing'))
      ledger.homeless.push(`${alertId} is ${to}, and fires in ${fires ? 'an' : 'no'} incident`)
  }
}

/** Notes whom a commit wakes, and what it leaves of incidents and silences. */
const noteWoken = (ledger: Ledger, changes: readonly Change[], orders: readonly DeliveryOrder[]) => {
  const values = new Map(changes.map((change) => [change.key, 'value' in change ? change.value : undefined]))
  const kept = values.get(keys.silences)
  const after = kept === undefined ? ledger.silencesNow : silences.parse(kept).silences
  // A batch may hear of a silence's beginning after it decided, and of its end before.
  const throughout = after.filter(({ id }) => ledger.silencesNow.some((one) => one.id === id))
  const incidents = [...values].flatMap(([key, value]) => (key.startsWith('incident/') ? [value as Incident] : [])) // `correlate` writes no other.
  noteHomes(ledger, incidents)
  noteWokenAt(ledger, incidents)
  noteUnwoken(ledger, incidents, orders)
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
  if (fn === 'evaluate') {
    return {
      ...store,
      commit: async (changes, rows = []) => {
        const result = await store.commit(changes, rows)
        if (result === 'committed') for (const one of rows) noteUntold(ledger, one)
        return result
      },
    }
  }
  if (fn !== 'correlate' && fn !== 'deliver') return store
  return {
    ...store,
    commit: async (changes, rows = []): Promise<CommitResult> => {
      const result = await store.commit(changes, rows)
      if (result === 'conflict') return result
      if (fn === 'correlate') {
        const orders = rows.flatMap(({ row }) => (row?.to === 'deliver' ? [row.body.order] : []))
        noteWoken(ledger, changes, orders)
        noteTold(ledger, rows)
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
