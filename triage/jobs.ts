import { leadMs, type Times, type Trouble } from './troubles.ts'
import { clock, count } from './wording.ts'
import type { Town, Workload } from './workloads.ts'

/** The newest run of a CronJob, or the Job itself, when it failed. An older failure a later run made good is no news. */
export const jobTroubles = (town: Town, workload: Workload, times: Times): Trouble[] => {
  const { kind, namespace, name } = workload
  if (kind !== 'CronJob' && kind !== 'Job') return []
  const jobs = town.series
    .named('kube_job_created')
    .filter(({ labels }) => labels['namespace'] === namespace)
    .filter(({ labels }) => {
      const job = labels['job_name'] ?? ''
      if (kind === 'Job') return job === name
      return town.find('kube_job_owner', { namespace, job_name: job, owner_kind: 'CronJob', owner_name: name })
    })
    .sort((a, b) => b.value - a.value)
  const [newest] = jobs
  const job = newest?.labels['job_name']
  if (!newest || job === undefined) return []
  if (town.find('kube_job_failed', { namespace, job_name: job, condition: 'true' })?.value !== 1) return []
  const reason = town.series
    .named('kube_job_status_failed')
    .find(({ value, labels }) => value > 0 && labels['job_name'] === job && labels['namespace'] === namespace)?.labels[
    'reason'
  ]
  const pods = workload.pods.filter(({ owner, phase }) => owner === job && phase === 'Failed').length
  const atMs = newest.value * 1000
  const failed = `job ${job} failed${reason ? ` (${reason})` : ''}${pods > 0 ? `, ${count(pods, 'pod')} of it failed` : ''}`
  return [
    {
      kind: 'job-failed',
      says: `${failed}, started ${clock(atMs, times.nowMs)}`,
      brief: `job ${job} failed`,
      atMs,
      // A job runs a while before it fails, so its start may lie well before the incident.
      longStanding: atMs < times.sinceMs - 12 * leadMs,
      pods: [],
    },
  ]
}
