/** Reads all that a batch of messages may touch, in a few rounds: what is found says where to read on. */
import type { Change, Store } from '../../stores/contract.ts'
import { type AlertChange, type CorrelateBody, keys } from '../contract.ts'
import {
  type AlertPage,
  alertPage,
  component,
  emptyIndex,
  type Group,
  group,
  hubIndex,
  type Incident,
  incident,
  inhibitor,
  silences,
} from '../hub-state.ts'

import { alertPageKey, isBig, knownAlerts } from './alerts.ts'
import { groupOf, idPrefix, stormGroup } from './groups.ts'
import type { Context, Hub, HubDecision, HubView } from './hub.ts'
import { incidentId } from './incident.ts'
import { inhibitorKey } from './mutes.ts'
import { Items, type Schema } from './step-items.ts'
import { stormBackMs } from './storm.ts'

export type Loaded = { hub: Hub; versions: ReadonlyMap<string, number> }

/** An alert as far as it says what may keep it quiet, and where it may lie. */
type Concerned = { alertId: string; service: string; labels: Readonly<Record<string, string>> }

const alertsOf = (alerts: Incident['alerts']): Concerned[] =>
  Object.entries(alerts).map(([alertId, alert]) => ({ alertId, ...alert }))

const changesIn = (messages: readonly CorrelateBody[]): AlertChange[] =>
  messages.flatMap((message) => (message.kind === 'alert-changes' ? message.changes : []))

const incidentsNamed = (messages: readonly CorrelateBody[]): string[] =>
  messages.flatMap((message) => {
    if ('incidentId' in message) return [message.incidentId]
    return message.kind === 'receipt' ? [message.receipt.order.incidentId] : []
  })

/** The incidents that silences asked for end with: one that cannot be read must not stop its silence. */
const endsOfSilences = (messages: readonly CorrelateBody[]): string[] =>
  messages.flatMap((message) => (message.kind === 'silence' ? (message.silence.incidentId ?? []) : []))

const groupKey = (change: AlertChange, view: HubView) =>
  groupOf(view.grouping.by, view.labelsOf(change), change.severity)

/** The ids that new incidents would have: should there be one of that name, it needs another. */
const newIds = (changes: readonly AlertChange[], timed: readonly Incident[], view: HubView): string[] => [
  ...changes.map((change) => incidentId(idPrefix(groupKey(change, view)), change.sinceMs)),
  ...[...changes, ...timed].map(({ sinceMs }) => incidentId(idPrefix(stormGroup), sinceMs)),
]

const readIncidents = async (items: Items, ids: readonly string[]) => items.read(ids.map(keys.incident))

/** One that cannot be read (a newer version wrote it) is left alone: it stops only what is about it. */
const incidentIn = (items: Items, id: string | undefined): Incident | undefined =>
  id === undefined ? undefined : items.readable(keys.incident(id), incident)

const checkReadable = (items: Items, ids: readonly (string | undefined)[]): void => {
  for (const id of ids) if (id !== undefined) items.value(keys.incident(id), incident)
}

/** The open incidents that alerts of this batch may be in: their groups', and the storm's. */
const holders = (items: Items, groups: readonly string[]): Incident[] =>
  groups.flatMap((key) => incidentIn(items, items.value(keys.group(key), group)?.incidentId) ?? [])

const pageLimit = 300

/** Every alert in the pages of a big incident whose timer is due: what keeps each quiet is looked at again. */
const readPages = async (store: Store, items: Items, timed: readonly Incident[]): Promise<Concerned[]> => {
  const found: Concerned[] = []
  for (const one of timed.filter(isBig)) {
    const pages = await store.list(`alerts/${one.id}/`, { limit: pageLimit })
    items.add(pages)
    found.push(...[...pages.values()].flatMap(({ value }) => alertsOf(alertPage.parse(value))))
  }
  return found
}

const groupLimit = 500

/** Whoever ends an incident writes its group as well. */
const readGroups = async (store: Store, items: Items): Promise<string[]> => {
  const found: string[] = []
  for (;;) {
    const after = found.at(-1)
    const groups = await store.list('group/', { limit: groupLimit, ...(after === undefined ? {} : { after }) })
    items.add(groups)
    found.push(...groups.keys())
    if (groups.size < groupLimit) return found
  }
}

