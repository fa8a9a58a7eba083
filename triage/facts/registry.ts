import type { Selector } from '../../sources/contract.ts'
import { periodsOf } from '../counters.ts'
import { trafficOf } from '../flows.ts'
import type { Series } from '../past.ts'
import { containerUseReads, containerUses, probeUses } from './container-use.ts'
import { autoscalerStates, claimStates, endpointStates, jobStates, nodeStates, quotaStates } from './kube-objects.ts'
import { kubeReads } from './kube-reads.ts'
import { podStates, workloadStates } from './kube-workloads.ts'
import { meshCoverage, meshReads, meshUses } from './mesh.ts'
import { nodeUseReads, nodeUses } from './node-use.ts'
import { processUseReads, processUses } from './process-use.ts'

/** Facts by what they are about; a kind of fact that cannot be told at all is left out. */
export type Facts = Readonly<Record<string, readonly unknown[]>>

type FactKind = { reads: readonly Selector[]; of: (series: Series) => Facts }

const factKinds: Readonly<Record<string, FactKind>> = {
  'kube-state-metrics': {
    reads: kubeReads,
    of: (series) => {
      const coverage = meshCoverage(series)
      return {
        workloads: workloadStates(series),
        pods: podStates(series),
        nodes: nodeStates(series),
        autoscalers: autoscalerStates(series),
        claims: claimStates(series),
        jobs: jobStates(series),
        quotas: quotaStates(series),
        endpoints: endpointStates(series),
        ...(coverage && { meshCoverage: coverage }),
      }
    },
  },
  linkerd: {
    reads: meshReads,
    of: (series) => ({ mesh: meshUses(trafficOf(series, periodsOf(series, series.atMs))) }),
  },
  node: { reads: nodeUseReads, of: (series) => ({ machines: nodeUses(series) }) },
  app: { reads: processUseReads, of: (series) => ({ processes: processUses(series) }) },
  kubelet: {
    reads: containerUseReads,
    of: (series) => ({ containers: containerUses(series), probes: probeUses(series) }),
  },
}

/** The series that facts of this kind of source are made of. */
export const seriesForFacts = (sourceKind: string): readonly Selector[] => factKinds[sourceKind]?.reads ?? []

/** What the series of this kind of source say, in typed facts. */
export const factsOf = (sourceKind: string, series: Series): Facts => factKinds[sourceKind]?.of(series) ?? {}
