import type { Reading } from '../sources/contract.ts'
import type { Testimony } from './contract.ts'
import type { Placed } from './involved.ts'
import { seriesOf, sinceWhen } from './past.ts'
import { isOld, leadMs, type Times } from './troubles.ts'
import { clock, count, list } from './wording.ts'
import { type Town, townOf, type Workload } from './workloads.ts'

/** A node in trouble that carries pods of the workloads in question. */
export type NodeTrouble = {
  node: string
  kind: 'node-not-ready' | 'node-not-ready-partly' | 'node-pressure'
  says: string
  atMs: number
  longStanding: boolean
  /** `namespace/name` of the workloads that had too few ready pods since: its victims. */
  hurts: string[]
}

type Condition = { atMs: number; seenToBegin: boolean; what: string }

/** Not ready, or under pressure, and since when. Ready `unknown` is a node that stopped reporting. */
const conditionOf = (town: Town, node: string): { lost?: Condition; pressure?: Condition } => {
  const state = (condition: string, status: string) =>
    town.find('kube_node_status_condition', { node, condition, status })
  const ready = state('Ready', 'true')
  const silent = state('Ready', 'unknown')?.value === 1
  const run = ready && sinceWhen(town.series, ready, (value) => value === 0)
  const pressures = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].flatMap((condition) => {
    const sample = state(condition, 'true')
    const began = sample && sinceWhen(town.series, sample, (value) => value === 1)
    return began ? [{ ...began, what: condition }] : []
  })
  return {
    ...(run && { lost: { ...run, what: silent ? 'stopped reporting' : 'is not ready' } }),
    ...(pressures[0] && { pressure: pressures[0] }),
  }
}

const podsOn = (node: string, workload: Workload) => workload.pods.filter((pod) => pod.node === node)

/** Did the workload have fewer ready pods than it wants, now or at some time since shortly before the incident? */
const fellShort = (town: Town, { ready, desired }: Workload, times: Times): boolean =>
  ready !== undefined &&
  desired !== undefined &&
  town.series.points(ready).some(({ atMs, value }) => atMs >= times.sinceMs - leadMs && value < desired.value)

/** Nodes with trouble under the given workloads. Pods being deleted count: they are the ones a dead node keeps. */
export const nodeTroubles = (town: Town, workloads: readonly Workload[], times: Times): NodeTrouble[] => {
  const nodes = [...new Set(workloads.flatMap(({ pods }) => pods.flatMap(({ node }) => node ?? [])))].sort()
  return nodes.flatMap((node): NodeTrouble[] => {
    const { lost, pressure } = conditionOf(town, node)
    const hit = workloads.filter((workload) => podsOn(node, workload).length > 0)
    const pods = hit.reduce((sum, workload) => sum + podsOn(node, workload).length, 0)
    const carries = `it carries ${count(pods, 'pod')} of ${list(hit.map(({ name }) => name))}`
    const shared = (found: Condition) => ({
      node,
      atMs: found.atMs,
      longStanding: isOld(found, times),
      says: `${found.what} ${found.seenToBegin ? 'since' : 'at least since'} ${clock(found.atMs, times.nowMs)}, ${carries}`,
      hurts: hit
        .filter((workload) => fellShort(town, workload, times))
        .map(({ namespace, name }) => `${namespace}/${name}`),
    })
    if (lost) {
      const weighs = hit.some(
        (workload) =>
          podsOn(node, workload).length * 2 >= (workload.desired?.value ?? 1) && fellShort(town, workload, times),
      )
      return [{ ...shared(lost), kind: weighs ? 'node-not-ready' : 'node-not-ready-partly' }]
    }
    return pressure ? [{ ...shared(pressure), kind: 'node-pressure' }] : []
  })
}

/** The nodes that carry the pods of these workloads, sorted; undefined where kube-state-metrics does not tell. */
export const nodesUnder = (told: Reading<Testimony>, placed: readonly Placed[]): string[] | undefined => {
  if (told.status === 'unreadable') return undefined
  const town = townOf(seriesOf(told.value))
  const pods = placed.flatMap(({ namespace, workload }) => town.workload({ namespace, name: workload })?.pods ?? [])
  const nodes = [...new Set(pods.flatMap(({ node }) => node ?? []))].sort()
  return nodes.length > 0 ? nodes : undefined
}
