/** Reads all that a batch of messages may touch, in a few rounds: what is found says where to read on. */
import type { Change, Store, Stored } from '../../stores/contract.ts'
import { type AlertChange, type CorrelateBody, keys } from '../contract.ts'
import {
  alertPage,
  component,
  emptyIndex,
  group,
  hubIndex,
  type Incident,
  incident,
  inhibitor,
  silences,
} from '../hub-state.ts'
import { alertPageKey, alertsKept } from './alerts.ts'
import { groupOf, idPrefix, stormGroup } from './groups.ts'
import type { Hub, HubDecision, HubView } from './hub.ts'
import { incidentId } from './incident.ts'
import { inhibitorKey } from './mutes.ts'

export type Loaded = { hub: Hub; versions: ReadonlyMap<string, number> }

/** An alert as far as it says what may keep it quiet, and where it may lie. */
type Concerned = { alertId: string; service: string; labels: Readonly<Record<string, string>> }

type Schema<T> = { parse: (value: unknown) => T }

/** The items read so far, each read and parsed once: its key says of what shape it is. */
class Items {
  readonly found = new Map<string, Stored>()
  readonly #parsed = new Map<string, unknown>()
  readonly #asked = new Set<string>()
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async read(wanted: readonly string[]): Promise<void> {
    const missing = [...new Set(wanted)].filter((key) => !this.#asked.has(key))
    for (const key of missing) this.#asked.add(key)
    if (missing.length === 0) return
    for (const [key, item] of await this.#store.read(missing)) this.found.set(key, item)
  }

  add(items: ReadonlyMap<string, Stored>): void {
    for (const [key, item] of items) {
      this.#asked.add(key)
      this.found.set(key, item)
    }
  }

  value<T>(key: string, schema: Schema<T>): T | undefined {
    const item = this.found.get(key)
    if (item && !this.#parsed.has(key)) this.#parsed.set(key, schema.parse(item.value))
    return this.#parsed.get(key) as T | undefined // A key has one schema.
  }
}

const changesIn = (messages: readonly CorrelateBody[]): AlertChange[] =>
  messages.flatMap((message) => (message.kind === 'alert-changes' ? message.changes : []))

const incidentsNamed = (messages: readonly CorrelateBody[]): string[] =>
  messages.flatMap((message) => {
    if ('incidentId' in message) return [message.incidentId]
    return message.kind === 'receipt' ? [message.receipt.order.incidentId] : []
  })

const groupKey = (change: AlertChange, view: HubView) =>
  groupOf(view.grouping.by, view.labelsOf(change), change.severity)

const readIncidents = async (items: Items, ids: readonly string[]) => items.read(ids.map(keys.incident))

const incidentIn = (items: Items, id: string | undefined): Incident | undefined =>
  id === undefined ? undefined : items.value(keys.incident(id), incident)

/** The open incidents that alerts of this batch may be in: their groups', and the storm's. */
const holders = (items: Items, groups: readonly string[]): Incident[] =>
  groups.flatMap((key) => incidentIn(items, items.value(keys.group(key), group)?.incidentId) ?? [])

const pageLimit = 300

/** Every page of a big incident whose timer is due: what keeps each alert quiet is looked at again. */
const readPages = async (store: Store, items: Items, big: readonly Incident[]) => {
  for (const { id } of big) items.add(await store.list(`alerts/${id}/`, { limit: pageLimit }))
}

/** Open incidents are searched for an alert only when the config groups alerts by other labels than when it fired. */
const searchLost = async (store: Store, items: Items, lost: readonly AlertChange[]) => {
  if (lost.length === 0) return
  const groups = await store.list('group/', { limit: 500 })
  // Whoever ends an incident writes its group as well.
  items.add(groups)
  const ids = [...new Set([...groups.keys()].flatMap((key) => items.value(key, group)?.incidentId ?? []))]
  await readIncidents(items, ids)
  const big = ids.filter((id) => (incidentIn(items, id)?.counts.alerts ?? 0) > alertsKept)
  await items.read(big.flatMap((id) => lost.map(({ alertId }) => alertPageKey(id, alertId))))
}

const concernedOf = (changes: readonly AlertChange[], timed: readonly Incident[], view: HubView): Concerned[] => [
  ...changes.map((change) => ({ ...change, labels: view.labelsOf(change) })),
  ...timed.flatMap(({ alerts }) => Object.entries(alerts).map(([alertId, alert]) => ({ alertId, ...alert }))),
]

/** The ids that new incidents would have: should there be one of that name, it needs another. */
const newIds = (changes: readonly AlertChange[], timed: readonly Incident[], view: HubView): string[] => [
  ...changes.map((change) => incidentId(idPrefix(groupKey(change, view)), change.sinceMs)),
  ...[...changes, ...timed].map(({ sinceMs }) => incidentId(idPrefix(stormGroup), sinceMs)),
]

const parsed = <T>(items: Items, prefix: string, schema: Schema<T>): Map<string, T> =>
  new Map(
    [...items.found.keys()].flatMap((key) => {
      const value = key.startsWith(prefix) ? items.value(key, schema) : undefined
      return value === undefined ? [] : [[key, value] as const]
    }),
  )

const unprefixed = <T>(map: ReadonlyMap<string, T>, prefix: string): Map<string, T> =>
  new Map([...map].map(([key, value]) => [key.slice(prefix.length), value]))

const hubOf = (items: Items): Hub => ({
  index: items.value(keys.hub, hubIndex) ?? emptyIndex,
  silences: items.value(keys.silences, silences)?.silences ?? [],
  groups: unprefixed(parsed(items, 'group/', group), 'group/'),
  incidents: unprefixed(parsed(items, 'incident/', incident), 'incident/'),
  pages: parsed(items, 'alerts/', alertPage),
  components: unprefixed(parsed(items, 'component/', component), 'component/'),
  inhibitors: parsed(items, 'inhibitor/', inhibitor),
})

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
    ...named.map(keys.incident),
    ...components.map(keys.component),
  ])
  const timed = messages.flatMap((message) =>
    message.kind === 'incident-timer' ? (incidentIn(items, message.incidentId) ?? []) : [],
  )
  const concerned = concernedOf(changes, timed, view)
  const needed = concerned.flatMap(({ service }) => [service, ...view.dependenciesOf(service)])
  const hidden = (items.value(keys.silences, silences)?.silences ?? []).flatMap(({ hid }) => hid)
  await items.read([
    ...groups.flatMap((key) => items.value(keys.group(key), group)?.incidentId ?? []).map(keys.incident),
    ...newIds(changes, timed, view).map(keys.incident),
    ...timed.map(({ group: key }) => keys.group(key)),
    ...needed.map(keys.component),
    ...concerned.flatMap(({ labels }) => view.inhibit.map((rule) => inhibitorKey(rule, labels))),
    ...(messages.some(({ kind }) => kind === 'silence-timer')
      ? hidden.map((one) => keys.incident(one.incidentId))
      : []),
  ])
  const big = timed.filter(({ counts }) => counts.alerts > alertsKept)
  const roots = needed.flatMap((service) => items.value(keys.component(service), component)?.incidentId ?? [])
  const waiting = components.flatMap((service) =>
    Object.values(items.value(keys.component(service), component)?.streams ?? {}).flatMap(
      (stream) => stream.waiting?.incidentId ?? [],
    ),
  )
  const where = holders(items, groups)
  await Promise.all([
    items.read([
      ...[...roots, ...waiting].map(keys.incident),
      ...where.flatMap(({ id }) => concerned.map(({ alertId }) => alertPageKey(id, alertId))),
    ]),
    readPages(store, items, big),
  ])
  const lost = changes.filter(({ to, alertId }) => {
    if (to === 'firing') return false
    const holds = ({ id, alerts }: Incident) =>
      alerts[alertId] !== undefined || items.value(alertPageKey(id, alertId), alertPage)?.[alertId] !== undefined
    return !where.some(holds)
  })
  await searchLost(store, items, lost)
  return { hub: hubOf(items), versions: new Map([...items.found].map(([key, { version }]) => [key, version])) }
}

