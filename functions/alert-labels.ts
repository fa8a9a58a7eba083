import type { IncidentAlert } from './hub-state.ts'

/** What matchers see of an alert: its own labels and whose it is, how bad, and which rule said so. */
export const matchable = (
  alert: Pick<IncidentAlert, 'labels' | 'service' | 'severity' | 'ruleId'>,
): Record<string, string> => ({
  alertname: alert.ruleId,
  ...alert.labels,
  service: alert.service,
  severity: alert.severity,
})
