import type { Sample } from '../sources/contract.ts'
import { type Point, type Series, valueAt } from './past.ts'
import { leadMs, type Times, type Trouble } from './troubles.ts'
import { clock } from './wording.ts'
import type { ReplicaSet, Town, Workload } from './workloads.ts'

/** A change this long before the incident may be its cause; one this long after its start is not. */
export const changeLeadMs = 15 * 60_000
const changeLateMs = 60_000

export type Rollout = {
  atMs: number
  /** `to …:v12`, or what is known of it. */
  what: string
  /** Pods of the new revision; all of the workload's where revisions cannot be told apart. */
  pods: string[]
  /** It began only after the incident: perhaps the repair, never the cause. */
  afterTheFact: boolean
}

const jumpAt = (points: readonly Point[], from: (value: number) => boolean, to: (value: number) => boolean) => {
  for (let index = points.length - 1; index > 0; index -= 1) {
    const before = points[index - 1]
    const after = points[index]
    if (before && after && from(before.value) && to(after.value)) return after.atMs
  }
  return undefined
}

/** When a ReplicaSet was made, or an old one (a roll-back) was wanted again. */
const wantedSince = (series: Series, { createdAtMs, wanted }: ReplicaSet, times: Times): number | undefined => {
  if (!wanted || wanted.value === 0) return undefined
  if (createdAtMs !== undefined && createdAtMs >= times.sinceMs - changeLeadMs) return createdAtMs
  return jumpAt(
    series.points(wanted),
    (value) => value === 0,
    (value) => value > 0,
  )
}

const imagesOf = (infos: readonly Sample[], namespace: string, isPod: (name: string) => boolean) => {
  const images = new Map<string, string>()
  for (const { labels } of infos) {
    if (labels['namespace'] !== namespace || !isPod(labels['pod'] ?? '')) continue
    const image = labels['image_spec'] || labels['image']
    if (image && labels['container']) images.set(labels['container'], image)
  }
  return images
}

/** `to image …:v12 (was …:v11)`; old pods are read from the window when they are gone. */
const imageChange = (series: Series, workload: Workload, newest: string): string => {
  const infos = [...series.goneOf('kube_pod_container_info'), ...series.named('kube_pod_container_info')]
  const others = workload.replicaSets.map(({ name }) => `${name}-`).filter((prefix) => prefix !== `${newest}-`)
  const now = imagesOf(infos, workload.namespace, (name) => name.startsWith(`${newest}-`))
  const before = imagesOf(infos, workload.namespace, (name) => others.some((prefix) => name.startsWith(prefix)))
  for (const [container, image] of now) {
    const old = before.get(container)
    if (old !== undefined && old !== image) return `to image ${image} (was ${old})`
  }
  const [first] = now.values()
  if (before.size > 0 && first) return `with the same image (${first})`
  return first ? `of image ${first}` : ''
}

const deploymentRollout = (series: Series, workload: Workload, times: Times): Rollout | undefined => {
  const [latest] = workload.replicaSets
    .flatMap((one) => {
      const atMs = wantedSince(series, one, times)
      return atMs === undefined ? [] : [{ name: one.name, atMs }]
    })
    .sort((a, b) => b.atMs - a.atMs)
  // The first ReplicaSet of a Deployment is its birth, not a roll-out of something else; it is as good a suspect.
  if (!latest || latest.atMs < times.sinceMs - changeLeadMs) return undefined
  return {
    atMs: latest.atMs,
    what: imageChange(series, workload, latest.name),
    pods: workload.pods.filter(({ owner }) => owner === latest.name).map(({ name }) => name),
    afterTheFact: latest.atMs > times.sinceMs + changeLateMs,
  }
}

/** StatefulSets and DaemonSets show a change of their spec only as a new generation; scaling is one too. */
const specChange = (town: Town, workload: Workload, times: Times): Rollout | undefined => {
  const kind = workload.kind.toLowerCase()
  const generation = town.find(`kube_${kind}_metadata_generation`, {
    namespace: workload.namespace,
    [kind]: workload.name,
  })
  if (!generation) return undefined
  const points = town.series.points(generation)
  const changed = points.findLast((point, index) => index > 0 && points[index - 1]?.value !== point.value)
  if (!changed || changed.atMs < times.sinceMs - changeLeadMs) return undefined
  const wanted = workload.desired && valueAt(town.series.points(workload.desired), changed.atMs - 1)
  const scaled = wanted !== undefined && wanted !== workload.desired?.value
  const pods = workload.pods.filter(({ createdAtMs }) => (createdAtMs ?? 0) >= changed.atMs - leadMs)
  return {
    atMs: changed.atMs,
    what: scaled ? 'that changed its scale' : '',
    pods: pods.map(({ name }) => name),
    afterTheFact: changed.atMs > times.sinceMs + changeLateMs,
  }
}

