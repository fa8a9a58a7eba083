import type { Labels } from '../../rules/contract.ts'
import { keys } from '../contract.ts'
import { ownService } from '../dead-letter.ts'
import { apartMs } from '../freshness.ts'
import {
  type HubIndex,
  type Incident,
  type Inhibitor,
  isOfWindow,
  type Mute,
  type Silence,
  windowPrefix,
} from '../hub-state.ts'
import type { ActiveWindow } from '../maintenance.ts'
import { matchAll } from '../matchers.ts'
import { hash } from '../shards.ts'
import {
  type Context,
  componentOf,
  type Hub,
  type HubDecision,
  type HubView,
  type InhibitView,
  putInhibitor,
} from './hub.ts'
import { stamp } from './incident.ts'

/** An alert as what may keep it quiet sees it. */
export type Heard = { alertId: string; service: string; labels: Labels; sinceMs: number }

const isActive = ({ startsAtMs, endsAtMs }: Silence, nowMs: number) => startsAtMs <= nowMs && nowMs < endsAtMs

export const windowSilenceId = ({ name, startsAtMs }: ActiveWindow): string =>
  `${windowPrefix}${name}-${stamp(startsAtMs)}`

/** What somebody asked for: the silence, or the maintenance window as the config has it now, that matches and ends last. */
const asked = (hub: Hub, { labels }: Heard, { view, nowMs }: Context): Mute | undefined => {
  const silences = hub.silences
    .filter((one) => !isOfWindow(one) && isActive(one, nowMs) && matchAll(one.matchers, labels))
    .map(({ id, endsAtMs }) => ({ kind: 'silence' as const, ref: id, untilMs: endsAtMs }))
  const windows = view
    .maintenanceAt(nowMs)
    .filter(({ matchers }) => matchAll(matchers, labels))
    .map((window) => ({ kind: 'maintenance' as const, ref: windowSilenceId(window), untilMs: window.endsAtMs }))
  return [...silences, ...windows].reduce<(Mute & { untilMs: number }) | undefined>(
    (last, one) => (last && last.untilMs >= one.untilMs ? last : one),
    undefined,
  )
}

/**
 * Until when what recovered still explains what began before; undefined when that is over. A recovery that is still to
 * come was noted by a clock that has been set back since, and must keep nobody quiet until then.
 */
const settlesUntilMs = (
  { service, sinceMs }: Heard,
  upAtMs: number,
  { view, nowMs }: Pick<Context, 'view' | 'nowMs'>,
): number | undefined => {
  const untilMs = upAtMs + view.settleMs(service)
  return sinceMs <= upAtMs && upAtMs <= nowMs + apartMs && nowMs < untilMs ? untilMs : undefined
}

/**
 * A service that something it needs is failing for, directly or not: by what really fails, whoever was told of it and
 * whatever keeps that quiet. The root is the one that needs nothing else that fails. What recovered a moment ago still
 * explains what began before.
 */
const dependency = (hub: Hub, heard: Heard, incidentId: string, { view, nowMs }: Context): Mute | undefined => {
  const needed = view.dependenciesOf(heard.service).filter((service) => service !== heard.service)
  const failing = needed.filter((service) => {
    const { firing, incidentId: other } = componentOf(hub, service)
    return firing.page > 0 && other !== undefined && other !== incidentId
  })
  const root = failing.find((service) => !view.dependenciesOf(service).some((deeper) => failing.includes(deeper)))
  const down = root ?? failing[0]
  if (down !== undefined) return { kind: 'dependency', ref: componentOf(hub, down).incidentId ?? down }
  const recovered = needed.flatMap((service) => {
    const { upAtMs, incidentId: other } = componentOf(hub, service)
    if (other === undefined || other === incidentId || upAtMs === undefined) return []
    const untilMs = settlesUntilMs(heard, upAtMs, { view, nowMs })
    return untilMs === undefined ? [] : [{ ref: other, untilMs }]
  })
  const last = recovered.sort((a, b) => b.untilMs - a.untilMs)[0]
  return last && { kind: 'settling', ...last }
}

export const inhibitorKey = ({ id, equal }: InhibitView, labels: Labels): string =>
  keys.inhibitor(id, hash(JSON.stringify(equal.map((label) => labels[label] ?? ''))).toString(36))

/** The index with the inhibit rules that are in the config. */
export const withRules = (index: HubIndex, { view, nowMs }: Pick<Context, 'view' | 'nowMs'>): HubIndex => {
  const before = index.inhibitSinceMs
  const since = view.inhibit.map(({ id }) => [id, before === undefined ? 0 : (before[id] ?? nowMs)] as const)
  return { ...index, inhibitSinceMs: Object.fromEntries(since) }
}

