import {
  type Answer,
  type Brief,
  type Clue,
  defineQuestion,
  type Evidence,
  type Statement,
  type Testimony,
  type Witnesses,
} from '../contract.ts'
import { examine, type Finding } from '../examination.ts'
import { type ContainerUse, containerUseReads, containerUseRemembers, containerUses } from '../facts/container-use.ts'
import { type NodeUse, nodeUseReads, nodeUses } from '../facts/node-use.ts'
import { type ProcessUse, processUseReads, processUses } from '../facts/process-use.ts'
import { accusedOf, byCluster, nowhere, type Placed, placedServices } from '../involved.ts'
import { nodesUnder } from '../nodes.ts'
import { seriesOf } from '../past.ts'
import { containerPressures, nodePressures, type Pressure, processPressures, workloadOf } from '../resources.ts'
import type { ClueKind } from '../suspects.ts'
import type { Times } from '../troubles.ts'
import { list, memory, percent } from '../wording.ts'
import { workloadReads, workloadRemembers } from '../workload-series.ts'
import { townOf } from '../workloads.ts'

type Told = Awaited<ReturnType<Witnesses['series']>>
type Heard = { pressures: Pressure[]; figures: string[]; unknown: string[] }

/** What `Service running?` accuses for, and is a want of something all the same. */
const wants = new Map<ClueKind, Pressure['verdict']>([
  ['out-of-memory', 'bad'],
  ['unschedulable', 'bad'],
  ['evicted', 'suspicious'],
  ['saturated', 'suspicious'],
  ['cannot-create-pods', 'suspicious'],
])

const workloadWants = ({ placed, troubles }: Finding): Pressure[] =>
  troubles.flatMap(({ kind, says, longStanding }) => {
    const verdict = wants.get(kind)
    const about = { about: accusedOf(placed), service: placed.service }
    return verdict ? [{ ...about, verdict, says: `${placed.workload}: ${says}`, longStanding }] : []
  })

const whyNot = (what: string, told: Told): string[] => {
  const why = told.status === 'unreadable' ? told.why : told.value.incomplete
  return why === undefined ? [] : [`${what} ${told.status === 'read' ? 'in part ' : ''}unknown: ${why}`]
}

const testimonyOf = (told: Told): Testimony | undefined => (told.status === 'read' ? told.value : undefined)

const highest = <T>(all: readonly T[], of: (one: T) => number | undefined): { one: T; share: number } | undefined => {
  const known = all.flatMap((one) => {
    const share = of(one)
    return share === undefined ? [] : [{ one, share }]
  })
  return known.length === 0 ? undefined : known.reduce((most, next) => (next.share > most.share ? next : most))
}

const sayContainers = (uses: readonly ContainerUse[]): string[] => {
  const cpu = highest(uses, ({ cpuUsedRatio }) => cpuUsedRatio)
  const full = highest(uses, ({ memoryUsedRatio }) => memoryUsedRatio)
  return [
    ...(cpu ? [`processor ${percent(cpu.share)} of its limit (${cpu.one.container})`] : []),
    ...(full
      ? [`memory ${percent(full.share)} of its limit (${full.one.container}, ${memory(full.one.memoryBytes ?? 0)})`]
      : []),
  ]
}

const sayNodes = (uses: readonly NodeUse[]): string[] => {
  const load = highest(uses, (use) => use.load?.onePerCpu)
  const disk = highest(uses, ({ filesystems }) => highest(filesystems, ({ usedRatio }) => usedRatio)?.share)
  return [
    ...(load ? [`load ${Number(load.share.toFixed(2))} a processor (node ${load.one.node})`] : []),
    ...(disk ? [`disk ${percent(disk.share)} full (node ${disk.one.node})`] : []),
  ]
}