/** How long a resolved incident is kept. */
const keepResolvedMs = 90 * 86_400_000

const changed = <T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>, keyOf: (name: string) => string) =>
  [...after].flatMap(([name, value]) => (before.get(name) === value ? [] : [{ key: keyOf(name), name, value }]))

/** Every item that a decision changed; the index always, so that two decisions side by side conflict. */
export const changesOf = ({ hub, versions }: Loaded, decision: HubDecision, view: HubView): Change[] => {
  const same = (key: string) => key
  const whole = [
    { key: keys.hub, value: decision.index },
    ...(decision.silences === hub.silences ? [] : [{ key: keys.silences, value: { silences: decision.silences } }]),
    ...changed(hub.pages, decision.pages, same),
    ...changed(hub.components, decision.components, keys.component),
    ...changed(hub.inhibitors, decision.inhibitors, same),
    ...changed(hub.incidents, decision.incidents, keys.incident).map(({ key, value }) => ({
      key,
      value,
      ...(value.resolvedAtMs === undefined ? {} : { expiresAtMs: value.resolvedAtMs + keepResolvedMs }),
    })),
    // A group is forgotten when what is over can no longer be opened again.
    ...changed(hub.groups, decision.groups, keys.group).map(({ key, value }) => {
      const endedMs = decision.incidents.get(value.incidentId)?.resolvedAtMs
      return { key, value, ...(endedMs === undefined ? {} : { expiresAtMs: endedMs + view.grouping.reopenMs }) }
    }),
  ]
  return whole.map(({ key, value, ...more }) => {
    const expires = 'expiresAtMs' in more ? { expiresAtMs: more.expiresAtMs } : {}
    return { key, expect: versions.get(key) ?? 0, value, ...expires }
  })
}
