import { sinceWhen } from './past.ts'
import { isOld, leadMs, type Times, type Trouble } from './troubles.ts'
import { clock, percent } from './wording.ts'
import { livePods, readiness, type Town, type Workload } from './workloads.ts'

const whole = { longStanding: false, pods: [] }

/** Nobody wants any pod: a hand that scaled it down, if the window saw it happen. */
const scaledToZero = (town: Town, { desired }: Workload, times: Times): Trouble[] => {
  if (desired?.value !== 0) return []
  const run = sinceWhen(town.series, desired, (value) => value === 0)
  if (!run?.seenToBegin) return []
  const says = `was scaled to 0 at ${clock(run.atMs, times.nowMs)}`
  return [{ ...whole, kind: 'scaled-to-zero', says, brief: 'scaled to 0', atMs: run.atMs }]
}

const conditionSince = (town: Town, { namespace, name }: Workload, condition: string) => {
  const sample = town.find('kube_deployment_status_condition', {
    namespace,
    deployment: name,
    condition,
    status: 'true',
  })
  return sample && sinceWhen(town.series, sample, (value) => value === 1)
}

/** The controller is refused new pods: a quota, a limit range, an admission webhook. */
const refusedPods = (town: Town, workload: Workload, times: Times): Trouble[] => {
  const refused = workload.kind === 'Deployment' ? conditionSince(town, workload, 'ReplicaFailure') : undefined
  if (!refused) return []
  const have = readiness(workload)
  const says = `its pods are refused (ReplicaFailure: a quota or an admission rule)${have ? `, ${have.ready} of ${have.desired} ready` : ''}`
  return [
    {
      ...whole,
      kind: 'cannot-create-pods',
      says,
      brief: 'pods refused',
      atMs: refused.atMs,
      longStanding: isOld(refused, times),
    },
  ]
}

/** The autoscaler is at its ceiling and would go further. */
const saturated = (town: Town, { namespace, name, kind }: Workload, times: Times): Trouble[] => {
  const hpa = town.find('kube_horizontalpodautoscaler_info', {
    namespace,
    scaletargetref_kind: kind,
    scaletargetref_name: name,
  })?.labels['horizontalpodautoscaler']
  if (hpa === undefined) return []
  const own = { namespace, horizontalpodautoscaler: hpa }
  const max = town.find('kube_horizontalpodautoscaler_spec_max_replicas', own)?.value
  const wanted = town.find('kube_horizontalpodautoscaler_status_desired_replicas', own)
  const limited = town.find('kube_horizontalpodautoscaler_status_condition', {
    ...own,
    condition: 'ScalingLimited',
    status: 'true',
  })
  if (max === undefined || !wanted || wanted.value < max || limited?.value !== 1) return []
  const run = sinceWhen(town.series, wanted, (value) => value >= max)
  const atMs = run?.atMs ?? times.nowMs
  const says = `is at the autoscaler's maximum of ${max} pods${utilisation(town, own)}`
  return [
    {
      ...whole,
      kind: 'saturated',
      says,
      brief: `at its maximum of ${max} pods`,
      atMs,
      // Some are always at their maximum, by choice: only reaching it is news.
      longStanding: !run?.seenToBegin || atMs < times.sinceMs - leadMs,
    },
  ]
}

const utilisation = (town: Town, own: Readonly<Record<string, string>>): string => {
  const metric = (name: string) =>
    town.find(`kube_horizontalpodautoscaler_${name}_target_metric`, { ...own, metric_target_type: 'utilization' })
  const target = metric('spec')
  const now = metric('status')
  if (!target || !now || now.value <= target.value) return ''
  return `, ${now.labels['metric_name'] ?? 'load'} at ${percent(now.value / 100)} where ${percent(target.value / 100)} is wanted`
}

/** Fewer pods than wanted, and nothing above says why. */
const missingPods = (town: Town, workload: Workload): Trouble[] => {
  const have = readiness(workload)
  const exist = livePods(workload).length
  // Pods that a scrape does not show are missing from the scrape first of all.
  const shown = town.series.incomplete === undefined && town.series.named('kube_pod_owner').length > 0
  if (!have || !shown || exist >= have.desired || exist < have.ready) return []
  const says = `only ${exist} of ${have.desired} wanted pods exist`
  return [{ ...whole, kind: 'replicas-missing', says, brief: `${exist} of ${have.desired} pods exist` }]
}

/** What is wrong with the number of the workload's pods. */
export const scaleTroubles = (town: Town, workload: Workload, times: Times): Trouble[] => {
  const refused = refusedPods(town, workload, times)
  return [
    ...scaledToZero(town, workload, times),
    ...refused,
    ...saturated(town, workload, times),
    ...(refused.length === 0 ? missingPods(town, workload) : []),
  ]
}
