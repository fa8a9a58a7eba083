/** All that the simulator knows of how `correlate` keeps its state, and of its view of the config. */

import { involvedServices } from '../../config/contract.ts'
import type { HubView } from '../../functions/correlate/hub.ts'
import { ownService } from '../../functions/dead-letter.ts'
import { freshForMs } from '../../functions/freshness.ts'
import { type Component, component, group, type Incident, incident } from '../../functions/hub-state.ts'
import { maintenanceAt } from '../../functions/maintenance.ts'
import type { Store } from '../../stores/contract.ts'
import { minuteMs } from './calendar.ts'
import type { Town } from './town.ts'

const reopenMs = 5 * minuteMs

export const hubViewOf = ({ routes, people, statusChannels, rules, services, monitors, ...town }: Town): HubView => {
  const graph = Object.fromEntries(services.map(({ id, dependsOn }) => [id, { dependsOn: [...dependsOn] }]))
  const needs = new Map(services.map(({ id }) => [id, involvedServices(graph, id).map(({ service }) => service)]))
  const settle = new Map(
    [...Map.groupBy(monitors, ({ service }) => service)].map(([service, own]) => [
      service,
      Math.max(...own.map(({ periodSeconds }) => freshForMs(periodSeconds))),
    ]),
  )
  return {
    routing: { routes, people, teamOf: () => undefined, isWithin: () => true },
    statusChannels,
    isChannel: () => true,
    isService: (service) => services.some(({ id }) => id === service),
    availabilityRules: (service) =>
      rules.flatMap(({ id, severity, spec, monitor }) =>
        spec.kind === 'availability' && severity === 'page' && monitor.service === service ? [id] : [],
      ),
    labelsOf: ({ ruleId, service, severity, labels }) => ({ ...labels, alertname: ruleId, service, severity }),
    dependenciesOf: (service) => (needs.get(service) ?? []).filter((one) => one !== service),
    settleMs: (service) => settle.get(service) ?? 2 * minuteMs,
    inhibit: town.wishes.inhibit,
    maintenanceAt: (nowMs) => maintenanceAt(town.wishes.maintenance, nowMs),
    grouping: { ...town.grouping, reopenMs, updateEveryMs: minuteMs },
  }
}

export type Outcome = { incidents: Incident[]; groups: Map<string, string>; components: Map<string, Component> }

export const outcomeOf = async (store: Store): Promise<Outcome> => {
  const [items, groups, components] = await Promise.all([
    store.list('incident/', { limit: 1000 }),
    store.list('group/', { limit: 1000 }),
    store.list('component/', { limit: 1000 }),
  ])
  return {
    incidents: [...items.values()].map(({ value }) => incident.parse(value)),
    groups: new Map([...groups].map(([key, { value }]) => [key, group.parse(value).incidentId])),
    components: new Map([...components].map(([key, { value }]) => [key, component.parse(value)])),
  }
}

/** What happened to ourselves is told for an hour; a town need not last until then. */
const isUnderWay = ({ service, alerts }: Incident, nowMs: number): boolean =>
  service === ownService && Object.values(alerts).some(({ firing, endsAtMs = 0 }) => firing && endsAtMs > nowMs)

/** Incidents that are not over: those that ought to be, and those whose time has not come. */
export const openIncidents = async (
  store: Store,
  nowMs: number,
): Promise<{ late: Incident[]; underWay: Incident[] }> => {
  const { incidents } = await outcomeOf(store)
  const open = incidents.filter(({ status }) => status !== 'resolved')
  const underWay = open.filter((one) => isUnderWay(one, nowMs))
  return { late: open.filter((one) => !underWay.includes(one)), underWay }
}

/** The rules whose alerts are in an incident. */
export const rulesOf = ({ alerts }: Incident): string[] => Object.values(alerts).map(({ ruleId }) => ruleId)

/** Does such a message wake somebody? What was over is news again with one. */
export const isPage = (event: string): boolean => event === 'opened' || event === 'reopened'

/** What `correlate` still waits for, in words. */
export const unfinished = ({ incidents, components }: Outcome, late: readonly Incident[]): string[] => [
  ...late.map(({ id, status }) => `incident ${id} is ${status}`),
  ...incidents.flatMap(({ id, channels }) =>
    Object.entries(channels).flatMap(([channel, { inFlight, waiting }]) =>
      inFlight || waiting.length > 0 ? [`${id} still waits for ${channel}`] : [],
    ),
  ),
  ...[...components].flatMap(([id, { status, streams, firing }]) => [
    ...(status === 'operational' ? [] : [`${id} is ${status}`]),
    ...(firing.page + firing.ticket + firing.availability === 0 ? [] : [`${id} counts alerts that are over`]),
    ...Object.entries(streams).flatMap(([channel, { inFlight }]) =>
      inFlight ? [`${id} still waits for ${channel}`] : [],
    ),
  ]),
]
