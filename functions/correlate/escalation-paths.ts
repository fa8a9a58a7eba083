/** Along which routes an incident's news and its escalation go: each service's alerts of one severity along their own. */
import type { Incident, ToldRoute } from '../hub-state.ts'
import type { Context } from './hub.ts'
import { isAudible } from './incident.ts'
import { paged } from './orders.ts'
import {
  beginRoutes,
  channelsFor,
  goOn,
  type NextRoute,
  nextRoute,
  placeOf,
  type Routed,
  remindEveryMs,
  routesFor,
} from './routing.ts'

export type Told = Omit<Context, 'atOnce'>

export type Heard = Pick<Routed, 'service' | 'severity'>

const pathOf = ({ severity, service }: Heard): string => `${severity} ${service}`

/**
 * What people hear of in an incident, each service and severity once: every one of them has its own routes. What is most
 * severe is always among them.
 */
export const heardOf = (incident: Incident): Heard[] => {
  const heard: Heard[] = [...Object.values(incident.alerts).filter(isAudible), ...(incident.heardInPages ?? [])]
  const all = heard.some(({ severity }) => severity === incident.severity) ? heard : [...heard, incident]
  const pairs = all.map(({ service, severity }) => ({ service, severity }))
  return [...new Map(pairs.map((one) => [pathOf(one), one])).values()]
}

export const routedTo = (heard: readonly Heard[], { view, nowMs }: Told): string[] => {
  const channels = heard.flatMap(({ service, severity }) => channelsFor(view.routing, { service, severity, nowMs }))
  return [...new Set(channels)]
}

/** Whom it is routed to: everybody who is told of an alert of it that nothing keeps quiet. */
export const channelsOf = (incident: Incident, at: Told): string[] => routedTo(heardOf(incident), at)

/**
 * With the first route of everything people hear of by now. What has the same first route as something else goes on
 * with that, so that nobody hears of each by itself.
 */
export const withRoutes = (incident: Incident, { view, nowMs }: Told): Incident => {
  const { escalation } = incident
  const told = { ...escalation?.told }
  for (const heard of heardOf(incident)) {
    const routed = { ...heard, nowMs }
    const [first] = routesFor(view.routing, routed)
    if (!first) continue
    const fresh = beginRoutes(first, nowMs)
    const isPeer = ([key, one]: [string, ToldRoute]) =>
      key.startsWith(`${heard.severity} `) && one.first === fresh.first && placeOf(view.routing, one, routed) !== -1
    told[pathOf(heard)] ??= Object.entries(told).find(isPeer)?.[1] ?? fresh
  }
  return { ...incident, escalation: { ...escalation, told } }
}

/** What an earlier version told is not noted by route: it counts as the first that matched then. */
const toldOf = ({ escalation, toldAtMs }: Incident, heard: Heard, { view }: Told): ToldRoute | undefined => {
  const known = escalation?.told[pathOf(heard)]
  if (known || toldAtMs === undefined) return known
  const [first] = routesFor(view.routing, { ...heard, nowMs: toldAtMs })
  return first && beginRoutes(first, escalation?.atMs ?? toldAtMs)
}

export type NextStep = NextRoute & { heard: Heard; told: ToldRoute }

/** The routes that are to hear of it because nobody takes it on, the first to do so first. */
export const nextOf = (incident: Incident, context: Told): NextStep[] => {
  const { view, nowMs } = context
  const known = paged(incident)
  const all = heardOf(incident).flatMap((heard): NextStep[] => {
    const told = toldOf(incident, heard, context)
    const next = told && nextRoute(view.routing, { ...heard, nowMs, told, known })
    return next ? [{ ...next, heard, told }] : []
  })
  return all.sort((a, b) => a.dueAtMs - b.dueAtMs)
}

/** When the next route is to hear of it, because nobody has taken it on. */
export const escalationAtMs = (incident: Incident, context: Told): number | undefined =>
  nextOf(incident, context)[0]?.dueAtMs

export const reminderAtMs = (incident: Incident, { view, nowMs }: Told): number | undefined => {
  const sinceMs = incident.remindedAtMs ?? incident.toldAtMs
  const every = heardOf(incident).map((heard) => remindEveryMs(view.routing, { ...heard, nowMs }))
  return sinceMs === undefined ? undefined : sinceMs + Math.min(...every)
}

/** The routes that were due have been told. */
export const withSteps = (incident: Incident, due: readonly NextStep[], nowMs: number): Incident => {
  const steps = due.map(({ heard, told, route }) => [pathOf(heard), goOn(told, route, nowMs)] as const)
  return {
    ...incident,
    escalation: { atMs: nowMs, told: { ...incident.escalation?.told, ...Object.fromEntries(steps) } },
  }
}
