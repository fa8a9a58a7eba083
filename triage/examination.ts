import { configTroubles, recentRollout, rolloutTroubles } from './changes.ts'
import type { Placed } from './involved.ts'
import { jobTroubles } from './jobs.ts'
import { type NodeTrouble, nodeTroubles } from './nodes.ts'
import { scaleTroubles } from './scale.ts'
import { podTroubles, type Times, type Trouble } from './troubles.ts'
import { clock } from './wording.ts'
import { readiness, type Town, type Workload } from './workloads.ts'

/** `batch` is a CronJob or Job, of which nothing need run now; `unknown` is never as good as `ready`. */
export type State = 'ready' | 'partly' | 'down' | 'stopped' | 'batch' | 'missing' | 'unknown'

export type Finding = {
  placed: Placed
  state: State
  /** Why it is missing or unknown. */
  why?: string
  workload?: Workload
  troubles: Trouble[]
  /** A rollout that came after the incident began: worth a word, no suspect. */
  lateRollout?: string
}

export type Examination = { findings: Finding[]; nodes: NodeTrouble[] }

const stateOf = (workload: Workload): State => {
  if (workload.kind === 'CronJob' || workload.kind === 'Job') return 'batch'
  const have = readiness(workload)
  if (!have) return 'unknown'
  if (have.desired === 0) return 'stopped'
  if (have.ready >= have.desired) return 'ready'
  return have.ready === 0 ? 'down' : 'partly'
}

/** A workload without one series is deleted, misspelt or not exported: the window and its neighbours tell which. */
const absent = (town: Town, placed: Placed): Finding => {
  const { namespace, workload } = placed
  const base = { placed, troubles: [] }
  const { incomplete } = town.series
  if (incomplete !== undefined) return { ...base, state: 'unknown', why: `the scrape was incomplete (${incomplete})` }
  if (!town.knowsNamespace(namespace))
    return { ...base, state: 'unknown', why: `kube-state-metrics shows nothing of namespace ${namespace}` }
  const wasThere = [
    'kube_deployment_spec_replicas',
    'kube_statefulset_replicas',
    'kube_daemonset_status_desired_number_scheduled',
  ].some((name) =>
    town.series
      .goneOf(name)
      .some(
        ({ labels }) =>
          labels['namespace'] === namespace &&
          [labels['deployment'], labels['statefulset'], labels['daemonset']].includes(workload),
      ),
  )
  const deleted: Trouble = {
    kind: 'deleted',
    says: 'was there a while ago and is deleted',
    brief: 'deleted',
    longStanding: false,
    pods: [],
  }
  return {
    ...base,
    state: 'missing',
    why: `no such workload seen in namespace ${namespace}`,
    troubles: wasThere ? [deleted] : [],
  }
}

const examineOne = (town: Town, placed: Placed, times: Times): Finding => {
  const workload = town.workload({ namespace: placed.namespace, name: placed.workload })
  if (!workload) return absent(town, placed)
  const troubles = [
    ...podTroubles(town, workload, times),
    ...scaleTroubles(town, workload, times),
    ...jobTroubles(town, workload, times),
  ]
  const rollout = recentRollout(town, workload, times)
  return {
    placed,
    workload,
    state: stateOf(workload),
    troubles: [
      ...troubles,
      ...rolloutTroubles(town, workload, { times, troubles }),
      ...configTroubles(town, workload, times),
    ],
    ...(rollout?.afterTheFact && {
      lateRollout: `${placed.workload}: a rollout began at ${clock(rollout.atMs, times.nowMs)}, after the incident`,
    }),
  }
}

/** Looks at every workload of one cluster, and at the nodes under them. */
export const examine = (town: Town, placed: readonly Placed[], times: Times): Examination => {
  const findings = placed.map((one) => examineOne(town, one, times))
  const workloads = findings.flatMap(({ workload }) => workload ?? [])
  return { findings, nodes: nodeTroubles(town, workloads, times) }
}