const hearContainers = (told: Told, placed: readonly Placed[], times: Times): Heard => {
  const testimony = testimonyOf(told)
  const unknown = whyNot('what containers use is', told)
  if (!testimony) return { pressures: [], figures: [], unknown }
  const series = seriesOf(testimony)
  const uses = containerUses(series).filter((use) => workloadOf(placed, use))
  const silent = placed.filter((one) => !uses.some((use) => workloadOf([one], use)))
  const nothing = silent.length > 0 ? [`no kubelet tells of a container of ${list(silent.map(nameOf))}`] : []
  const figures = sayContainers(uses)
  return { pressures: containerPressures(series, uses, { placed, times }), figures, unknown: [...unknown, ...nothing] }
}

const nameOf = ({ workload }: Placed) => workload

/** Without knowing which nodes the pods are on every node counts. */
const hearNodes = (told: Told, at: { cluster: string; nodes: readonly string[] | undefined }): Heard => {
  const testimony = testimonyOf(told)
  const unknown = whyNot('how the nodes are used is', told)
  if (!testimony) return { pressures: [], figures: [], unknown }
  const all = nodeUses(seriesOf(testimony))
  const own = all.filter(({ node }) => at.nodes === undefined || at.nodes.includes(node))
  const silent = (at.nodes ?? []).filter((name) => !own.some(({ node }) => node === name))
  const nothing = silent.length > 0 ? [`no node_exporter says that it is of node ${list(silent)}`] : []
  const pressures = own.flatMap((use) => nodePressures(use, at.cluster))
  return { pressures, figures: sayNodes(own), unknown: [...unknown, ...nothing] }
}

const ownerOf = ({ of }: ProcessUse, placed: readonly Placed[]): Placed | undefined => {
  const named = placed.find(({ namespace, workload }) => of['namespace'] === namespace && of['deployment'] === workload)
  return named ?? workloadOf(placed, { namespace: of['namespace'] ?? '', pod: of['pod'] ?? '' })
}

const hearProcesses = (told: Told, placed: readonly Placed[]): Heard => {
  const testimony = testimonyOf(told)
  const unknown = whyNot('what processes have open is', told)
  if (!testimony) return { pressures: [], figures: [], unknown }
  const own = processUses(seriesOf(testimony)).flatMap((use) => {
    const owner = ownerOf(use, placed)
    return owner ? [{ use, owner }] : []
  })
  const most = highest(own, ({ use }) => use.fileDescriptorsUsedRatio)
  const figures = most ? [`file descriptors ${percent(most.share)} (${most.one.owner.workload})`] : []
  return { pressures: own.flatMap(({ use, owner }) => processPressures(use, owner)), figures, unknown }
}

/** What kube-state-metrics says: kills for want of memory, pods nobody takes, nodes under pressure. */
const hearWorkloads = (told: Told, placed: readonly Placed[], times: Times): Heard => {
  const testimony = testimonyOf(told)
  const unknown = whyNot('what Kubernetes refused or killed is', told)
  if (!testimony) return { pressures: [], figures: [], unknown }
  const { findings, nodes } = examine(townOf(seriesOf(testimony)), placed, times)
  const short = nodes
    .filter(({ kind }) => kind === 'node-pressure')
    .map(
      ({ node, says, longStanding }): Pressure => ({
        about: { kind: 'node', name: node },
        verdict: 'suspicious',
        says: `node ${node} ${says}`,
        longStanding,
      }),
    )
  return { pressures: [...findings.flatMap(workloadWants), ...short], figures: [], unknown }
}