/** The workload's latest roll-out, when it is near the incident. */
export const recentRollout = (town: Town, workload: Workload, times: Times): Rollout | undefined =>
  workload.kind === 'Deployment'
    ? deploymentRollout(town.series, workload, times)
    : workload.kind === 'StatefulSet' || workload.kind === 'DaemonSet'
      ? specChange(town, workload, times)
      : undefined

/** Does the rollout's deadline count as passed, in Kubernetes' own judgement? */
export const isStuck = (town: Town, { kind, namespace, name }: Workload): boolean =>
  kind === 'Deployment' &&
  town.series
    .named('kube_deployment_status_condition')
    .some(
      ({ value, labels }) =>
        value === 1 &&
        labels['namespace'] === namespace &&
        labels['deployment'] === name &&
        labels['condition'] === 'Progressing' &&
        labels['status'] === 'false',
    )

/** A rollout near the incident: guilty when the new pods are in trouble, a mere possibility when they are well. */
export const rolloutTroubles = (
  town: Town,
  workload: Workload,
  context: { times: Times; troubles: readonly Trouble[] },
): Trouble[] => {
  const { times, troubles } = context
  const rollout = recentRollout(town, workload, times)
  if (!rollout) return []
  const when = clock(rollout.atMs, times.nowMs)
  const says = `rollout at ${when}${rollout.what && ` ${rollout.what}`}`
  if (rollout.afterTheFact) return []
  const own = troubles.find(({ pods, longStanding }) => !longStanding && pods.some((pod) => rollout.pods.includes(pod)))
  const stuck = isStuck(town, workload)
  const base = { atMs: rollout.atMs, longStanding: false, pods: rollout.pods }
  if (own)
    return [
      {
        ...base,
        kind: 'bad-rollout',
        says: `${says}, its pods ${own.podsDo ?? `are in trouble: ${own.brief}`}`,
        brief: 'bad rollout',
      },
    ]
  if (stuck)
    return [
      {
        ...base,
        kind: 'bad-rollout',
        says: `${says} does not get done (ProgressDeadlineExceeded)`,
        brief: 'stuck rollout',
      },
    ]
  return [{ ...base, kind: 'rollout', says, brief: 'rolled out' }]
}

/** ConfigMaps and Secrets of the namespace that bear the workload's name and changed or vanished near the incident. */
export const configTroubles = (town: Town, { namespace, name }: Workload, times: Times): Trouble[] =>
  (['configmap', 'secret'] as const).flatMap((kind) => {
    const metric = `kube_${kind}_metadata_resource_version`
    const what = kind === 'secret' ? 'Secret' : 'ConfigMap'
    const belongs = ({ labels }: Sample) =>
      labels['namespace'] === namespace && (labels[kind] === name || (labels[kind] ?? '').startsWith(`${name}-`))
    const trouble = (says: string, atMs?: number): Trouble => ({
      kind: 'config-change',
      says,
      brief: `${what} changed`,
      longStanding: false,
      pods: [],
      ...(atMs !== undefined && { atMs }),
    })
    const gone = town.series.goneOf(metric).filter(belongs)
    const changed = town.series
      .named(metric)
      .filter(belongs)
      .flatMap((sample) => {
        const points = town.series.points(sample)
        const last = points.findLast((point, index) => index > 0 && points[index - 1]?.value !== point.value)
        const near = last && last.atMs >= times.sinceMs - changeLeadMs && last.atMs <= times.sinceMs + changeLateMs
        return near
          ? [
              trouble(
                `${what} ${sample.labels[kind]} changed shortly before ${clock(last.atMs, times.nowMs)}`,
                last.atMs,
              ),
            ]
          : []
      })
    return [...gone.map(({ labels }) => trouble(`${what} ${labels[kind]} is not there any more`)), ...changed]
  })
