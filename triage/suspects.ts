import type { Service } from '../config/contract.ts'
import { involvedServices } from '../config/contract.ts'
import type { Accused, Brief, Clue, Suspect } from './contract.ts'
import { clock } from './wording.ts'

/**
 * Every kind of clue there is, with its weight: the chance that the accused is the cause, were this all we knew.
 * Negative speaks against. `cause` explains why a thing broke; `symptom` may be another's fault.
 */
export const clueKinds = {
  'out-of-memory': { weight: 0.9, role: 'cause' },
  'bad-rollout': { weight: 0.9, role: 'cause' },
  'crash-loop': { weight: 0.8, role: 'cause' },
  'image-pull': { weight: 0.85, role: 'cause' },
  'container-config': { weight: 0.85, role: 'cause' },
  unschedulable: { weight: 0.8, role: 'cause' },
  'cannot-create-pods': { weight: 0.75, role: 'cause' },
  evicted: { weight: 0.6, role: 'cause' },
  'scaled-to-zero': { weight: 0.85, role: 'cause' },
  deleted: { weight: 0.85, role: 'cause' },
  'job-failed': { weight: 0.85, role: 'cause' },
  'stuck-starting': { weight: 0.5, role: 'cause' },
  saturated: { weight: 0.5, role: 'cause' },
  rollout: { weight: 0.3, role: 'cause' },
  'config-change': { weight: 0.3, role: 'cause' },
  'out-of-file-descriptors': { weight: 0.6, role: 'cause' },
  'near-memory-limit': { weight: 0.35, role: 'cause' },
  'cpu-throttled': { weight: 0.35, role: 'cause' },
  'node-exhausted': { weight: 0.35, role: 'cause' },
  'node-not-ready': { weight: 0.85, role: 'cause' },
  'node-not-ready-partly': { weight: 0.45, role: 'cause' },
  'node-pressure': { weight: 0.3, role: 'symptom' },
  'certificate-invalid': { weight: 0.95, role: 'cause' },
  'certificate-warning': { weight: 0.2, role: 'cause' },
  'name-not-resolved': { weight: 0.7, role: 'cause' },
  'failing-route': { weight: 0.75, role: 'symptom' },
  'failing-traffic': { weight: 0.65, role: 'symptom' },
  'failing-calls': { weight: 0.5, role: 'symptom' },
  'slow-answers': { weight: 0.45, role: 'symptom' },
  'failures-of-unknown-age': { weight: 0.3, role: 'symptom' },
  'crash-of-unknown-age': { weight: 0.45, role: 'symptom' },
  'readiness-flapping': { weight: 0.3, role: 'symptom' },
  'restarted-once': { weight: 0.35, role: 'symptom' },
  'readiness-failing': { weight: 0.45, role: 'symptom' },
  'liveness-failing': { weight: 0.45, role: 'symptom' },
  'replicas-missing': { weight: 0.4, role: 'symptom' },
  'crash-in-logs': { weight: 0.5, role: 'symptom' },
  'new-errors-in-logs': { weight: 0.35, role: 'symptom' },
  'more-errors-in-logs': { weight: 0.25, role: 'symptom' },
  'blamed-in-logs': { weight: 0.3, role: 'symptom' },
  'failing-downstream': { weight: -0.7, role: 'against' },
  'victim-of-node': { weight: -0.7, role: 'against' },
  'victim-of-dependency': { weight: -0.7, role: 'against' },
  'crashes-with-dependency': { weight: -0.35, role: 'against' },
} as const satisfies Record<string, { weight: number; role: 'cause' | 'symptom' | 'against' }>

export type ClueKind = keyof typeof clueKinds
type Entry = { weight: number; role: 'cause' | 'symptom' | 'against' }

/** Below this nobody is named: a page that blames the wrong service is worse than one that blames none. */
export const accusationThreshold = 0.4
const mostSuspects = 5
const mostReasons = 6
/** Sources are read every half minute and nodes are given up after 40 s, so a cause may be seen this much late. */
const seenLateMs = 150_000
const longBeforeMs = 30 * 60_000
const offTimeFactor = 0.6

const entries: ReadonlyMap<string, Entry> = new Map(Object.entries(clueKinds))
const entryOf = (clue: Clue): Entry => entries.get(clue.kind) ?? { weight: 0, role: 'symptom' }

