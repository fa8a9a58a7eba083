import type { Labels } from '../../rules/contract.ts'
import type { AlertChange, OutboxRow } from '../contract.ts'
import {
  type AlertPage,
  type Component,
  type Group,
  type HubIndex,
  type Incident,
  type Inhibitor,
  quietComponent,
  type Silence,
} from '../hub-state.ts'
import type { ActiveWindow } from '../maintenance.ts'
import type { Routing } from './routing.ts'

export type InhibitView = {
  /** The same for the same rule, whatever else is in the config. */
  id: string
  source: readonly string[]
  target: readonly string[]
  equal: readonly string[]
}

/** What `correlate` knows of the config. */
export type HubView = {
  routing: Routing
  statusChannels: readonly string[]
  /** Is it in the config, whoever it speaks to? */
  isChannel: (channel: string) => boolean
  /** Is it in the config? Others, such as whodunit itself or what a Prometheus alone knows, are nothing for the public. */
  isService: (service: string) => boolean
  /** The availability rules that watch a service. */
  availabilityRules: (service: string) => readonly string[]
  /** What matchers and grouping see of an alert. */
  labelsOf: (change: Pick<AlertChange, 'ruleId' | 'service' | 'severity' | 'labels'>) => Labels
  /** Every service this one needs, directly or not. */
  dependenciesOf: (service: string) => readonly string[]
  /** How long a service may take to be seen well again, once what it depends on is. */
  settleMs: (service: string) => number
  inhibit: readonly InhibitView[]
  maintenanceAt: (nowMs: number) => readonly ActiveWindow[]
  grouping: { by: readonly string[]; reopenMs: number; stormIncidents: number; updateEveryMs: number }
}

/** Everything a decision may look at and change; the step has read what the messages need. */
export type Hub = {
  index: HubIndex
  silences: readonly Silence[]
  /** By group. */
  groups: ReadonlyMap<string, Group>
  /** By id. */
  incidents: ReadonlyMap<string, Incident>
  /** Ids of incidents that are there and cannot be read: a newer version wrote them. */
  unreadable: ReadonlySet<string>
  /** By item key, as are the inhibitors. */
  pages: ReadonlyMap<string, AlertPage>
  /** By service. */
  components: ReadonlyMap<string, Component>
  inhibitors: ReadonlyMap<string, Inhibitor>
}

export type HubDecision = Hub & { rows: readonly OutboxRow[] }

/**
 * `atOnce`: so many changes of one big incident, so many silences' ends; the rest is done a second later.
 * `shard`: the one that tells of the alerts in hand, if one does.
 */
export type Context = { view: HubView; nowMs: number; atOnce: number; shard?: string | undefined }

const withEntry = <T>(map: ReadonlyMap<string, T>, key: string, value: T) => new Map(map).set(key, value)

export const putIncident = (hub: HubDecision, incident: Incident): HubDecision => ({
  ...hub,
  incidents: withEntry(hub.incidents, incident.id, incident),
})
export const putGroup = (hub: HubDecision, key: string, group: Group): HubDecision => ({
  ...hub,
  groups: withEntry(hub.groups, key, group),
})
export const putPage = (hub: HubDecision, key: string, page: AlertPage): HubDecision => ({
  ...hub,
  pages: withEntry(hub.pages, key, page),
})
export const putComponent = (hub: HubDecision, service: string, component: Component): HubDecision => ({
  ...hub,
  components: withEntry(hub.components, service, component),
})
export const putInhibitor = (hub: HubDecision, key: string, inhibitor: Inhibitor): HubDecision => ({
  ...hub,
  inhibitors: withEntry(hub.inhibitors, key, inhibitor),
})
export const addRows = (hub: HubDecision, rows: readonly OutboxRow[]): HubDecision =>
  rows.length === 0 ? hub : { ...hub, rows: [...hub.rows, ...rows] }

export const componentOf = (hub: Hub, service: string): Component => hub.components.get(service) ?? quietComponent

/** The incident as it is now; whoever asks has put it there. */
export const incidentNow = (hub: Hub, { id }: Pick<Incident, 'id'>, otherwise: Incident): Incident =>
  hub.incidents.get(id) ?? otherwise

/** The incident of a group, open or just over. */
export const incidentOf = (hub: Hub, group: string): Incident | undefined => {
  const found = hub.groups.get(group)
  return found && hub.incidents.get(found.incidentId)
}
