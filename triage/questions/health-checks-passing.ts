import {
  type Answer,
  type Brief,
  type Clue,
  defineQuestion,
  type Evidence,
  type Statement,
  type Witnesses,
} from '../contract.ts'
import { accusedOf, byCluster, type Placed, placedServices } from '../involved.ts'
import { failsForMost, lookClues, type MonitorView, monitorViews, sayView } from '../looks.ts'
import { nodesUnder } from '../nodes.ts'
import { type Series, seriesOf, sinceWhen } from '../past.ts'
import { countedFailures, type ProbeFailure, probeReads, probeRemembers, toldFailures } from '../probe-failures.ts'
import { isOld, type Times } from '../troubles.ts'
import { clock, count, list, quoted } from '../wording.ts'
import { workloadReads, workloadRemembers } from '../workload-series.ts'
import { livePods, type Pod, readiness, townOf } from '../workloads.ts'

const source = 'kube-state-metrics'

/** One part of the answer: the readiness of a workload, or an outside check. */
type Part = {
  verdict: Answer['verdict']
  says: string
  evidence: string[]
  clues: Clue[]
  pods?: { name: string; ready: number; wanted: number }
}

const isReady = ({ ready }: Pod) => ready?.value === 1

/** Runs, is not ready, and no container waits or is down: only its readiness probe can say why. */
const failsReadiness = (pod: Pod): boolean =>
  !isReady(pod) &&
  pod.phase === 'Running' &&
  pod.containers.some(({ running, ready }) => running && !ready) &&
  pod.containers.every(({ waiting }) => !waiting)

/** Pods that were there and not ready at some time since the incident, and are ready again. */
const flapped = (series: Series, pods: readonly Pod[], { sinceMs }: Times): Pod[] =>
  pods.filter((pod) => {
    if (!pod.ready || !isReady(pod)) return false
    const points = series.points(pod.ready)
    return points.some(({ atMs, value }, index) => atMs >= sinceMs && value === 0 && points[index - 1]?.value === 1)
  })

type Failing = { atMs: number; seenToBegin: boolean; old: boolean }

const failingSince = (series: Series, pods: readonly Pod[], times: Times): Failing => {
  const runs = pods.flatMap(({ ready }) => (ready ? (sinceWhen(series, ready, (value) => value === 0) ?? []) : []))
  const atMs = runs.length > 0 ? Math.min(...runs.map((run) => run.atMs)) : times.nowMs
  return {
    atMs,
    seenToBegin: runs.some((run) => run.seenToBegin),
    old: runs.length > 0 && runs.every((run) => isOld(run, times)),
  }
}