type Case = { accused: Accused; clues: Clue[] }

const keyOf = ({ kind, cluster, namespace, name }: Accused): string =>
  JSON.stringify([kind, cluster ?? '', namespace ?? '', name])

/** What began long after the symptom, or long before it, is hardly its cause. */
const timeliness = ({ atMs }: Clue, sinceMs: number): { factor: number; says?: (nowMs: number) => string } => {
  if (atMs === undefined) return { factor: 1 }
  const when = (nowMs: number) => clock(atMs, nowMs)
  if (atMs > sinceMs + seenLateMs)
    return { factor: offTimeFactor, says: (nowMs) => `that began only at ${when(nowMs)}, after the incident` }
  if (atMs < sinceMs - longBeforeMs)
    return { factor: offTimeFactor, says: (nowMs) => `that began at ${when(nowMs)}, long before the incident` }
  return { factor: 1 }
}

const weightOf = (clue: Clue, sinceMs: number): number => {
  const { weight } = entryOf(clue)
  return weight > 0 ? weight * timeliness(clue, sinceMs).factor : weight
}

/** Noisy-or: each clue is an independent chance of guilt, each counter-clue leaves a part of it. One kind counts once. */
const scoreOf = (clues: readonly Clue[], sinceMs: number): number => {
  const strongest = new Map<string, number>()
  for (const clue of clues) {
    const weight = weightOf(clue, sinceMs)
    if (Math.abs(weight) > Math.abs(strongest.get(clue.kind) ?? 0)) strongest.set(clue.kind, weight)
  }
  // Multiplying in one fixed order keeps equal evidence equal to the last bit.
  const weights = [...strongest.values()].sort((a, b) => a - b)
  const innocent = weights.filter((weight) => weight > 0).reduce((rest, weight) => rest * (1 - weight), 1)
  const kept = weights.filter((weight) => weight < 0).reduce((rest, weight) => rest * (1 + weight), 1)
  return Number(((1 - innocent) * kept).toFixed(4))
}

const strongestFor = (clues: readonly Clue[], sinceMs: number): Clue | undefined =>
  clues
    .filter((clue) => entryOf(clue).weight > 0)
    .sort((a, b) => weightOf(b, sinceMs) - weightOf(a, sinceMs) || (a.atMs ?? Infinity) - (b.atMs ?? Infinity))[0]

/** How far before a symptom a change may lie and still be what it is named after. */
const changeBeforeMs = 10 * 60_000
const changeAfterMs = 60_000

/**
 * What a suspect is named after: the clue that weighs most. A symptom that began right after a change of the same thing
 * is named after the change, since that is what a person can undo.
 */
const leadOf = (clues: readonly Clue[], sinceMs: number): { kind: string; says: string } | undefined => {
  const strongest = strongestFor(clues, sinceMs)
  if (!strongest || entryOf(strongest).role === 'cause') return strongest
  const beganMs = strongest.atMs ?? sinceMs
  const near = ({ atMs }: Clue) =>
    atMs !== undefined && atMs >= beganMs - changeBeforeMs && atMs <= beganMs + changeAfterMs
  const causes = clues.filter((clue) => entryOf(clue).role === 'cause' && near(clue))
  const change = strongestFor(causes, sinceMs)
  return change ? { kind: change.kind, says: `${change.says}; ${strongest.says}` } : strongest
}

/**
 * One case per accused thing. A part (a route) and its whole are one case: the whole's when the whole has a cause of
 * its own, which explains the part; else the part's, which says more.
 */
const casesOf = (clues: readonly Clue[]): Case[] => {
  const wholes = new Map<string, Clue[]>()
  for (const clue of clues) {
    const key = keyOf(clue.about)
    wholes.set(key, [...(wholes.get(key) ?? []), clue])
  }
  return [...wholes.values()].map((own): Case => {
    const hasCause = own.some(
      (clue) => !clue.about.part && entryOf(clue).role === 'cause' && entryOf(clue).weight >= 0.5,
    )
    const parts = own.filter(({ about }) => about.part).sort((a, b) => entryOf(b).weight - entryOf(a).weight)
    const { part: _, ...whole } = own[0]?.about ?? { kind: 'workload', name: '' }
    return { accused: (!hasCause && parts[0]?.about) || whole, clues: own }
  })
}

