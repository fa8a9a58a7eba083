/** What became of every alert of one config, and whom it paged: written down while a history is replayed. */
import type { Severity } from '../../config/contract.ts'
import type { AlertTransition, DeliveryOrder } from '../../functions/contract.ts'
import type { Incident, IncidentAlert, Mute } from '../../functions/hub-state.ts'
import type { Alert } from '../../functions/shard-state.ts'

/** One time an alert was not inactive. */
export type Spell = {
  alertId: string
  ruleId: string
  /** What it is about; absent for a rule that judges no monitor. */
  monitor?: string | undefined
  service: string
  severity: Severity
  /** The first failing look, as far as its rule says. */
  sinceMs: number
  beganMs: number
  firedAtMs?: number
  endedAtMs?: number
  /** Why it is what it is, or why it ended. */
  reason: AlertTransition['reason']
  summary: string
  incidentId?: string
  /** What kept it quiet, last. */
  mute?: Mute | undefined
  /** When people heard of it, and as what. */
  toldAtMs?: number
  toldAs?: Severity
}

/** People were woken, or told in the morning: an incident that opened, came back or became severer. */
export type Told = {
  incidentId: string
  service: string
  severity: Severity
  atMs: number
  sinceMs: number
  event: DeliveryOrder['event']
  channels: string[]
  summary: string
}

type About = { monitor: string | undefined; severity: Severity }

const rank: Readonly<Record<Severity, number>> = { page: 2, ticket: 1, advisory: 0 }

export class Ledger {
  readonly spells: Spell[] = []
  readonly told: Told[] = []
  readonly #open = new Map<string, Spell>()
  readonly #last = new Map<string, Told>()
  readonly #incidents = new Map<string, Pick<Incident, 'toldAtMs' | 'severity'>>()
  readonly #about: (alertId: string) => About | undefined

  /** `about` says what an alert is about, as far as the config knows. */
  constructor(about: (alertId: string) => About | undefined) {
    this.#about = about
  }

  /** Alerts took steps; `alerts` is how they are behind them. */
  stepped(transitions: readonly AlertTransition[], alerts: Readonly<Record<string, Alert>>): void {
    for (const { alertId, to, reason, atMs } of transitions) {
      const alert = alerts[alertId]
      const spell = this.#open.get(alertId) ?? this.#begin(alertId, alert, atMs)
      if (!spell || to === 'held') continue
      // Of one that fired, why it did; of one that did not, what became of it.
      if (to !== 'inactive' || spell.firedAtMs === undefined) spell.reason = reason
      if (alert && alert.summary !== '') spell.summary = alert.summary
      if (to === 'firing' && spell.firedAtMs === undefined && alert) {
        Object.assign(spell, { firedAtMs: atMs, sinceMs: alert.sinceMs })
      }
      if (to === 'inactive') {
        spell.endedAtMs = atMs
        this.#open.delete(alertId)
      }
    }
  }

  #begin(alertId: string, alert: Alert | undefined, atMs: number): Spell | undefined {
    const about = this.#about(alertId)
    if (!alert || !about) return undefined
    const { ruleId, service, sinceMs, summary } = alert
    const spell: Spell = {
      alertId,
      ruleId,
      ...about,
      service,
      sinceMs,
      beganMs: atMs,
      reason: 'first-failure',
      summary,
    }
    this.#open.set(alertId, spell)
    this.spells.push(spell)
    return spell
  }

  /** An incident was written, with the alerts that lie in its own item. */
  incident(incident: Incident, nowMs: number): void {
    const { id, alerts, toldAtMs, severity } = incident
    if (incident.status === 'resolved') this.#incidents.delete(id)
    else this.#incidents.set(id, { severity, ...(toldAtMs === undefined ? {} : { toldAtMs }) })
    this.#alerts({ id, severity, isTold: toldAtMs !== undefined }, alerts, nowMs)
  }

  /** Some alerts of a big incident were written. */
  page(incidentId: string, alerts: Incident['alerts'], nowMs: number): void {
    const found = this.#incidents.get(incidentId)
    if (found) this.#alerts({ id: incidentId, ...found, isTold: found.toldAtMs !== undefined }, alerts, nowMs)
  }

  #alerts(
    { id, severity, isTold }: { id: string; severity: Severity; isTold: boolean },
    alerts: Readonly<Record<string, IncidentAlert>>,
    nowMs: number,
  ): void {
    for (const [alertId, { firing, mute }] of Object.entries(alerts)) {
      const spell = this.#open.get(alertId)
      if (!spell || !firing) continue
      spell.incidentId = id
      spell.mute = mute
      if (mute || !isTold) continue
      spell.toldAtMs ??= nowMs
      if (spell.toldAs === undefined || rank[severity] > rank[spell.toldAs]) spell.toldAs = severity
    }
  }

  /** A message was written to a channel. */
  ordered(order: DeliveryOrder, nowMs: number): void {
    const { incidentId, event, severity, channel, service, sinceMs, summaries } = order
    if (!['opened', 'reopened', 'updated'].includes(event)) return
    const last = this.#last.get(incidentId)
    const isSame = last?.atMs === nowMs
    const isBack = event === 'reopened' && !isSame
    const isSeverer = last !== undefined && rank[severity] > rank[last.severity]
    if (last && !isBack && !isSeverer) {
      // The next route, or a channel that only a later alert brings in.
      if (event !== 'updated' && !last.channels.includes(channel)) last.channels.push(channel)
      return
    }
    const [summary = ''] = summaries
    const told = { incidentId, service, severity, atMs: nowMs, sinceMs, event, channels: [channel], summary }
    this.#last.set(incidentId, told)
    this.told.push(told)
  }
}
