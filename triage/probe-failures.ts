import type { KubernetesFacts, Selector } from '../sources/contract.ts'
import type { Evidence } from './contract.ts'
import type { Placed } from './involved.ts'
import { growthSince, lookbackMs, type Series } from './past.ts'
import { redact } from './redaction.ts'
import { workloadOf } from './resources.ts'
import type { Times } from './troubles.ts'
import { clock, quoted } from './wording.ts'

const name = 'prober_probe_total'

/** How the kubelet's probes end; the past is wanted of those that fail. */
export const probeReads: readonly Selector[] = [{ name }]
export const probeRemembers: readonly Selector[] = [{ name, matchers: [{ label: 'result', op: '=', value: 'failed' }] }]

/** A probe that fails, as the kubelet counts it or an Event tells it. `probe` is `readiness`, `liveness` or `startup`. */
export type ProbeFailure = { placed: Placed; probe: string; pod: string; evidence: Evidence }

const itemsOf = <T>(part: { status: 'read'; value: { items: T[] } } | { status: 'unreadable' }): T[] =>
  part.status === 'read' ? part.value.items : []

/** ` (GET :8080/ready every 10 s)`, where the pod's spec can be read. */
const sayHow = (facts: readonly KubernetesFacts[], at: { pod: string; container: string; probe: string }): string => {
  const pod = facts.flatMap(({ pods }) => itemsOf(pods)).find((one) => one.name === at.pod)
  const probes = pod?.containers.find((one) => one.name === at.container)?.probes
  const kinds = { readiness: probes?.readiness, liveness: probes?.liveness, startup: probes?.startup }
  const found = Object.entries(kinds).find(([kind]) => kind === at.probe)?.[1]
  return found ? ` (${found.how} every ${found.periodSeconds} s)` : ''
}

/** What the kubelet counted of failures in the last five minutes; a series that is new began at 0. */
export const countedFailures = (
  series: Series,
  at: { placed: readonly Placed[]; facts: readonly KubernetesFacts[] },
): ProbeFailure[] =>
  series.named(name).flatMap((sample) => {
    const { namespace = '', pod = '', container = '', probe_type = '', result } = sample.labels
    const placed = result === 'failed' ? workloadOf(at.placed, { namespace, pod }) : undefined
    if (!placed || series.windowFromMs === undefined) return []
    const points = series.points(sample)
    const [first] = points
    const bornMs = first && first.atMs > series.windowFromMs ? first.atMs : undefined
    const by = growthSince(points, series.atMs - lookbackMs, bornMs)?.by ?? 0
    if (by <= 0) return []
    const probe = probe_type.toLowerCase()
    const how = sayHow(at.facts, { pod, container, probe })
    const says = `${probe} probe of ${container} in ${pod} failed ${by} ${by === 1 ? 'time' : 'times'} in the last five minutes${how}`
    return [{ placed, probe, pod, evidence: { says } }]
  })

/** What the kubelet said of failures, in its own words. */
export const toldFailures = (
  facts: readonly KubernetesFacts[],
  placed: readonly Placed[],
  { sinceMs, nowMs }: Times,
): ProbeFailure[] =>
  facts
    .flatMap(({ events }) => itemsOf(events))
    .flatMap(({ namespace, about, reason, message, count, lastAtMs }) => {
      const probe = /^(Readiness|Liveness|Startup) probe (?:failed|errored)/.exec(message)?.[1]?.toLowerCase()
      const owner = about.kind === 'Pod' ? workloadOf(placed, { namespace, pod: about.name }) : undefined
      if (reason !== 'Unhealthy' || !probe || !owner || lastAtMs === undefined) return []
      if (lastAtMs < sinceMs - lookbackMs) return []
      const says = `${about.name}: ${probe} probe failed ${count} ${count === 1 ? 'time' : 'times'}, last ${clock(lastAtMs, nowMs)}`
      return [{ placed: owner, probe, pod: about.name, evidence: { says, quote: quoted(redact(message)) } }]
    })
