import { keys } from '../../functions/contract.ts'
import { emptyIndex, type Incident, type IncidentAlert } from '../../functions/hub-state.ts'
import type { Store } from '../../stores/contract.ts'
import { firingAlert, openIncident, start } from './builders.ts'

export const sinceMs = start

export const firing = (service: string, at: Partial<IncidentAlert> = {}): IncidentAlert =>
  firingAlert({
    ruleId: `${service}-down`,
    service,
    summary: `${service} fails from local`,
    labels: { service, severity: 'page' },
    ...at,
  })

/** An incident with one alert, as `correlate` keeps it. */
export const storedIncident = (service: string, at: Partial<Incident> = {}): Incident =>
  openIncident({
    id: `${service}-20261123-060000`,
    group: service,
    service,
    alerts: { [`${service}-down`]: firing(service) },
    counts: { alerts: 1, firing: 1, audible: 1 },
    ...at,
  })

/** Puts incidents into a store that has no hub yet, the newest first. */
export const putIncidents = (store: Store, incidents: readonly Incident[]) =>
  store.commit([
    { key: keys.hub, expect: 0, value: { ...emptyIndex, recent: incidents.map(({ id }) => id) } },
    ...incidents.map((one) => ({ key: keys.incident(one.id), expect: 0, value: one })),
  ])
