import type { Sample } from '../../sources/contract.ts'
import { noon, parse, type Scraped } from './witness-stand.ts'

export type PodPlan = {
  hash?: string
  suffix?: string
  node?: string
  phase?: string
  ready?: boolean
  createdAtMs?: number
  image?: string
  running?: boolean
  waiting?: string
  restarts?: number
  exit?: { reason: string; code: number; atMs: number }
  /** Why it lies dead right now, not yet restarted. */
  dead?: string
  unschedulable?: boolean
  /** Containers besides the main one, all well. */
  sidecars?: string[]
}
export type DeploymentPlan = {
  name: string
  desired?: number
  ready?: number
  pods?: PodPlan[]
  createdAtMs?: Record<string, number>
}

const day = 86_400_000
const seconds = (ms: number) => ms / 1000

const containerLines = (own: string, name: string, pod: PodPlan): string[] => {
  const labels = `${own},container="${name}"`
  const { waiting, restarts = 0, exit, image = `registry.example/${name}:1` } = pod
  const running = pod.running ?? (waiting === undefined && pod.dead === undefined)
  return [
    `kube_pod_container_info{${labels},image_spec="${image}",image="${image}"} 1`,
    `kube_pod_container_resource_limits{${labels},resource="memory",unit="byte"} 134217728`,
    `kube_pod_container_status_running{${labels}} ${running ? 1 : 0}`,
    `kube_pod_container_status_ready{${labels}} ${(pod.ready ?? true) ? 1 : 0}`,
    `kube_pod_container_status_restarts_total{${labels}} ${restarts}`,
    ...(pod.dead ? [`kube_pod_container_status_terminated_reason{${labels},reason="${pod.dead}"} 1`] : []),
    ...(waiting ? [`kube_pod_container_status_waiting_reason{${labels},reason="${waiting}"} 1`] : []),
    ...(exit
      ? [
          `kube_pod_container_status_last_terminated_reason{${labels},reason="${exit.reason}"} 1`,
          `kube_pod_container_status_last_terminated_exitcode{${labels}} ${exit.code}`,
          `kube_pod_container_status_last_terminated_timestamp{${labels}} ${seconds(exit.atMs)}`,
        ]
      : []),
  ]
}

const podLines = (deployment: string, pod: PodPlan, index: number): string[] => {
  const { hash = '5b7f6d9c7c', suffix = `aaaa${index + 2}`, node = 'n1', phase = 'Running', ready = true } = pod
  const own = `namespace="shop",pod="${deployment}-${hash}-${suffix}",uid="${deployment}-${suffix}"`
  return [
    `kube_pod_owner{${own},owner_kind="ReplicaSet",owner_name="${deployment}-${hash}"} 1`,
    `kube_pod_info{${own},node="${node}"} 1`,
    `kube_pod_created{${own}} ${seconds(pod.createdAtMs ?? noon - day)}`,
    `kube_pod_status_phase{${own},phase="${phase}"} 1`,
    `kube_pod_status_ready{${own},condition="true"} ${ready ? 1 : 0}`,
    ...(pod.unschedulable ? [`kube_pod_status_unschedulable{${own}} 1`] : []),
    ...containerLines(own, deployment, pod),
    ...(pod.sidecars ?? []).flatMap((name) => containerLines(own, name, {})),
  ]
}

const deploymentLines = (plan: DeploymentPlan): string[] => {
  const { name, pods = [{}], desired = pods.length } = plan
  const ready = plan.ready ?? pods.filter((pod) => pod.ready ?? true).length
  const hashes = [...new Set(['5b7f6d9c7c', ...pods.map(({ hash }) => hash ?? '5b7f6d9c7c')])]
  return [
    `kube_deployment_spec_replicas{namespace="shop",deployment="${name}"} ${desired}`,
    `kube_deployment_status_replicas_ready{namespace="shop",deployment="${name}"} ${ready}`,
    ...hashes.flatMap((hash) => {
      const own = `namespace="shop",replicaset="${name}-${hash}"`
      const wanted = pods.filter((pod) => (pod.hash ?? '5b7f6d9c7c') === hash).length
      return [
        `kube_replicaset_owner{${own},owner_kind="Deployment",owner_name="${name}"} 1`,
        `kube_replicaset_created{${own}} ${seconds(plan.createdAtMs?.[hash] ?? noon - day)}`,
        `kube_replicaset_spec_replicas{${own}} ${wanted}`,
      ]
    }),
    ...pods.flatMap((pod, index) => podLines(name, pod, index)),
  ]
}

/** What kube-state-metrics would say of these Deployments in namespace `shop`, and of anything else given as text. */
export const cluster = (plans: readonly DeploymentPlan[], extra = ''): Sample[] =>
  parse([...plans.flatMap(deploymentLines), extra].join('\n'))

/** Scrapes one every half minute, the last one half a minute after noon. */
export const scrapes = (...each: readonly Sample[][]): Scraped[] =>
  each.map((samples, index) => ({ atMs: noon + 30_000 * (index + 2 - each.length), samples }))
