import { distance } from 'fastest-levenshtein'
import type { Config } from '../../config/schema.ts'
import { closest } from '../../config/suggest.ts'
import { advisoryId, ruleOfAlert } from '../../functions/alert-ids.ts'
import { type AlertNow, alertsNow } from '../../functions/alerts-now.ts'
import type { AlertTransition } from '../../functions/contract.ts'
import { shardOfRule } from '../../functions/evaluate/config.ts'
import { type HistoryMinute, type KeptJudgement, type KeptOutcome, minuteOf } from '../../functions/history.ts'
import { readHistory } from '../../functions/history-reading.ts'
import type { Incident, Mute } from '../../functions/hub-state.ts'
import { unpackLocation } from '../../functions/location-packing.ts'
import { readHub } from '../../functions/publish/step.ts'
import { countOfShard, shardOf } from '../../functions/shards.ts'
import type { Blobs, Store } from '../../stores/contract.ts'
import { olderIncident, storedIncident } from './explain-incidents.ts'
import { rulesInHistory, rulesOfMonitor } from './explain-rules.ts'

export type ExplainWorld = {
  store: Store
  blobs: Blobs
  nowMs: number
  /** What it knows better than the state: quorums, and names of what never happened. */
  config?: Config
}

export type IncidentExplained = { kind: 'incident'; incident: Incident }
export type AlertExplained = {
  kind: 'alert'
  alertId: string
  atMs: number
  hours: number
  /** What it is in now; nothing when it is inactive. */
  now?: AlertNow
  /** What keeps it quiet, while it fires. */
  mute?: Mute
  transitions: AlertTransition[]
  incidents: string[]
  unreadable: number
}
export type MonitorExplained = {
  kind: 'monitor'
  monitorId: string
  minuteMs: number
  /** The config no longer has it. */
  gone?: true
  looks: KeptOutcome[]
  /** Locations that should have looked and from which nothing came, with the last scheduled time something did lately. */
  silent: { location: string; lastMs?: number }[]
  judgements: KeptJudgement[]
  transitions: AlertTransition[]
  /** Its alerts at the end of the minute. */
  alerts: { alertId: string; standing: AlertTransition['to']; sinceMs?: number }[]
  incident?: string
  unreadable: number
}
export type Explained = IncidentExplained | AlertExplained | MonitorExplained

/** Nothing has this name; `hint` says what was perhaps meant. */
export type Unknown = { kind: 'unknown'; name: string; hint: string }

type Place = { monitorId: string; location: string; lastMs: number }

const placesIn = async (store: Store): Promise<Place[]> => {
  const places: Place[] = []
  let after = ''
  for (;;) {
    const items = await store.list('shard/', { limit: 100, ...(after === '' ? {} : { after }) })
    for (const [key, { value }] of items) {
      const [, location] = /^shard\/[^/]+\/[^/]+\/at\/(.+)$/.exec(key) ?? []
      if (location === undefined) continue
      for (const [monitorId, { last }] of Object.entries(unpackLocation(value).monitors)) {
        places.push({ monitorId, location, lastMs: last.scheduledAtMs })
      }
    }
    const last = [...items.keys()].at(-1)
    if (last === undefined || items.size < 100) return places
    after = last
  }
}

const withAdvisories = (ruleIds: readonly string[]) => ruleIds.flatMap((id) => [id, advisoryId(id)])

type Known = { places: Place[]; monitors: string[]; alerts: string[]; incidents: Incident[]; now: AlertNow[] }

const knownIn = async ({ store, config }: ExplainWorld): Promise<Known> => {
  const [places, { incidents }, now] = await Promise.all([placesIn(store), readHub(store), alertsNow(store)])
  const monitors = [...new Set([...places.map(({ monitorId }) => monitorId), ...Object.keys(config?.monitors ?? {})])]
  const rules = [...Object.keys(config?.rules ?? {}), ...monitors.flatMap((id) => rulesOfMonitor(id, config))]
  const told = incidents.flatMap(({ alerts }) => Object.keys(alerts))
  const alerts = [...new Set([...withAdvisories(rules), ...now.map(({ alertId }) => alertId), ...told])]
  return { places, monitors: monitors.sort(), alerts: alerts.sort(), incidents, now }
}

