import type { KubernetesFacts, LogLine, Reading } from '../sources/contract.ts'
import type { Evidence } from './contract.ts'
import type { Placed } from './involved.ts'
import { redact } from './redaction.ts'
import type { Times } from './troubles.ts'
import { clock, quoted } from './wording.ts'

/** A change or an event so long before the first symptom still belongs to it. */
export const objectsLookBackMs = 30 * 60_000

const eventsShown = 3
const linesShown = 3

type Listed<T> = Reading<{ items: T[]; incomplete?: string }>

const itemsOf = <T>(part: Listed<T>): T[] => (part.status === 'read' ? part.value.items : [])

/** What could not be seen, or not wholly: never as good as nothing. */
const unseen = (facts: KubernetesFacts): Evidence[] => {
  const parts = { pods: facts.pods, events: facts.events, rollouts: facts.rollouts }
  return Object.entries(parts).flatMap(([part, reading]) => {
    const why = reading.status === 'unreadable' ? reading.why : reading.value.incomplete
    return why === undefined ? [] : [{ says: `${part} unknown${reading.status === 'read' ? ' in part' : ''}: ${why}` }]
  })
}

const imageChanges = (facts: KubernetesFacts, placed: Placed, { sinceMs, nowMs }: Times): Evidence[] => {
  const rollout = itemsOf(facts.rollouts).find(({ workload }) => workload.name === placed.workload)
  const [newest] = rollout?.revisions ?? []
  const atMs = newest?.createdAtMs
  if (!rollout || atMs === undefined || atMs < sinceMs - objectsLookBackMs) return []
  return rollout.imageChanges.map(({ container, from = 'nothing', to = 'nothing' }) => ({
    says: `${placed.workload}: image of ${container} changed from ${from} to ${to} at ${clock(atMs, nowMs)} (revision ${newest?.revision})`,
  }))
}

type About = { kind: string; name: string }

/** Is it the workload, or one of its pods, ReplicaSets or jobs? A name's beginning tells only where nothing better does. */
const isOf = (facts: KubernetesFacts, { workload }: Placed) => {
  const pods = itemsOf(facts.pods).filter(({ owner }) => owner?.name === workload)
  const rollout = itemsOf(facts.rollouts).find((one) => one.workload.name === workload)
  const own = new Set([
    workload,
    ...pods.map(({ name }) => name),
    ...(rollout?.revisions ?? []).map(({ name }) => name),
  ])
  const byBeginning = (kind: string) => kind === 'Job' || (kind === 'Pod' && facts.pods.status === 'unreadable')
  return ({ kind, name }: About) => own.has(name) || (byBeginning(kind) && name.startsWith(`${workload}-`))
}

const warnings = (facts: KubernetesFacts, placed: Placed, { sinceMs, nowMs }: Times): Evidence[] => {
  const belongs = isOf(facts, placed)
  const recent = itemsOf(facts.events).filter(
    ({ about, type, reason, lastAtMs }) =>
      // Probes that fail are the second question's business.
      type === 'Warning' &&
      reason !== 'Unhealthy' &&
      belongs(about) &&
      lastAtMs !== undefined &&
      lastAtMs >= sinceMs - objectsLookBackMs,
  )
  // Several pods of one workload mostly say the same; the longest message says the most.
  const byReason = Map.groupBy(recent, ({ reason }) => reason)
  return [...byReason.values()].slice(0, eventsShown).flatMap((same) => {
    const [event] = same
    const times = same.reduce((sum, { count }) => sum + count, 0)
    if (!event) return []
    const { reason, lastAtMs = nowMs } = event
    const message = same.reduce((longest, one) => (one.message.length > longest.length ? one.message : longest), '')
    const says = `${placed.workload}: event ${reason}, ${times} ${times === 1 ? 'time' : 'times'}, last ${clock(lastAtMs, nowMs)}`
    return [{ says, quote: quoted(redact(message)) }]
  })
}

const lastWords = (facts: KubernetesFacts, placed: Placed): Evidence[] => {
  const { crashes } = facts
  const belongs = isOf(facts, placed)
  if (crashes.status === 'unreadable') return []
  return crashes.value.flatMap(({ pod, container, lines }) => {
    if (!belongs({ kind: 'Pod', name: pod })) return []
    const ended = itemsOf(facts.pods)
      .find(({ name }) => name === pod)
      ?.containers.find(({ name }) => name === container)?.status?.last
    const code = ended ? ` (exit ${ended.exitCode}${ended.reason ? `, ${ended.reason}` : ''})` : ''
    const says = `${placed.workload}: last lines of ${container} in ${pod} before it ended${code}`
    // Without the log there may be what the kubelet kept of it.
    const text = lines.status === 'read' ? lines.value : ended?.message ? [ended.message] : []
    if (text.length > 0) return [{ says, quote: quoted(redact(text.slice(-linesShown).join(' / '))) }]
    return lines.status === 'read' ? [] : [{ says: `${says} unknown: ${lines.why}` }]
  })
}

/** The last lines of what crashed, as lines of a log: what there is where no log is collected. */
export const crashLogs = (facts: KubernetesFacts | undefined, nowMs: number): LogLine[] => {
  if (facts?.crashes.status !== 'read') return []
  const pods = itemsOf(facts.pods)
  return facts.crashes.value.flatMap(({ namespace, pod, container, lines }) => {
    const own = pods.find(({ name }) => name === pod)?.containers.find(({ name }) => name === container)
    const atMs = own?.status?.last?.finishedAtMs ?? nowMs
    const told = lines.status === 'read' ? lines.value : []
    return told.map((line) => ({ atMs, line, labels: { namespace, pod, container } }))
  })
}

/** What the Kubernetes API adds about workloads of one namespace: changed images, warnings, last words of a crash. */
export const objectEvidence = (facts: KubernetesFacts, placed: readonly Placed[], times: Times): Evidence[] => [
  ...placed.flatMap((one) => [
    ...imageChanges(facts, one, times),
    ...warnings(facts, one, times),
    ...lastWords(facts, one),
  ]),
  ...unseen(facts),
]