/** What is noted of a rule, unless it left the config since and what ended meanwhile would inhibit for ever. */
const inhibitorNow = (hub: Hub, { id }: InhibitView, key: string): Inhibitor | undefined => {
  const found = hub.inhibitors.get(key)
  return found && (found.ruleSinceMs ?? 0) === (hub.index.inhibitSinceMs?.[id] ?? 0) ? found : undefined
}

const inhibitedBy = ({ sources }: Inhibitor, alertId: string, both: boolean): string | undefined =>
  Object.entries(sources).find(([source, sourceBoth]) => source !== alertId && !(both && sourceBoth))?.[0]

/** Alertmanager's rule: a label that is missing equals one that is empty; who matches both sides inhibits no such. */
const byRule = (hub: Hub, heard: Heard, { view, nowMs }: Context): Mute | undefined => {
  for (const rule of view.inhibit) {
    if (!matchAll(rule.target, heard.labels)) continue
    const found = inhibitorNow(hub, rule, inhibitorKey(rule, heard.labels))
    if (!found) continue
    const source = inhibitedBy(found, heard.alertId, matchAll(rule.source, heard.labels))
    if (source !== undefined) return { kind: 'inhibit-rule', ref: source }
    const untilMs = found.upAtMs === undefined ? undefined : settlesUntilMs(heard, found.upAtMs, { view, nowMs })
    if (untilMs !== undefined) return { kind: 'settling', ref: `inhibit-rule ${rule.id}`, untilMs }
  }
  return undefined
}

/** Why this alert tells nobody, if there is a reason. */
export const muteOf = (hub: Hub, heard: Heard, incidentId: string, context: Context): Mute | undefined => {
  const wish = asked(hub, heard, context)
  // Alerts about ourselves are kept quiet by what somebody asked for, by nothing else.
  if (wish || heard.service === ownService) return wish
  return dependency(hub, heard, incidentId, context) ?? byRule(hub, heard, context)
}

/** More sources than this say nothing that these do not; when all of these are over, the others no longer inhibit. */
const sourcesKept = 200

const withoutSources = ({ index }: Hub, { id }: InhibitView): Inhibitor => {
  const ruleSinceMs = index.inhibitSinceMs?.[id]
  return { sources: {}, ...(ruleSinceMs ? { ruleSinceMs } : {}) }
}

/** Notes for every inhibit rule whose source an alert matches that it fires, or that it is over. */
export const noteSource = (
  hub: HubDecision,
  { alertId, labels }: Pick<Heard, 'alertId' | 'labels'>,
  at: { context: Context; firing: boolean },
): HubDecision =>
  at.context.view.inhibit.reduce((so, rule) => {
    if (!matchAll(rule.source, labels)) return so
    const key = inhibitorKey(rule, labels)
    const { upAtMs: _, ...before } = inhibitorNow(so, rule, key) ?? withoutSources(so, rule)
    const { [alertId]: known, ...others } = before.sources
    if (at.firing) {
      const room = known !== undefined || Object.keys(others).length < sourcesKept
      const sources = { ...before.sources, [alertId]: matchAll(rule.target, labels) }
      return room ? putInhibitor(so, key, { ...before, sources }) : so
    }
    if (known === undefined) return so
    const over = Object.keys(others).length === 0
    return putInhibitor(so, key, { ...before, sources: others, ...(over ? { upAtMs: at.context.nowMs } : {}) })
  }, hub)

/** It fires on under other labels: where only the former made it a source it is none any more. Nothing recovered. */
export const leaveSources = (
  hub: HubDecision,
  { alertId, labels, former }: Pick<Heard, 'alertId' | 'labels'> & { former: Labels },
  view: HubView,
): HubDecision =>
  view.inhibit.reduce((so, rule) => {
    const key = inhibitorKey(rule, former)
    const found = inhibitorNow(so, rule, key)
    const stays = matchAll(rule.source, labels) && inhibitorKey(rule, labels) === key
    if (stays || found?.sources[alertId] === undefined) return so
    const { [alertId]: _, ...sources } = found.sources
    return putInhibitor(so, key, { ...found, sources })
  }, hub)

/** Would this alert inhibit others, and is not noted for want of room? */
export const isLeftOut = (hub: Hub, { alertId, labels }: Pick<Heard, 'alertId' | 'labels'>, view: HubView): boolean =>
  view.inhibit.some((rule) => {
    if (!matchAll(rule.source, labels)) return false
    return inhibitorNow(hub, rule, inhibitorKey(rule, labels))?.sources[alertId] === undefined
  })

/** Is it the same that keeps it quiet? */
export const sameMute = (a: Mute | undefined, b: Mute | undefined): boolean =>
  a?.kind === b?.kind && a?.ref === b?.ref && a?.untilMs === b?.untilMs

/** Services are in no such list twice, and it has its end. */
export const withAffected = (incident: Incident, service: string): Incident =>
  incident.service === service || incident.affects.includes(service) || incident.affects.length >= 60
    ? incident
    : { ...incident, affects: [...incident.affects, service] }
