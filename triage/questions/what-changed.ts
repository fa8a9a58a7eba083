import type { KubernetesFacts } from '../../sources/contract.ts'
import { changeLeadMs, configTroubles, recentRollout } from '../changes.ts'
import { type Brief, defineQuestion, type Evidence, type Statement, type Witnesses } from '../contract.ts'
import { byCluster, nowhere, type Placed, placedServices } from '../involved.ts'
import { objectsLookBackMs } from '../objects.ts'
import { seriesOf } from '../past.ts'
import type { Times } from '../troubles.ts'
import { clock, list } from '../wording.ts'
import { workloadReads, workloadRemembers } from '../workload-series.ts'
import { type Town, townOf, type Workload } from '../workloads.ts'

const source = 'kube-state-metrics'

/** A change of a workload. `atMs` is absent where it was seen, but not when. */
type Change = { workload: string; says: string; atMs?: number; isRollout?: true }
/** `fromMs`: what is not told of since then did not happen. */
type Heard = { changes: Change[]; unknown: string[]; fromMs?: number }

/** What came a minute after the first symptom is no cause of it. */
const lateMs = 60_000

const scalings = (town: Town, { name, desired }: Workload, { sinceMs, nowMs }: Times): Change[] => {
  if (!desired) return []
  const points = town.series.points(desired)
  return points.flatMap(({ atMs, value }, index) => {
    const before = points[index - 1]
    if (before === undefined || before.value === value || atMs < sinceMs - objectsLookBackMs) return []
    const says = `scaled from ${before.value} to ${value} before ${clock(atMs, nowMs)}`
    return [{ workload: name, says, atMs }]
  })
}

const fromSeries = (town: Town, placed: readonly Placed[], times: Times): Change[] =>
  placed.flatMap(({ namespace, workload: name }) => {
    const workload = town.workload({ namespace, name })
    if (!workload) return []
    const rollout = recentRollout(town, workload, times)
    const rolled = rollout && `rolled out at ${clock(rollout.atMs, times.nowMs)}${rollout.what && ` ${rollout.what}`}`
    return [
      ...(rollout && rolled ? [{ workload: name, says: rolled, atMs: rollout.atMs, isRollout: true as const }] : []),
      ...scalings(town, workload, times),
      ...configTroubles(town, workload, times).map(({ says, atMs }) => ({
        workload: name,
        says,
        ...(atMs !== undefined && { atMs }),
      })),
    ]
  })

type Rollout = Extract<KubernetesFacts['rollouts'], { status: 'read' }>['value']['items'][number]

/** When its newest template was last made to run: an old one that is wanted again was made long ago. */
const rolledAtMs = ({ revisions: [newest] }: Rollout, { events }: KubernetesFacts): number | undefined => {
  if (!newest) return undefined
  const told = events.status === 'read' ? events.value.items : []
  const scaledUp = told.filter(
    ({ reason, message }) =>
      reason === 'ScalingReplicaSet' && message.startsWith('Scaled up') && message.includes(` ${newest.name} `),
  )
  const times = scaledUp.flatMap(({ firstAtMs }) => firstAtMs ?? [])
  return Math.max(newest.createdAtMs ?? 0, newest.restartedAtMs ?? 0, ...times) || undefined
}

const sayRollout = ({ imageChanges, revisions: [newest, before] }: Rollout, when: string): string => {
  const images = imageChanges.map(
    ({ container, from = 'nothing', to = 'nothing' }) => `image of ${container} from ${from} to ${to}`,
  )
  const isRestart = newest?.restartedAtMs !== undefined && newest.restartedAtMs !== before?.restartedAtMs
  const same = isRestart ? 'a restart, the images are the same' : 'the images are the same'
  return `rolled out revision ${newest?.revision} at ${when}: ${list(images, 2) || (before ? same : 'its first')}`
}

const fromObjects = (facts: KubernetesFacts, placed: readonly Placed[], { sinceMs, nowMs }: Times): Change[] => {
  if (facts.rollouts.status === 'unreadable') return []
  const { items } = facts.rollouts.value
  return placed.flatMap(({ namespace, workload: name }) =>
    items
      .filter(({ workload }) => workload.namespace === namespace && workload.name === name)
      .flatMap((rollout): Change[] => {
        const atMs = rolledAtMs(rollout, facts)
        if (atMs === undefined || atMs < sinceMs - objectsLookBackMs) return []
        return [{ workload: name, says: sayRollout(rollout, clock(atMs, nowMs)), atMs, isRollout: true }]
      }),
  )
}