const hourMs = 60 * 60_000

/** Whose shards an alert may be in: its monitor's, if anybody knows which that is. */
const shardsOfAlert = (alertId: string, known: Known, config: Config | undefined) => {
  const ruleId = ruleOfAlert(alertId)
  if (config?.rules[ruleId]) return (shard: string) => shardOfRule(config, ruleId, countOfShard(shard)) === shard
  const monitor = known.monitors.find((id) => rulesOfMonitor(id, config).includes(ruleId))
  return (shard: string) => monitor === undefined || shardOf(monitor, countOfShard(shard)) === shard
}

const transitionsIn = (minutes: readonly HistoryMinute[]) =>
  minutes.flatMap(({ parts }) => parts.flatMap(({ transitions }) => transitions)).sort((a, b) => a.atMs - b.atMs)

const explainAlert = async (
  world: ExplainWorld,
  known: Known,
  at: { alertId: string; atMs: number; hours: number },
): Promise<AlertExplained> => {
  const { alertId, atMs, hours } = at
  const isOurs = shardsOfAlert(alertId, known, world.config)
  const { minutes, unreadable } = await readHistory(world.blobs, { fromMs: atMs - hours * hourMs, toMs: atMs, isOurs })
  const now = known.now.find((one) => one.alertId === alertId)
  const told = known.incidents.filter(({ alerts }) => Object.hasOwn(alerts, alertId))
  const mute = told.map(({ alerts }) => alerts[alertId]).find((alert) => alert?.firing)?.mute
  const transitions = transitionsIn(minutes).filter((one) => one.alertId === alertId)
  const incidents = told.map(({ id }) => id)
  const rest = { transitions, incidents, unreadable, ...(now ? { now } : {}), ...(mute ? { mute } : {}) }
  return { kind: 'alert', alertId, atMs, hours, ...rest }
}

const outcomesIn = (minutes: readonly HistoryMinute[], monitorId: string) =>
  minutes
    .flatMap(({ parts }) => parts.flatMap(({ outcomes }) => outcomes))
    .filter((one) => one.monitorId === monitorId)
    .sort((a, b) => a.startedAtMs - b.startedAtMs)

type AlertThen = MonitorExplained['alerts'][number]

const standingThen = (
  alertId: string,
  at: { transitions: readonly AlertTransition[]; now: AlertNow | undefined; endMs: number },
): AlertThen => {
  const last = at.transitions.findLast((one) => one.alertId === alertId)
  if (last) return { alertId, standing: last.to, sinceMs: last.atMs }
  const { now } = at
  // Nothing happened to it in the hours before: either it had been so for longer, or it was not there.
  if (now && now.activeAtMs <= at.endMs) {
    const firing = now.firedAtMs !== undefined && now.firedAtMs <= at.endMs
    return {
      alertId,
      standing: firing ? 'firing' : 'pending',
      sinceMs: firing ? (now.firedAtMs ?? now.activeAtMs) : now.activeAtMs,
    }
  }
  return { alertId, standing: 'inactive' }
}

/** How far back an alert's last step and a location's last look are looked for. */
const backMs = hourMs

