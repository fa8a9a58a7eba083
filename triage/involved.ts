import { involvedServices } from '../config/contract.ts'
import type { Accused, Brief, Statement, Witnesses } from './contract.ts'

/** A service with its place in a cluster. `distance` counts calls from the incident's service, which is 0. */
export type Placed = { service: string; cluster: string; namespace: string; workload: string; distance: number }

/** The involved services of which the config says where they run. */
export const placedServices = (brief: Brief, witnesses: Pick<Witnesses, 'services'>): Placed[] =>
  involvedServices(witnesses.services, brief.service).flatMap(({ service, distance }) => {
    const runsIn = witnesses.services[service]?.runsIn
    return runsIn ? [{ service, distance, ...runsIn }] : []
  })

/** Nobody can be asked: the answer of a question that looks where services run. */
export const nowhere = ({ service }: Brief): Statement => ({
  verdict: 'unknown',
  headline: `unknown: the config does not say where ${service} runs (runsIn)`,
  evidence: [],
  clues: [],
})

/** The accused that stands for a placed service. */
export const accusedOf = ({ cluster, namespace, workload }: Placed): Accused => ({
  kind: 'workload',
  cluster,
  namespace,
  name: workload,
})

/** The config's service that runs as this workload. */
export const serviceOf = (
  services: Witnesses['services'],
  place: { cluster: string; namespace: string; name: string },
) =>
  Object.entries(services).find(
    ([, { runsIn }]) =>
      runsIn?.cluster === place.cluster && runsIn.namespace === place.namespace && runsIn.workload === place.name,
  )?.[0]

/** Things by the cluster they are in, in the order they came. */
export const byCluster = <T extends { cluster: string }>(things: readonly T[]): [string, T[]][] => {
  const clusters = new Map<string, T[]>()
  for (const thing of things) clusters.set(thing.cluster, [...(clusters.get(thing.cluster) ?? []), thing])
  return [...clusters]
}
