import type { AlertChange, CorrelateBody, Receipt } from '../contract.ts'
import type { IncidentAlert } from '../hub-state.ts'
import { matchAll } from '../matchers.ts'
import { isPartOf } from '../shards.ts'
import { findAlert } from './alerts.ts'
import { componentReceipt } from './components.ts'
import { type Context, type Hub, type HubDecision, putIncident } from './hub.ts'
import { acknowledge, note, severityRank } from './incident.ts'
import { end, fire, holderOf } from './lifecycle.ts'
import { withRules } from './mutes.ts'
import { forEachChannel } from './orders.ts'
import { applyReceipt, tellCaseFile } from './receipts.ts'
import { addSilence, cutSilence, digestReceipt, endSilences, withWindows } from './silences.ts'
import { put } from './telling.ts'
import { onTimer } from './timers.ts'

/** `shard`: whose alerts' changes these are, if they are of one. */
export type Message = CorrelateBody & { shard?: string | undefined }

/** An alert whose rule moved to another shard while it fired fires there: the end in the one that it left is none. */
const firesElsewhere = (alert: IncidentAlert | undefined, { shard }: Context): boolean =>
  alert?.shard !== undefined && shard !== undefined && !isPartOf(shard, alert.shard)

const applyChange = (hub: HubDecision, change: AlertChange, context: Context): HubDecision => {
  if (change.to === 'firing') return fire(hub, change, context)
  const incident = holderOf(hub, change.alertId)
  if (!incident || firesElsewhere(findAlert(hub, incident, change.alertId), context)) return hub
  return end(hub, incident, change, context)
}

/**
 * What explains others comes before them, though all were seen at once: who needs less first, then who inhibits, then the
 * severest, so that nobody is woken twice by one row. The changes of one alert stay together, in their order: what moves
 * must not end where it fires by now.
 */
const causesFirst = (changes: readonly AlertChange[], { view }: Context): AlertChange[] => {
  const inhibits = (change: AlertChange) => view.inhibit.some(({ source }) => matchAll(source, view.labelsOf(change)))
  const ranked = [...Map.groupBy(changes, ({ alertId }) => alertId).values()].map((all) => ({
    all,
    needs: Math.min(...all.map(({ service }) => view.dependenciesOf(service).length)),
    inhibits: all.some(inhibits) ? 0 : 1,
    rank: Math.max(...all.map(({ severity }) => severityRank[severity])),
  }))
  return ranked
    .sort((a, b) => a.needs - b.needs || a.inhibits - b.inhibits || b.rank - a.rank)
    .flatMap(({ all }) => all)
}

const applyReceiptTo = (hub: HubDecision, receipt: Receipt, context: Context): HubDecision => {
  if (receipt.order.event === 'component-changed') return componentReceipt(hub, receipt, context)
  if (receipt.order.event === 'silence-ended') return digestReceipt(hub, receipt, context)
  const incident = hub.incidents.get(receipt.order.incidentId)
  if (!incident) return hub
  return put(hub, applyReceipt(incident, receipt, { routing: context.view.routing, nowMs: context.nowMs }))
}

const applyCaseFile = (hub: HubDecision, id: string, { nowMs }: Context): HubDecision => {
  const incident = hub.incidents.get(id)
  if (!incident) return hub
  const known = note({ ...incident, caseFile: true }, nowMs, { what: 'case file stored' })
  const told = forEachChannel(known, Object.keys(known.channels), (so, channel) =>
    tellCaseFile({ incident: so, rows: [] }, channel, nowMs),
  )
  return put(hub, told)
}

/** Nobody is told: whoever opens the incident sees who has it, and its end still goes to all who got the page. */
const applyAcknowledge = (hub: HubDecision, id: string, at: { by: string; atMs: number }): HubDecision => {
  const incident = hub.incidents.get(id)
  const taken = incident && acknowledge(incident, at)
  return taken && taken !== incident ? putIncident(hub, taken) : hub
}

const applyChanges = (hub: HubDecision, changes: readonly AlertChange[], context: Context): HubDecision =>
  causesFirst(changes, context).reduce((so, change) => applyChange(so, change, context), hub)

const apply = (hub: HubDecision, message: Message, context: Context): HubDecision => {
  switch (message.kind) {
    case 'alert-changes':
      return applyChanges(hub, message.changes, { ...context, shard: message.shard })
    case 'receipt':
      return applyReceiptTo(hub, message.receipt, context)
    case 'case-file':
      return applyCaseFile(hub, message.incidentId, context)
    case 'acknowledge':
      return applyAcknowledge(hub, message.incidentId, message)
    case 'incident-timer':
      return onTimer(hub, message.incidentId, context)
    case 'silence':
      return addSilence(hub, message.silence, context)
    case 'end-silence':
      return cutSilence(hub, message.silenceId, context)
    case 'silence-timer':
      return endSilences(hub, context)
    default:
      return message satisfies never
  }
}

/** A transaction has room for the items and rows of so many, as a rule; the step asks for less when it has not. */
export const changesAtOnce = 40

/** What a batch of messages does to the hub, folded into one decision. Pure. */
export const decideCorrelate = (
  hub: Hub,
  messages: readonly Message[],
  { view, nowMs, atOnce = changesAtOnce }: Pick<Context, 'view' | 'nowMs'> & Partial<Context>,
): HubDecision =>
  messages.reduce<HubDecision>((so, message) => apply(so, message, { view, nowMs, atOnce }), {
    ...hub,
    index: withRules(hub.index, { view, nowMs }),
    silences: withWindows(hub.silences, { view, nowMs }),
    rows: [],
  })