const explainMonitor = async (
  world: ExplainWorld,
  known: Known,
  { monitorId, atMs }: { monitorId: string; atMs: number },
): Promise<MonitorExplained> => {
  const { config } = world
  const minuteMs = minuteOf(atMs)
  const endMs = minuteMs + 60_000
  const isOurs = (shard: string) => shardOf(monitorId, countOfShard(shard)) === shard
  const { minutes, unreadable } = await readHistory(world.blobs, { fromMs: minuteMs - backMs, toMs: endMs, isOurs })
  const inMinute = ({ scheduledAtMs }: KeptOutcome) => scheduledAtMs >= minuteMs && scheduledAtMs < endMs
  const outcomes = outcomesIn(minutes, monitorId)
  const looks = outcomes.filter(inMinute)
  const here = config?.monitors[monitorId]?.locations
  const expected = here ?? known.places.filter((place) => place.monitorId === monitorId).map(({ location }) => location)
  const silent = [...new Set(expected)]
    .filter((location) => !looks.some((one) => one.location === location))
    .map((location) => {
      const last = outcomes.findLast((one) => one.location === location && one.scheduledAtMs < minuteMs)
      return { location, ...(last ? { lastMs: last.scheduledAtMs } : {}) }
    })
  const ours = minutes.filter((one) => one.minuteMs === minuteMs)
  const gone = config !== undefined && !Object.hasOwn(config.monitors, monitorId)
  const named = gone || !config ? rulesInHistory(minutes, monitorId, { monitors: known.monitors, config }) : []
  const rules = new Set([...rulesOfMonitor(monitorId, config), ...named])
  const judgements = ours
    .flatMap(({ parts }) => parts.flatMap((part) => part.judgements))
    .filter(({ ruleId }) => rules.has(ruleId))
    .sort((a, b) => a.atMs - b.atMs)
  const isOfMonitor = ({ alertId }: { alertId: string }) => rules.has(ruleOfAlert(alertId))
  const all = transitionsIn(minutes).filter(isOfMonitor)
  const transitions = transitionsIn(ours).filter(isOfMonitor)
  const doneMs = Math.max(endMs, ...transitions.map((one) => one.atMs))
  const past = all.filter((one) => one.atMs <= doneMs)
  const alerts = withAdvisories([...rules]).map((alertId) =>
    standingThen(alertId, { transitions: past, now: known.now.find((one) => one.alertId === alertId), endMs }),
  )
  const isIt = ({ alerts: told, sinceMs, resolvedAtMs = Number.POSITIVE_INFINITY }: Incident) =>
    Object.keys(told).some((alertId) => rules.has(ruleOfAlert(alertId))) && sinceMs < endMs && resolvedAtMs >= minuteMs
  const listed = known.incidents.find(isIt)
  const service = config?.monitors[monitorId]?.service
  const hasFired = alerts.some(({ standing }) => standing === 'firing') || transitions.some(({ to }) => to === 'firing')
  const incident =
    listed ?? (hasFired ? await olderIncident(world.store, { service, beforeMs: endMs }, isIt) : undefined)
  return {
    kind: 'monitor',
    monitorId,
    minuteMs,
    ...(gone ? { gone } : {}),
    looks,
    silent,
    judgements,
    transitions,
    alerts: alerts.filter(({ alertId, standing }) => standing !== 'inactive' || alertId === ruleOfAlert(alertId)),
    ...(incident ? { incident: incident.id } : {}),
    unreadable,
  }
}

const unknownName = (name: string, known: Known): Unknown => {
  const names = [...known.incidents.map(({ id }) => id), ...known.monitors, ...known.alerts]
  const [nearest] = names
    .map((known) => ({ known, far: distance(name.slice(0, 80), known) }))
    .sort((a, b) => a.far - b.far)
  const near = nearest && nearest.far <= 2 ? nearest.known : closest(name, names)
  const hint =
    near === undefined
      ? 'give it the id of an incident (`whodunit incidents`), an alert or a monitor; with --config it knows their names'
      : `did you mean ${near}?`
  return { kind: 'unknown', name, hint }
}

/** What happened to an incident, an alert or a monitor and why, or why nothing did. */
export const explain = async (
  world: ExplainWorld,
  asked: { name: string; atMs?: number; hours: number },
): Promise<Explained | Unknown> => {
  const { name, hours } = asked
  const known = await knownIn(world)
  const incident = known.incidents.find(({ id }) => id === name) ?? (await storedIncident(world.store, name))
  if (incident) return { kind: 'incident', incident }
  if (known.monitors.includes(name)) {
    const lastMs = known.places.filter(({ monitorId }) => monitorId === name).map((place) => place.lastMs)
    return explainMonitor(world, known, { monitorId: name, atMs: asked.atMs ?? Math.max(0, ...lastMs) })
  }
  if (known.alerts.includes(name))
    return explainAlert(world, known, { alertId: name, atMs: asked.atMs ?? world.nowMs, hours })
  return unknownName(name, known)
}