const hearObjects = async (cluster: string, placed: readonly Placed[], at: At): Promise<Heard | undefined> => {
  const places = [...new Set(placed.map(({ namespace }) => namespace))]
  const all = await Promise.all(places.map((namespace) => at.witnesses.objects?.(cluster, namespace)))
  const told = all.flatMap((facts) => facts ?? [])
  if (told.length === 0) return undefined
  const unknown = told.flatMap(({ rollouts }) => {
    const why = rollouts.status === 'unreadable' ? rollouts.why : rollouts.value.incomplete
    return why === undefined ? [] : [`rollout history of cluster ${cluster}: ${why}`]
  })
  return { changes: told.flatMap((facts) => fromObjects(facts, placed, at.times)), unknown }
}

const hearSeries = async (cluster: string, placed: readonly Placed[], at: At): Promise<Heard> => {
  const reading = await at.witnesses.series(source, cluster)
  if (reading.status === 'unreadable')
    return { changes: [], unknown: [`${source} of cluster ${cluster}: ${reading.why}`] }
  const { incomplete, windowFromMs } = reading.value
  const young = windowFromMs === undefined || windowFromMs >= at.times.sinceMs
  const unseen = young
    ? [`scaling and config of cluster ${cluster}: the window does not reach back before the incident`]
    : []
  const broken = incomplete === undefined ? [] : [`${source} of cluster ${cluster} in part: ${incomplete}`]
  const changes = fromSeries(townOf(seriesOf(reading.value)), placed, at.times)
  const fromMs = Math.max(windowFromMs ?? at.times.sinceMs, at.times.sinceMs - changeLeadMs)
  return { changes, unknown: [...broken, ...unseen], fromMs }
}

type At = { times: Times; witnesses: Witnesses }

/** The API's word for a rollout is better than what series tell of it, and series tell what the API keeps no history of. */
const hear = async (cluster: string, placed: readonly Placed[], at: At): Promise<Heard> => {
  const [series, objects] = await Promise.all([hearSeries(cluster, placed, at), hearObjects(cluster, placed, at)])
  const known = new Set(objects?.changes.map(({ workload }) => workload))
  const rest = series.changes.filter(({ workload, isRollout }) => !(isRollout && known.has(workload)))
  return {
    ...series,
    changes: [...(objects?.changes ?? []), ...rest],
    unknown: [...series.unknown, ...(objects?.unknown ?? [])],
  }
}

const ask = async (brief: Brief, witnesses: Witnesses): Promise<Statement> => {
  const placed = placedServices(brief, witnesses)
  if (placed.length === 0) return nowhere(brief)
  const times = { sinceMs: brief.sinceMs, nowMs: witnesses.nowMs() }
  const heard = await Promise.all(byCluster(placed).map(([cluster, own]) => hear(cluster, own, { times, witnesses })))
  const changes = heard.flatMap((one) => one.changes).sort((a, b) => (b.atMs ?? 0) - (a.atMs ?? 0))
  const unknown = heard.flatMap((one) => one.unknown)
  const isLate = ({ atMs }: Change) => atMs !== undefined && atMs > times.sinceMs + lateMs
  const say = ({ workload, says }: Change) => `${workload} ${says}`
  const evidence = [
    ...changes.map((one) => `${say(one)}${isLate(one) ? ', after the incident began' : ''}`),
    ...unknown,
  ]
  const before = changes.filter((one) => !isLate(one))
  const names = list(placed.map(({ workload }) => workload))
  const conclusion = (): Pick<Statement, 'verdict' | 'headline'> => {
    if (before.length > 0) return { verdict: 'suspicious', headline: list(before.map(say), 2) }
    if (unknown.length > 0) return { verdict: 'unknown', headline: `unknown: ${list(unknown, 2)}` }
    const from = clock(Math.max(...heard.map(({ fromMs = times.sinceMs - changeLeadMs }) => fromMs)), times.nowMs)
    return { verdict: 'ok', headline: `nothing: no rollout, scaling or config change of ${names} since ${from}` }
  }
  return { ...conclusion(), evidence: evidence.map((says): Evidence => ({ says })), clues: [] }
}

/** What was different shortly before it began: rollouts with their images, scaling, ConfigMaps and Secrets. */
export const whatChanged = defineQuestion({
  id: 'what-changed',
  title: 'What changed?',
  reads: { [source]: workloadReads },
  remembers: { [source]: workloadRemembers },
  ask,
})
