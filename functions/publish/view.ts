import { type ShownStatus, worstOf } from '../component-status.ts'
import type { ComponentStatus } from '../contract.ts'
import { isFresh } from '../freshness.ts'
import type { Component, Incident } from '../hub-state.ts'
import type { LatestOutcome, MonitorView } from '../latest-outcomes.ts'

export type StatusView = {
  title: string
  atMs: number
  overall: ShownStatus
  components: { id: string; status: ShownStatus; sinceMs?: number }[]
  /** `status`: its service's own; an incident may hold what fails of others. */
  open: { id: string; service: string; sinceMs: number; status: ComponentStatus; firing: boolean }[]
  past: { id: string; service: string; sinceMs: number; resolvedAtMs: number }[]
}

/** Monitors that somebody could look at lately: a component with another is unknown, never operational. */
const monitorsSeen = (outcomes: readonly LatestOutcome[], nowMs: number) =>
  new Set(outcomes.flatMap((look) => (look.verdict !== 'unknown' && isFresh(look, nowMs) ? [look.monitorId] : [])))

/** What the public may see: components and incidents, never suspects or evidence. */
export const statusView = (
  at: { title: string; nowMs: number; monitors: readonly MonitorView[] },
  seen: {
    components: ReadonlyMap<string, Component>
    incidents: readonly Incident[]
    outcomes: readonly LatestOutcome[]
  },
): StatusView => {
  const lookedAt = monitorsSeen(seen.outcomes, at.nowMs)
  const services = Map.groupBy(at.monitors, ({ service }) => service)
  const components = [...services].map(([id, monitors]) => {
    const component = seen.components.get(id)
    const published = component?.status ?? 'operational'
    const blind = monitors.some(({ monitorId }) => !lookedAt.has(monitorId))
    const status: ShownStatus = published === 'operational' && blind ? 'unknown' : published
    const incident = seen.incidents.find((one) => one.id === component?.incidentId)
    return { id, status, ...(incident && status !== 'operational' ? { sinceMs: incident.sinceMs } : {}) }
  })
  const told = seen.incidents.filter(({ severity }) => severity !== 'advisory')
  const open = told
    .filter(({ status }) => status !== 'resolved')
    .map(({ id, service, sinceMs, counts }) => ({
      id,
      service,
      sinceMs,
      firing: counts.firing > 0,
      status: seen.components.get(service)?.status ?? 'operational',
    }))
  // What no monitor watches is no component, and counts when it fails.
  const failing = open.flatMap(({ status }) => (status === 'operational' ? [] : [status]))
  return {
    title: at.title,
    atMs: at.nowMs,
    components,
    overall: worstOf([...components.map(({ status }) => status), ...failing]) ?? 'unknown',
    open,
    past: told.flatMap(({ id, service, sinceMs, resolvedAtMs }) =>
      resolvedAtMs === undefined ? [] : [{ id, service, sinceMs, resolvedAtMs }],
    ),
  }
}
