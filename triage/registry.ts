import type { Selector } from '../sources/contract.ts'
import type { Question } from './contract.ts'
import { healthChecksPassing } from './questions/health-checks-passing.ts'
import { logsLookOkay } from './questions/logs-look-okay.ts'
import { resourcesOkay } from './questions/resources-okay.ts'
import { serviceRunning } from './questions/service-running.ts'
import { trafficOkay } from './questions/traffic-okay.ts'
import { whatChanged } from './questions/what-changed.ts'
import { whoseIsIt } from './questions/whose-is-it.ts'

/** The checklist, in the talk's order; a new question is a line here. */
export const questions: readonly Question[] = [
  serviceRunning,
  healthChecksPassing,
  logsLookOkay,
  trafficOkay,
  resourcesOkay,
  whatChanged,
  whoseIsIt,
]

/** Many questions read the same series: each selector once. */
const union = (selectors: readonly Selector[]): Selector[] => [
  ...new Map(selectors.map((selector) => [JSON.stringify(selector), selector])).values(),
]

/** What triage wants of a source of this kind, now. */
export const seriesToRead = (sourceKind: string): Selector[] =>
  union(questions.flatMap(({ reads }) => reads[sourceKind] ?? []))

/** The part of it whose past triage needs: what `scrape` keeps in the cluster's window. */
export const seriesToRemember = (sourceKind: string): Selector[] =>
  union(questions.flatMap(({ remembers }) => remembers[sourceKind] ?? []))
