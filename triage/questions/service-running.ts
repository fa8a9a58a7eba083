import { type Brief, type Clue, defineQuestion, type Evidence, type Statement, type Witnesses } from '../contract.ts'
import { type Examination, examine, type Finding } from '../examination.ts'
import { accusedOf, byCluster, nowhere, type Placed, placedServices } from '../involved.ts'
import type { NodeTrouble } from '../nodes.ts'
import { objectEvidence } from '../objects.ts'
import { seriesOf } from '../past.ts'
import type { ClueKind } from '../suspects.ts'
import type { Times } from '../troubles.ts'
import { list } from '../wording.ts'
import { workloadReads, workloadRemembers } from '../workload-series.ts'
import { readiness, townOf } from '../workloads.ts'

const source = 'kube-state-metrics'

/** What one cluster answered, or why it did not. */
type Heard = Examination & { unread?: string; objects: Evidence[] }

type Context = { times: Times; witnesses: Witnesses }

/** What the Kubernetes API adds to the evidence, namespace by namespace; it decides nothing. */
const hearObjects = async (
  cluster: string,
  placed: readonly Placed[],
  { times, witnesses }: Context,
): Promise<Evidence[]> => {
  const places = [...new Set(placed.map(({ namespace }) => namespace))]
  const each = places.map(async (namespace) => {
    const facts = await witnesses.objects?.(cluster, namespace)
    const own = placed.filter((one) => one.namespace === namespace)
    return facts ? objectEvidence(facts, own, times) : []
  })
  return (await Promise.all(each)).flat()
}

const hear = async (cluster: string, placed: Placed[], context: Context): Promise<Heard> => {
  const [reading, objects] = await Promise.all([
    context.witnesses.series(source, cluster),
    hearObjects(cluster, placed, context),
  ])
  if (reading.status === 'unreadable') {
    const findings = placed.map((one): Finding => ({ placed: one, state: 'unknown', why: reading.why, troubles: [] }))
    return { findings, nodes: [], objects, unread: `${source} of cluster ${cluster}: ${reading.why}` }
  }
  return { ...examine(townOf(seriesOf(reading.value)), placed, context.times), objects }
}

/** Kinds of trouble that leave the answer `yes` while enough pods are ready. */
const quiet = new Set<ClueKind>([
  'rollout',
  'config-change',
  'bad-rollout',
  'image-pull',
  'evicted',
  'saturated',
  'job-failed',
])

const pods = ({ workload }: Finding): string => {
  const have = workload && readiness(workload)
  return have ? `${have.ready} of ${have.desired} ready` : ''
}

const newTroubles = ({ troubles }: Finding) => troubles.filter(({ longStanding }) => !longStanding)

/** The trouble worth a place in the headline: new before old. */
const foremost = (finding: Finding) => newTroubles(finding)[0] ?? finding.troubles[0]

const sayFinding = (finding: Finding): string => {
  const { placed, state, why } = finding
  switch (state) {
    case 'missing':
    case 'unknown':
      return `${placed.workload}: ${why ?? 'kube-state-metrics does not say how many pods are wanted'}`
    case 'stopped':
      return `${placed.workload} is scaled to 0`
    case 'batch':
      return `${placed.workload} runs by schedule${foremost(finding) ? `, but ${foremost(finding)?.brief}` : ''}`
    case 'ready':
    case 'partly':
    case 'down': {
      const trouble = foremost(finding)
      const old = trouble?.longStanding ? ' (already before the incident)' : ''
      return `${placed.workload} ${pods(finding)}${trouble ? `, ${trouble.brief}${old}` : ''}`
    }
    default:
      return state satisfies never
  }
}

/** A thing without pods by choice harms nobody but who calls it; only the incident's own is surely missed. */
const isStopped = ({ state, placed, troubles }: Finding) =>
  state === 'stopped' && (placed.distance === 0 || troubles.some(({ longStanding }) => !longStanding))

const isShaky = (finding: Finding) =>
  finding.state === 'partly' ||
  (finding.state === 'stopped' && !isStopped(finding)) ||
  (finding.state === 'ready' && newTroubles(finding).some(({ kind }) => !quiet.has(kind)))

const isDown = (finding: Finding) => finding.state === 'down' || finding.state === 'missing' || isStopped(finding)

const sum = (findings: readonly Finding[], key: 'ready' | 'desired') =>
  findings.reduce((total, { workload }) => total + ((workload && readiness(workload)?.[key]) ?? 0), 0)

