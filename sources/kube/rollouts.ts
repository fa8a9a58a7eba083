import type { PodObject, ReplicaSetObject, RevisionObject } from './fact-objects.ts'
import { given, ownerOf, timeOf, type Workload } from './facts.ts'

export type Revision = {
  name: string
  revision: number
  createdAtMs?: number
  images: Readonly<Record<string, string>>
  restartedAtMs?: number
}

/** The newest template of a workload beside the one before it. */
export type RolloutFact = {
  workload: Workload
  /** The newest first. */
  revisions: Revision[]
  /** What the newest changed; a container that came or went has one side only. */
  imageChanges: { container: string; from?: string; to?: string }[]
}

/** Which Deployment each ReplicaSet belongs to, by `namespace/name`. */
export const replicaSetOwners = (sets: readonly ReplicaSetObject[]): Map<string, Workload> =>
  new Map(
    sets.flatMap(({ metadata }) => {
      const owner = ownerOf(metadata)
      return owner ? [[`${metadata.namespace}/${metadata.name}`, owner] as const] : []
    }),
  )

type Template = ReplicaSetObject['spec']['template']

const restartedAt = 'kubectl.kubernetes.io/restartedAt'

const revisionOf = (metadata: PodObject['metadata'], revision: number, template: Template): Revision => ({
  name: metadata.name,
  revision,
  ...given('createdAtMs', timeOf(metadata.creationTimestamp)),
  ...given('restartedAtMs', timeOf(template.metadata?.annotations?.[restartedAt])),
  images: Object.fromEntries(
    [...(template.spec.initContainers ?? []), ...template.spec.containers].map(({ name, image }) => [
      name,
      image ?? '',
    ]),
  ),
})

const changesOf = (newest: Revision | undefined, before: Revision | undefined): RolloutFact['imageChanges'] => {
  if (!newest || !before) return []
  const names = [...new Set([...Object.keys(before.images), ...Object.keys(newest.images)])]
  return names.flatMap((container) => {
    const from = before.images[container]
    const to = newest.images[container]
    return from === to ? [] : [{ container, ...given('from', from), ...given('to', to) }]
  })
}

/** As many earlier templates of a workload as are worth looking at. */
const revisionsKept = 5

/** Every workload's templates by revision, and what the newest changed: of Deployments, StatefulSets and DaemonSets. */
export const rolloutFacts = (
  sets: readonly ReplicaSetObject[],
  revisions: readonly RevisionObject[],
): RolloutFact[] => {
  const all = [
    ...sets.flatMap(({ metadata, spec }) => {
      const owner = ownerOf(metadata)
      const revision = Number(metadata.annotations?.['deployment.kubernetes.io/revision'])
      return owner && Number.isInteger(revision) ? [{ owner, one: revisionOf(metadata, revision, spec.template) }] : []
    }),
    ...revisions.flatMap(({ metadata, revision, data }) => {
      const owner = ownerOf(metadata)
      return owner ? [{ owner, one: revisionOf(metadata, revision, data.spec.template) }] : []
    }),
  ]
  const byWorkload = Map.groupBy(all, ({ owner }) => JSON.stringify([owner.kind, owner.namespace, owner.name]))
  return [...byWorkload.values()].flatMap((same) => {
    const workload = same[0]?.owner
    if (!workload) return []
    const newestFirst = same.map(({ one }) => one).sort((a, b) => b.revision - a.revision)
    const [newest, before] = newestFirst
    return [{ workload, revisions: newestFirst.slice(0, revisionsKept), imageChanges: changesOf(newest, before) }]
  })
}
