import type { ComponentStatus } from './contract.ts'

/** What the public is told of a component: also that nobody can look at it. */
export type ShownStatus = ComponentStatus | 'unknown'

const worstFirst: readonly ShownStatus[] = [
  'major_outage',
  'partial_outage',
  'degraded_performance',
  'unknown',
  'under_maintenance',
  'operational',
]

/** The worst of some; undefined of none. */
export const worstOf = <Status extends ShownStatus>(statuses: readonly Status[]): Status | undefined =>
  statuses.toSorted((a, b) => worstFirst.indexOf(a) - worstFirst.indexOf(b))[0]
