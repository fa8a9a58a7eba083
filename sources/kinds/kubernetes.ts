import * as z from 'zod'
import { defineObjectSource, type Reading, type SourceWorld } from '../contract.ts'
import { eventObject, podObject, replicaSetObject, revisionObject } from '../kube/fact-objects.ts'
import { type CrashLines, crashed, eventFact, type KubernetesFacts, type PodFact, podFact } from '../kube/facts.ts'
import { type Listed, listObjects, readKubeText } from '../kube/list.ts'
import { logPath } from '../kube/resources.ts'
import { replicaSetOwners, rolloutFacts } from '../kube/rollouts.ts'

const schema = z.strictObject({
  kind: z.literal('kubernetes'),
  /** The namespaces it may look into; all of them when absent. */
  namespaces: z.array(z.string().min(1).max(63)).min(1).max(50).optional(),
})

/** At most so many objects of a namespace are looked at. */
const limits = { pods: 2000, events: 500, replicasets: 2000, controllerrevisions: 1000 }
const crashesRead = 3
const lastLines = { lines: 20, bytes: 8192, previous: true }

const mapped = <A, B>(reading: Reading<Listed<A>>, change: (items: readonly A[]) => B[]): Reading<Listed<B>> =>
  reading.status === 'read'
    ? { status: 'read', value: { ...reading.value, items: change(reading.value.items) } }
    : reading

/** Both lists in one, as incomplete as either; one that cannot be read makes the whole incomplete, both unreadable. */
const joined = <T>(a: Reading<Listed<T>>, b: Reading<Listed<T>>): Reading<Listed<T>> => {
  if (a.status === 'unreadable' && b.status === 'unreadable') return a
  const of = (reading: Reading<Listed<T>>): Listed<T> =>
    reading.status === 'read' ? reading.value : { items: [], incomplete: reading.why }
  const [first, second] = [of(a), of(b)]
  const incomplete = first.incomplete ?? second.incomplete
  return {
    status: 'read',
    value: { items: [...first.items, ...second.items], ...(incomplete !== undefined && { incomplete }) },
  }
}

/** Warnings, and what Deployments did to their ReplicaSets: everything else is the noise of a cluster at work. */
const readEvents = async (world: SourceWorld, namespace: string) => {
  const what = { resource: 'events', shape: eventObject } as const
  const select = (fieldSelector: string) => listObjects(what, world, { namespace, fieldSelector, limit: limits.events })
  const [warnings, scalings] = await Promise.all([select('type=Warning'), select('reason=ScalingReplicaSet')])
  const events = mapped(joined(warnings, scalings), (items) => items.map(eventFact))
  return mapped(events, (items) => [...items].sort((a, b) => (b.lastAtMs ?? 0) - (a.lastAtMs ?? 0)))
}

const readCrash = async (world: SourceWorld, pod: PodFact, container: string): Promise<CrashLines> => {
  const { namespace, name } = pod
  const path = logPath({ namespace, name, container }, lastLines)
  const text = await readKubeText(path, world, { accept: 'text/plain, */*', bodyLimitBytes: 2 * lastLines.bytes })
  const lines: CrashLines['lines'] =
    text.status === 'read'
      ? {
          status: 'read',
          value: text.value
            .split('\n')
            .filter((line) => line.trim() !== '')
            .slice(-lastLines.lines),
        }
      : text
  return { namespace, pod: name, container, lines }
}

const readCrashes = async (
  world: SourceWorld,
  pods: Reading<Listed<PodFact>>,
  sinceMs: number,
): Promise<KubernetesFacts['crashes']> => {
  if (pods.status === 'unreadable') return pods
  const worth = crashed(pods.value.items, sinceMs).slice(0, crashesRead)
  return {
    status: 'read',
    value: await Promise.all(worth.map(({ pod, container }) => readCrash(world, pod, container))),
  }
}

/**
 * What the Kubernetes API says of one namespace. Nothing here throws, and what one permission forbids is unreadable by
 * itself: the pods are still told when the events are not.
 */
const look = async (
  spec: z.output<typeof schema>,
  world: SourceWorld,
  { namespace, sinceMs }: { namespace: string; sinceMs: number },
): Promise<KubernetesFacts> => {
  if (spec.namespaces?.includes(namespace) === false) {
    const unreadable: { status: 'unreadable'; why: string } = {
      status: 'unreadable',
      why: `the config does not let it look into namespace ${namespace}`,
    }
    return { pods: unreadable, events: unreadable, rollouts: unreadable, crashes: unreadable }
  }
  const list = <R extends keyof typeof limits, S extends z.ZodType>(resource: R, shape: S) =>
    listObjects({ resource, shape }, world, { namespace, limit: limits[resource] })
  const [podObjects, sets, revisions, events] = await Promise.all([
    list('pods', podObject),
    list('replicasets', replicaSetObject),
    list('controllerrevisions', revisionObject),
    readEvents(world, namespace),
  ])
  const owners = sets.status === 'read' ? replicaSetOwners(sets.value.items) : new Map()
  const pods = mapped(podObjects, (items) => items.map((pod) => podFact(pod, owners)))
  const rollouts = joined(
    mapped(sets, (items) => rolloutFacts(items, [])),
    mapped(revisions, (items) => rolloutFacts([], items)),
  )
  return { pods, events, rollouts, crashes: await readCrashes(world, pods, sinceMs) }
}

/** The Kubernetes API itself: pods with their probes and limits, Events, rollouts, the last words of a crashed container. */
export const kubernetesSource = defineObjectSource({ kind: 'kubernetes', reads: 'objects', schema, look })
