/** Who was left alone, and whether there was a reason to. */

import { beginRoutes, nextRoute, routesFor } from '../../functions/correlate/routing.ts'
import { ownService } from '../../functions/dead-letter.ts'
import type { Incident } from '../../functions/hub-state.ts'
import { matchAll } from '../../functions/matchers.ts'
import { apartMs, minuteMs } from './calendar.ts'
import type { Woken } from './ledger.ts'
import type { Outcome } from './outcome.ts'
import type { World } from './world.ts'

/** A timer comes with a sweep, which may be a few sweeps late, and finds a store that is away for a minute. */
const timerWithinMs = 5 * minuteMs

const reasonsOf = ({ timeline }: Incident) => timeline.map(({ reason = '' }) => reason)

type Span = { fromMs: number; toMs: number; why: string }

/** The incidents of what it needs, or of what inhibits it. */
const roots = ({ service }: Incident, { incidents }: Outcome, { view }: World): Span[] => {
  // It has a while to recover as well.
  const lateMs = view.settleMs(service) + timerWithinMs
  const inhibiting = view.inhibit.filter(({ target }) => matchAll(target, { service }))
  const explains = (other: string) =>
    view.dependenciesOf(service).includes(other) ||
    inhibiting.some(({ source }) => other !== service && matchAll(source, { service: other }))
  return incidents.flatMap(({ id, openedAtMs, resolvedAtMs = Number.POSITIVE_INFINITY, ...one }) => {
    // A storm holds the alerts of others than the service it is named after.
    return [one.service, ...one.affects].some(explains)
      ? [{ fromMs: openedAtMs, toMs: resolvedAtMs + lateMs, why: `${id} explains it` }]
      : []
  })
}

/** What somebody asked for. */
const asked = ({ service }: Incident, { ledger, town }: World): Span[] => {
  const silences = [...ledger.silences.values()].filter(({ matchers }) => matchAll(matchers, { service }))
  const windows = Object.values(town.wishes.maintenance).filter(({ services = [] }) => services.includes(service))
  return [
    ...silences.map(({ id, startsAtMs, endsAtMs }) => ({
      fromMs: startsAtMs,
      toMs: endsAtMs + timerWithinMs,
      why: `${id} keeps it quiet`,
    })),
    ...windows.map(({ from = '', to = '', reason }) => ({
      fromMs: Date.parse(from),
      toMs: Date.parse(to) + timerWithinMs,
      why: reason,
    })),
  ]
}

/** When the last of its alerts was over: what flaps is resolved only when it has stayed quiet. */
const quietSinceMs = ({ timeline }: Incident) =>
  timeline.findLast(({ what }) => what.startsWith('alert ') && what.includes(' is inactive'))?.atMs

/** Why nobody need hear of an incident, if that is so. */
export const silentFor = (one: Incident, outcome: Outcome, world: World): string | undefined => {
  const reasons = reasonsOf(one)
  if (reasons.includes('joined-storm')) return 'it went on in a storm'
  if (one.toldAtMs !== undefined || one.resolvedAtMs === undefined) return undefined
  if (!reasons.some((reason) => reason === 'inhibited-by-dependency' || reason.startsWith('muted-by-')))
    return undefined
  const times = [one.resolvedAtMs, quietSinceMs(one) ?? one.resolvedAtMs]
  // After a jump of all clocks nobody can tell what was first.
  const isThen = ({ fromMs, toMs }: Span) =>
    world.jumpMs !== 0 || times.some((overMs) => fromMs - apartMs <= overMs && overMs <= toMs)
  return [...roots(one, outcome, world), ...asked(one, world)].find(isThen)?.why
}

/** Pages of alerts that somebody had asked to be silent, by the clock of whoever decided to send them. */
export const unwanted = ({ view }: World, { order, incident, silences }: Woken): boolean => {
  const { atMs = 0 } = order
  const wishes = [...silences, ...view.maintenanceAt(atMs)].filter(
    (one) => one.startsAtMs <= atMs && atMs < one.endsAtMs,
  )
  const firing = Object.values(incident.alerts).filter((alert) => alert.firing)
  return firing.length > 0 && firing.every(({ labels }) => wishes.some(({ matchers }) => matchAll(matchers, labels)))
}

/** Nobody took it on, nothing kept it quiet, and the next route never heard of it. */
export const unescalated = (one: Incident, outcome: Outcome, world: World): boolean => {
  const { toldAtMs, service, severity, escalation, acknowledged } = one
  const routed = { service, severity, nowMs: 0 }
  const [first] = routesFor(world.view.routing, routed)
  const next = first && nextRoute(world.view.routing, { ...routed, told: beginRoutes(first, 0), known: [] })
  const isTold = escalation?.atMs !== undefined
  if (toldAtMs === undefined || next === undefined || isTold || world.jumpMs !== 0) return false
  const endMs = Math.min(one.resolvedAtMs ?? Number.POSITIVE_INFINITY, acknowledged?.atMs ?? Number.POSITIVE_INFINITY)
  const span = { fromMs: toldAtMs, toMs: endMs }
  const quiet = [...roots(one, outcome, world), ...asked(one, world)]
  const wasQuiet = quiet.some(({ fromMs, toMs }) => fromMs < span.toMs && span.fromMs < toMs)
  // What became severer has another route, and another time.
  const changed = reasonsOf(one).some((reason) =>
    ['severity-rose', 'back-again', 'no-longer-muted', 'flapping'].includes(reason),
  )
  // Each severity has routes and times of its own.
  const isMixed = new Set(Object.values(one.alerts).map((alert) => alert.severity)).size > 1
  return !wasQuiet && !changed && !isMixed && service !== ownService && endMs - toldAtMs > next.dueAtMs + timerWithinMs
}

/** The most incidents of which one channel was told first within any minute. */
export const mostAtOnce = (woken: readonly Woken[]): { channel: string; count: number }[] => {
  // Of one that is back a channel that refused it before hears as of a new one.
  const isBack = ({ order: { atMs = 0 }, incident }: Woken) => incident.reopenedAtMs.includes(atMs)
  const pages = woken.filter(
    (one) => one.isFirst && one.order.event === 'opened' && one.order.service !== ownService && !isBack(one),
  )
  return [...Map.groupBy(pages, ({ order }) => order.channel)].map(([channel, all]) => {
    const told = all.map(({ order: { incidentId, atMs = 0 } }) => ({ incidentId, atMs }))
    // One whose page was refused is told of again when it comes back: it is no further incident.
    const counts = told.map(({ atMs }) => {
      const lately = told.filter((other) => other.atMs > atMs - minuteMs && other.atMs <= atMs)
      return new Set(lately.map(({ incidentId }) => incidentId)).size
    })
    return { channel, count: Math.max(...counts) }
  })
}