const beganAt = (clues: readonly Clue[]): number =>
  Math.min(...clues.filter((clue) => entryOf(clue).weight > 0).map(({ atMs }) => atMs ?? Infinity))

/** Who depends on a guilty thing and shows only symptoms is its victim, unless the symptoms came clearly first. */
const pleadForVictims = (cases: readonly Case[], services: Services, sinceMs: number): Case[] => {
  const serviceIn = ({ clues }: Case) => clues.find(({ service }) => service)?.service
  const guilty = cases.filter((one) => {
    const cause = strongestFor(one.clues, sinceMs)
    return cause && entryOf(cause).role === 'cause' && scoreOf(one.clues, sinceMs) >= 0.5
  })
  return cases.map((one): Case => {
    const service = serviceIn(one)
    if (!service) return one
    const dependencies = new Set(involvedServices(services, service).map((each) => each.service))
    const culprit = guilty.find((other) => {
      const theirs = serviceIn(other)
      return (
        other !== one &&
        theirs !== undefined &&
        theirs !== service &&
        dependencies.has(theirs) &&
        !(beganAt(other.clues) > beganAt(one.clues) + seenLateMs)
      )
    })
    if (!culprit) return one
    const causes = one.clues.filter((clue) => entryOf(clue).role === 'cause' && entryOf(clue).weight >= 0.5)
    if (!causes.every(({ kind }) => kind === 'crash-loop')) return one
    const kind: ClueKind = causes.length === 0 ? 'victim-of-dependency' : 'crashes-with-dependency'
    const says = `it needs ${culprit.accused.name}, which is in trouble itself`
    return { ...one, clues: [...one.clues, { about: one.accused, kind, says }] }
  })
}

type Services = Readonly<Record<string, Service>>

const nameOf = ({ kind, name }: Accused): string => {
  switch (kind) {
    case 'node':
      return `node ${name}: `
    case 'certificate':
      return `certificate of ${name} `
    case 'workload':
    case 'target':
      return `${name}: `
    default:
      return kind satisfies never
  }
}

const suspectOf = ({ accused, clues }: Case, context: { brief: Brief; services: Services; nowMs: number }): Suspect => {
  const { sinceMs } = context.brief
  const lead = leadOf(clues, sinceMs)
  const service = clues.find((clue) => clue.service)?.service
  const config = service === undefined ? undefined : context.services[service]
  const offTime = clues.flatMap((clue) => {
    const says = entryOf(clue).weight > 0 ? timeliness(clue, sinceMs).says?.(context.nowMs) : undefined
    return says ? [`${clue.says}: ${says}`] : []
  })
  const saying = (fits: (weight: number) => boolean) =>
    [...new Set(clues.filter((clue) => fits(entryOf(clue).weight)).map(({ says }) => says))].slice(0, mostReasons)
  return {
    accused,
    cause: lead?.kind ?? 'unknown',
    score: scoreOf(clues, sinceMs),
    headline: `${nameOf(accused)}${lead?.says ?? ''}`,
    for: saying((weight) => weight > 0),
    against: [...saying((weight) => weight < 0), ...offTime],
    ...(config?.owner && { owner: config.owner }),
    ...(config?.runbook && { runbook: config.runbook }),
    ...(service !== undefined && { service }),
  }
}

/**
 * Names the suspects from the clues alone, the likeliest first; nobody when nothing reaches the threshold. The order of
 * the clues and the names of things make no difference, save for a tie, which names break.
 */
export const nameSuspects = (
  clues: readonly Clue[],
  context: { brief: Brief; services: Services; nowMs: number },
): Suspect[] => {
  const { sinceMs } = context.brief
  return pleadForVictims(casesOf(clues), context.services, sinceMs)
    .map((one) => ({ began: beganAt(one.clues), key: keyOf(one.accused), suspect: suspectOf(one, context) }))
    .filter(({ suspect }) => suspect.score >= accusationThreshold)
    .sort(
      (a, b) =>
        b.suspect.score - a.suspect.score ||
        (a.began === b.began ? 0 : a.began - b.began) ||
        (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
    )
    .slice(0, mostSuspects)
    .map(({ suspect }) => suspect)
}