const yes = (findings: readonly Finding[], nodes: readonly NodeTrouble[]): string => {
  const steady = findings.filter(({ state }) => state === 'ready')
  const batch = findings.filter(({ state }) => state === 'batch').map(sayFinding)
  const names = list(
    steady.map(({ placed }) => placed.workload),
    6,
  )
  const running =
    steady.length > 0 ? [`${sum(steady, 'ready')} of ${sum(steady, 'desired')} pods ready in ${names}`] : []
  const but = steady.flatMap((finding) => {
    const trouble = newTroubles(finding)[0]
    return trouble ? [`but ${finding.placed.workload}: ${trouble.says}`] : []
  })
  const lost = nodes
    .filter(({ longStanding, kind }) => !longStanding && kind !== 'node-pressure')
    .map(({ node, says }) => `but node ${node} ${says}`)
  return `yes: ${[...running, ...batch, ...[...but, ...lost].slice(0, 1)].join('; ')}`
}

const verdictOf = ({ findings, nodes }: Examination): Pick<Statement, 'verdict' | 'headline'> => {
  const say = (fits: (finding: Finding) => boolean) => list(findings.filter(fits).map(sayFinding), 3)
  if (findings.some(isDown)) return { verdict: 'bad', headline: `no: ${say(isDown)}` }
  if (findings.some(isShaky)) return { verdict: 'suspicious', headline: `partly: ${say(isShaky)}` }
  const isUnknown = ({ state }: Finding) => state === 'unknown'
  if (findings.some(isUnknown)) return { verdict: 'unknown', headline: `unknown: ${say(isUnknown)}` }
  return { verdict: 'ok', headline: yes(findings, nodes) }
}

/** Who is down first, then who is shaky: what a person reads first is what is wrong. */
const worstFirst = (findings: readonly Finding[]): Finding[] => {
  const rank = (finding: Finding) => (isDown(finding) ? 0 : isShaky(finding) ? 1 : 2)
  return [...findings].sort((a, b) => rank(a) - rank(b))
}

const evidenceOf = ({ findings, nodes, objects, unread }: Heard): Evidence[] => [
  ...(unread === undefined ? [] : [{ says: unread }]),
  ...worstFirst(findings).flatMap((finding): Evidence[] => {
    const { placed, workload, troubles, lateRollout } = finding
    return [
      { says: workload ? `${workload.kind} ${placed.namespace}/${sayFinding(finding)}` : sayFinding(finding) },
      ...troubles.map(({ says, longStanding }) => ({
        says: `${placed.workload}: ${says}${longStanding ? ' (already before the incident)' : ''}`,
      })),
      ...(lateRollout ? [{ says: lateRollout }] : []),
    ]
  }),
  ...nodes.map(({ node, says }) => ({ says: `node ${node} ${says}` })),
  ...objects,
]

/** Trouble that was there before the incident stands in the evidence; it accuses nobody. */
const workloadClues = (finding: Finding): Clue[] =>
  newTroubles(finding).map(({ kind, says, atMs }) => ({
    about: accusedOf(finding.placed),
    kind,
    says,
    service: finding.placed.service,
    ...(atMs !== undefined && { atMs }),
  }))

const nodeClues = (cluster: string, trouble: NodeTrouble, findings: readonly Finding[]): Clue[] => {
  if (trouble.longStanding) return []
  const { node, kind, says, atMs, hurts } = trouble
  const victims = findings.filter(
    ({ workload }) => workload && hurts.includes(`${workload.namespace}/${workload.name}`),
  )
  return [
    { about: { kind: 'node', cluster, name: node }, kind, says, atMs },
    ...(kind === 'node-not-ready' ? victims : []).map(({ placed }) => ({
      about: accusedOf(placed),
      kind: 'victim-of-node',
      says: `its node ${node} ${says}`,
      service: placed.service,
    })),
  ]
}

const ask = async (brief: Brief, witnesses: Witnesses): Promise<Statement> => {
  const placed = placedServices(brief, witnesses)
  if (placed.length === 0) return nowhere(brief)
  const times = { sinceMs: brief.sinceMs, nowMs: witnesses.nowMs() }
  const heard = await Promise.all(
    byCluster(placed).map(async ([cluster, own]) => ({ cluster, ...(await hear(cluster, own, { times, witnesses })) })),
  )
  return {
    ...verdictOf({ findings: heard.flatMap(({ findings }) => findings), nodes: heard.flatMap(({ nodes }) => nodes) }),
    evidence: heard.flatMap(evidenceOf),
    clues: heard.flatMap(({ cluster, findings, nodes }) => [
      ...findings.flatMap(workloadClues),
      ...nodes.flatMap((trouble) => nodeClues(cluster, trouble, findings)),
    ]),
  }
}

/** Are the pods of the service and of everything it depends on there, ready and left alone? */
export const serviceRunning = defineQuestion({
  id: 'service-running',
  title: 'Service running?',
  reads: { [source]: workloadReads },
  remembers: { [source]: workloadRemembers },
  ask,
})