/** Open incidents are searched for an alert only when the config groups alerts by other labels than when it fired. */
const searchLost = async (store: Store, items: Items, lost: readonly AlertChange[]) => {
  if (lost.length === 0) return
  const keysFound = await readGroups(store, items)
  const ids = [...new Set(keysFound.flatMap((key) => items.value(key, group)?.incidentId ?? []))]
  await readIncidents(items, ids)
  const big = ids.filter((id) => {
    const found = incidentIn(items, id)
    return found !== undefined && isBig(found)
  })
  await items.read(big.flatMap((id) => lost.map(({ alertId }) => alertPageKey(id, alertId))))
}

const inhibitorKeys = (concerned: readonly Pick<Concerned, 'labels'>[], view: HubView): string[] =>
  concerned.flatMap(({ labels }) => view.inhibit.map((rule) => inhibitorKey(rule, labels)))

/** What an alert fired as: its service, its labels and the group of its incident may be others by now. */
const readFired = async (items: Items, changes: readonly AlertChange[], view: HubView) => {
  if (changes.length === 0) return
  const hub = hubOf(items)
  const alertIds = new Set(changes.map(({ alertId }) => alertId))
  const fired = [...hub.incidents.values()].flatMap((one) =>
    knownAlerts(hub, one).flatMap(([id, alert]) => (alertIds.has(id) ? [{ ...alert, group: one.group }] : [])),
  )
  await items.read([
    ...inhibitorKeys(fired, view),
    ...fired.map(({ service }) => keys.component(service)),
    ...fired.map((alert) => keys.group(alert.group)),
  ])
}

const parsed = <T>(items: Items, prefix: string, schema: Schema<T>): Map<string, T> =>
  new Map(
    [...items.found.keys()].flatMap((key) => {
      const value = key.startsWith(prefix) ? items.value(key, schema) : undefined
      return value === undefined ? [] : [[key, value] as const]
    }),
  )

const unprefixed = <T>(map: ReadonlyMap<string, T>, prefix: string): Map<string, T> =>
  new Map([...map].map(([key, value]) => [key.slice(prefix.length), value]))

const incidentsOf = (items: Items): Pick<Hub, 'incidents' | 'unreadable'> => {
  const ids = [...items.found.keys()].flatMap((key) =>
    key.startsWith('incident/') ? [key.slice('incident/'.length)] : [],
  )
  const incidents = new Map(ids.flatMap((id) => incidentIn(items, id) ?? []).map((one) => [one.id, one]))
  return { incidents, unreadable: new Set(ids.filter((id) => !incidents.has(id))) }
}

const hubOf = (items: Items): Hub => ({
  index: items.value(keys.hub, hubIndex) ?? emptyIndex,
  silences: items.value(keys.silences, silences)?.silences ?? [],
  groups: unprefixed(parsed(items, 'group/', group), 'group/'),
  ...incidentsOf(items),
  pages: parsed(items, 'alerts/', alertPage),
  components: unprefixed(parsed(items, 'component/', component), 'component/'),
  inhibitors: parsed(items, 'inhibitor/', inhibitor),
})

/** The incidents that a component's next message is about. */
const waitingIncidents = (items: Items, components: readonly string[]): string[] =>
  components.flatMap((service) =>
    Object.values(items.value(keys.component(service), component)?.streams ?? {}).flatMap(
      ({ waiting }) => waiting?.incidentId ?? [],
    ),
  )