const readinessOf = (series: Series, placed: Placed, times: Times): Part => {
  const workload = townOf(series).workload({ namespace: placed.namespace, name: placed.workload })
  const name = placed.workload
  if (!workload) return { verdict: 'unknown', says: `${name}: no such workload seen`, evidence: [], clues: [] }
  if (workload.kind === 'CronJob' || workload.kind === 'Job')
    return { verdict: 'ok', says: `${name} runs by schedule and has no readiness`, evidence: [], clues: [] }
  if (workload.desired?.value === 0)
    return { verdict: 'unknown', says: `${name} is scaled to 0, there is nothing to check`, evidence: [], clues: [] }
  const pods = livePods(workload)
  const have = readiness(workload)
  const ready = pods.filter(isReady).length
  const wanted = have?.desired ?? pods.length
  // Pods that were never made fail no check; how many are missing is the first question's business.
  const enough = (have?.ready ?? ready) >= wanted || (ready > 0 && ready === pods.length)
  const failing = pods.filter(failsReadiness)
  const flapping = flapped(series, pods, times)
  const { atMs, old, seenToBegin } = failingSince(series, failing, times)
  const since = failing.length > 0 && seenToBegin ? ` since ${clock(atMs, times.nowMs)}` : ''
  const asked = enough ? Math.max(ready, Math.min(wanted, pods.length)) : wanted
  const says = `${ready} of ${count(asked, 'pod')} of ${name} ready${failing.length > 0 && !enough ? since : ''}`
  const clue = (kind: string, text: string): Clue => ({
    about: accusedOf(placed),
    kind,
    says: text,
    service: placed.service,
    ...(failing.length > 0 && seenToBegin && { atMs }),
  })
  const most = failing.length * 2 >= wanted
  return {
    verdict: enough ? (flapping.length > 0 ? 'suspicious' : 'ok') : ready === 0 ? 'bad' : 'suspicious',
    pods: { name, ready, wanted: asked },
    says: flapping.length > 0 ? `${says}, ${count(flapping.length, 'pod')} lost and regained it` : says,
    evidence: [
      says,
      ...failing.map((pod) => `${pod.name} runs but is not ready: its readiness check fails`),
      ...flapping.map((pod) => `${pod.name} was not ready for a while since ${clock(times.sinceMs, times.nowMs)}`),
    ],
    clues: [
      ...(failing.length > 0 && !enough && !old
        ? [
            clue(
              most ? 'readiness-failing' : 'readiness-flapping',
              `readiness fails in ${failing.length} of ${count(wanted, 'pod')}${since}, the containers run`,
            ),
          ]
        : []),
      ...(flapping.length > 0
        ? [clue('readiness-flapping', `readiness comes and goes in ${count(flapping.length, 'pod')}`)]
        : []),
    ],
  }
}

const insideParts = async (placed: readonly Placed[], times: Times, witnesses: Witnesses): Promise<Part[]> => {
  const clusters = await Promise.all(
    byCluster(placed).map(async ([cluster, own]): Promise<Part[]> => {
      const reading = await witnesses.series(source, cluster)
      if (reading.status === 'unreadable')
        return [
          { verdict: 'unknown', says: `readiness in cluster ${cluster}: ${reading.why}`, evidence: [], clues: [] },
        ]
      const series = seriesOf(reading.value)
      return own.map((one) => readinessOf(series, one, times))
    }),
  )
  return clusters.flat()
}

/** Which probes fail, and what of: the kubelets count them, Events quote them. Nobody who knows changes nothing here. */
const probeFailures = async (
  placed: readonly Placed[],
  times: Times,
  witnesses: Witnesses,
): Promise<ProbeFailure[]> => {
  const clusters = byCluster(placed).map(async ([cluster, own]) => {
    const places = [...new Set(own.map(({ namespace }) => namespace))]
    const askKubelets = async () => {
      const nodes = nodesUnder(await witnesses.series(source, cluster), own)
      return witnesses.series('kubelet', cluster, nodes && { nodes })
    }
    const [kubelets, ...objects] = await Promise.all([
      askKubelets(),
      ...places.map((namespace) => witnesses.objects?.(cluster, namespace)),
    ])
    const facts = objects.flatMap((one) => one ?? [])
    const counted = kubelets.status === 'read' ? countedFailures(seriesOf(kubelets.value), { placed: own, facts }) : []
    return [...toldFailures(facts, own, times), ...counted]
  })
  return (await Promise.all(clusters)).flat()
}

/** A liveness probe that fails gets its container killed, which readiness does not tell. */
const livenessPart = (failures: readonly ProbeFailure[]): Part[] => {
  const killing = failures.filter(({ probe }) => probe === 'liveness')
  const each = Map.groupBy(killing, ({ placed }) => placed)
  return [...each].map(([placed, own]): Part => {
    const says = `liveness probe of ${placed.workload} fails in ${count(new Set(own.map(({ pod }) => pod)).size, 'pod')}`
    const clue = { about: accusedOf(placed), kind: 'liveness-failing', says, service: placed.service }
    return { verdict: 'suspicious', says, evidence: [], clues: [clue] }
  })
}