const hear = async (cluster: string, placed: readonly Placed[], at: { times: Times; witnesses: Witnesses }) => {
  const { times, witnesses } = at
  const told = await witnesses.series('kube-state-metrics', cluster)
  const workloads = hearWorkloads(told, placed, times)
  const nodes = nodesUnder(told, placed)
  const [containers, machines, processes] = await Promise.all(
    ['kubelet', 'node', 'app'].map((kind) => witnesses.series(kind, cluster, nodes && { nodes })),
  )
  const none: Told = { status: 'unreadable', why: 'it was not asked' }
  const parts = [
    workloads,
    hearContainers(containers ?? none, placed, times),
    hearNodes(machines ?? none, { cluster, nodes }),
    hearProcesses(processes ?? none, placed),
  ]
  return {
    pressures: parts.flatMap(({ pressures }) => pressures),
    figures: parts.flatMap(({ figures }) => figures),
    unknown: parts.flatMap(({ unknown }) => unknown),
    // Nobody but the kubelet knows what containers use; without it "okay" would be a guess.
    blind: parts[1]?.unknown ?? [],
  }
}

const gravity = (one: Pressure) => (one.longStanding ? 2 : one.verdict === 'bad' ? 0 : 1)

const concluded = (
  pressures: readonly Pressure[],
  heard: { figures: readonly string[]; blind: readonly string[] },
): Pick<Statement, 'verdict' | 'headline'> => {
  const fresh = pressures.filter(({ longStanding }) => !longStanding)
  const say = (verdict: Answer['verdict']) =>
    list(
      fresh.filter((one) => one.verdict === verdict).map(({ says }) => says),
      2,
    )
  if (fresh.some(({ verdict }) => verdict === 'bad')) return { verdict: 'bad', headline: `no: ${say('bad')}` }
  if (fresh.length > 0) return { verdict: 'suspicious', headline: `tight: ${say('suspicious')}` }
  if (heard.blind.length > 0) return { verdict: 'unknown', headline: `unknown: ${list(heard.blind, 2)}` }
  const old = pressures.map(({ says }) => `${says} (already before the incident)`)
  const figures = heard.figures.length > 0 ? [`the highest are ${heard.figures.join(', ')}`] : []
  return { verdict: 'ok', headline: `yes: ${[...old.slice(0, 1), ...figures].join('; ') || 'nothing is short'}` }
}

const ask = async (brief: Brief, witnesses: Witnesses): Promise<Statement> => {
  const placed = placedServices(brief, witnesses)
  if (placed.length === 0) return nowhere(brief)
  const times = { sinceMs: brief.sinceMs, nowMs: witnesses.nowMs() }
  const heard = await Promise.all(byCluster(placed).map(([cluster, own]) => hear(cluster, own, { times, witnesses })))
  const pressures = heard.flatMap((one) => one.pressures).sort((a, b) => gravity(a) - gravity(b))
  const figures = heard.flatMap((one) => one.figures)
  return {
    ...concluded(pressures, { figures, blind: heard.flatMap(({ blind }) => blind) }),
    evidence: [
      ...pressures.map(
        ({ says, longStanding }): Evidence => ({
          says: longStanding ? `${says} (already before the incident)` : says,
        }),
      ),
      ...[...figures, ...heard.flatMap(({ unknown }) => unknown)].map((says): Evidence => ({ says })),
    ],
    clues: pressures.flatMap(({ about, kind, says, service, longStanding }): Clue[] =>
      kind === undefined || longStanding ? [] : [{ about, kind, says, ...(service !== undefined && { service }) }],
    ),
  }
}

const named = (reads: typeof nodeUseReads, ...names: string[]) => reads.filter(({ name }) => names.includes(name))

/** What is short: processors and memory of the containers, of the nodes under them, disks, networks, open files? */
export const resourcesOkay = defineQuestion({
  id: 'resources-okay',
  title: 'Resources okay?',
  reads: {
    'kube-state-metrics': workloadReads,
    kubelet: containerUseReads,
    node: nodeUseReads,
    app: processUseReads,
  },
  remembers: {
    'kube-state-metrics': workloadRemembers,
    kubelet: containerUseRemembers,
    node: named(
      nodeUseReads,
      'node_cpu_seconds_total',
      'node_vmstat_oom_kill',
      'node_network_receive_errs_total',
      'node_network_transmit_errs_total',
      'node_network_receive_drop_total',
      'node_network_transmit_drop_total',
    ),
  },
  ask,
})