/** What the decision on these messages may look at, with the version of everything that was there. */
export const load = async (
  { store, view }: { store: Store; view: HubView },
  messages: readonly CorrelateBody[],
): Promise<Loaded> => {
  const items = new Items(store)
  const changes = changesIn(messages)
  const groups = [...new Set([...changes.map((change) => groupKey(change, view)), stormGroup])]
  const named = incidentsNamed(messages)
  const components = messages.flatMap((message) =>
    message.kind === 'receipt' && message.receipt.order.component ? [message.receipt.order.component.id] : [],
  )
  await items.read([
    keys.hub,
    keys.silences,
    ...groups.map(keys.group),
    ...[...named, ...endsOfSilences(messages)].map(keys.incident),
    ...components.map(keys.component),
  ])
  const timed = messages.flatMap((message) =>
    message.kind === 'incident-timer' ? (incidentIn(items, message.incidentId) ?? []) : [],
  )
  const concerned = [
    ...changes.map((change) => ({ ...change, labels: view.labelsOf(change) })),
    ...timed.flatMap(({ alerts }) => alertsOf(alerts)),
  ]
  const all = [...concerned, ...(await readPages(store, items, timed))]
  const needed = all.flatMap(({ service }) => [service, ...view.dependenciesOf(service)])
  const hidden = (items.value(keys.silences, silences)?.silences ?? []).flatMap(({ hid }) => hid)
  await items.read([
    ...groups.flatMap((key) => items.value(keys.group(key), group)?.incidentId ?? []).map(keys.incident),
    ...newIds(changes, timed, view).map(keys.incident),
    ...timed.map(({ group: key }) => keys.group(key)),
    ...needed.map(keys.component),
    ...inhibitorKeys(all, view),
    ...(messages.some(({ kind }) => kind === 'silence-timer')
      ? hidden.map((one) => keys.incident(one.incidentId))
      : []),
  ])
  const roots = needed.flatMap((service) => items.value(keys.component(service), component)?.incidentId ?? [])
  const own = groups.filter((key) => key !== stormGroup)
  checkReadable(items, [...named, ...own.map((key) => items.value(keys.group(key), group)?.incidentId)])
  const where = holders(items, groups)
  await items.read([
    ...[...roots, ...waitingIncidents(items, components)].map(keys.incident),
    ...where.map((one) => keys.group(one.group)),
    ...where.flatMap(({ id }) => concerned.map(({ alertId }) => alertPageKey(id, alertId))),
  ])
  const fired = changes.filter(({ from, to }) => from === 'firing' || to !== 'firing')
  const lost = fired.filter(({ alertId }) => {
    const holds = ({ id, alerts }: Incident) =>
      (alerts[alertId] ?? items.value(alertPageKey(id, alertId), alertPage)?.[alertId])?.firing === true
    return !where.some(holds)
  })
  await searchLost(store, items, lost)
  await readFired(items, changes, view)
  return { hub: hubOf(items), versions: new Map([...items.found].map(([key, { version }]) => [key, version])) }
}

/** How long a resolved incident is kept. */
const keepResolvedMs = 90 * 86_400_000

const changed = <T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>, keyOf: (name: string) => string) =>
  [...after].flatMap(([name, value]) => (before.get(name) === value ? [] : [{ key: keyOf(name), name, value }]))

/** When an item may be forgotten, if it may. */
const until = (expiresAtMs: number | undefined) => (expiresAtMs === undefined ? {} : { expiresAtMs })

/** When what is over can no longer be opened again. What is part of a storm is found by the storm's own group as well. */
const groupExpiresMs = (
  { name, value }: { name: string; value: Group },
  decision: HubDecision,
  { view, nowMs }: Pick<Context, 'view' | 'nowMs'>,
): number | undefined => {
  const held = decision.incidents.get(value.incidentId)
  const backMs = name === stormGroup ? stormBackMs(view) : view.grouping.reopenMs
  if (held?.resolvedAtMs !== undefined) return held.resolvedAtMs + backMs
  return held && held.group !== name ? nowMs + keepResolvedMs : undefined
}

/** Every item that a decision changed; the index always, so that two decisions side by side conflict. */
export const changesOf = (
  { hub, versions }: Loaded,
  decision: HubDecision,
  at: Pick<Context, 'view' | 'nowMs'>,
): Change[] => {
  const same = (key: string) => key
  const fires = (page: AlertPage) => Object.values(page).some(({ firing }) => firing)
  const whole = [
    { key: keys.hub, value: decision.index },
    ...(decision.silences === hub.silences ? [] : [{ key: keys.silences, value: { silences: decision.silences } }]),
    ...changed(hub.pages, decision.pages, same).map(({ key, value }) => ({
      key,
      value,
      ...until(fires(value) ? undefined : at.nowMs + keepResolvedMs),
    })),
    ...changed(hub.components, decision.components, keys.component),
    ...changed(hub.inhibitors, decision.inhibitors, same).map(({ key, value }) => ({
      key,
      value,
      ...until(Object.keys(value.sources).length > 0 ? undefined : at.nowMs + keepResolvedMs),
    })),
    ...changed(hub.incidents, decision.incidents, keys.incident).map(({ key, value }) => ({
      key,
      value,
      ...until(value.resolvedAtMs === undefined ? undefined : value.resolvedAtMs + keepResolvedMs),
    })),
    ...changed(hub.groups, decision.groups, keys.group).map(({ key, name, value }) => ({
      key,
      value,
      ...until(groupExpiresMs({ name, value }, decision, at)),
    })),
  ]
  return whole.map(({ key, value, ...more }) => {
    const expires = 'expiresAtMs' in more ? { expiresAtMs: more.expiresAtMs } : {}
    // What was not read is new, as another id for an incident is: it conflicts if it is there after all.
    return { key, expect: versions.get(key) ?? 0, value, ...expires }
  })
}