const viewVerdict = (view: MonitorView): Answer['verdict'] => {
  if (failsForMost(view)) return 'bad'
  if (view.failing.length > 0 || view.degraded.length > 0) return 'suspicious'
  return view.passing.length > 0 ? 'ok' : 'unknown'
}

const outsideParts = (brief: Brief, witnesses: Witnesses): Part[] => {
  const { views, stale } = monitorViews(brief, witnesses)
  const nowMs = witnesses.nowMs()
  return [
    ...views.map((view): Part => {
      const says = quoted(sayView(view, nowMs))
      return { verdict: viewVerdict(view), says, evidence: [says], clues: lookClues(view) }
    }),
    ...stale.map((says): Part => ({ verdict: 'unknown', says, evidence: [], clues: [] })),
  ]
}

const prefix = { bad: 'no', suspicious: 'partly', unknown: 'unknown', ok: 'yes' } as const

/** `3 of 3 pods ready in front, cart, db`. */
const sayPods = (inside: readonly Part[]): string[] => {
  const pods = inside.flatMap((part) => part.pods ?? [])
  const sum = (key: 'ready' | 'wanted') => pods.reduce((total, one) => total + one[key], 0)
  const others = inside.filter((part) => !part.pods).map(({ says }) => says)
  const names = list(
    pods.map(({ name }) => name),
    6,
  )
  return pods.length === 0 ? others : [`${sum('ready')} of ${sum('wanted')} pods ready in ${names}`, ...others]
}

const worstFirst = ['bad', 'suspicious', 'unknown', 'ok'] as const

const concluded = (inside: readonly Part[], outside: readonly Part[]): Pick<Statement, 'verdict' | 'headline'> => {
  const parts = [...outside, ...inside]
  const verdict = worstFirst.find((one) => parts.some((part) => part.verdict === one))
  if (verdict === undefined)
    return { verdict: 'unknown', headline: 'unknown: no outside check and no place in a cluster' }
  const passing = outside.filter((part) => part.verdict === 'ok').length
  const checks =
    outside.length === 0 ? 'no outside check' : `${passing} of ${count(outside.length, 'outside check')} pass`
  const shown =
    verdict === 'ok'
      ? [...sayPods(inside), checks]
      : parts.filter((part) => part.verdict === verdict).map(({ says }) => says)
  return { verdict, headline: `${prefix[verdict]}: ${shown.slice(0, 3).join('; ')}` }
}

const ask = async (brief: Brief, witnesses: Witnesses): Promise<Statement> => {
  const times = { sinceMs: brief.sinceMs, nowMs: witnesses.nowMs() }
  const placed = placedServices(brief, witnesses)
  const [pods, failures] = await Promise.all([
    insideParts(placed, times, witnesses),
    probeFailures(placed, times, witnesses),
  ])
  const inside = [...pods, ...livenessPart(failures)]
  const outside = outsideParts(brief, witnesses)
  const parts = [...outside, ...inside]
  const said = (verdict: Answer['verdict']): Evidence[] =>
    parts
      .filter((part) => part.verdict === verdict)
      .flatMap(({ evidence, says }) => (evidence.length > 0 ? evidence : [says]))
      .map((says) => ({ says }))
  return {
    ...concluded(inside, outside),
    // Why a check fails stands right behind that it does.
    evidence: [...said('bad'), ...said('suspicious'), ...failures.map(({ evidence }) => evidence)].concat(
      said('unknown'),
      said('ok'),
    ),
    clues: parts.flatMap(({ clues }) => clues),
  }
}

/** Is everybody who checks content: Kubernetes' readiness inside, our own probes outside? */
export const healthChecksPassing = defineQuestion({
  id: 'health-checks-passing',
  title: 'Health checks passing?',
  reads: { [source]: workloadReads, kubelet: probeReads },
  remembers: { [source]: workloadRemembers, kubelet: probeRemembers },
  ask,
})
