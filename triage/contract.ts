import * as z from 'zod'
import { owner, type Service, severity } from '../config/contract.ts'
import type { ProbeOutcome } from '../probes/contract.ts'
import type { KubernetesFacts, LogReading, Reading, Sample, Selector } from '../sources/contract.ts'

export const answerVerdict = z.enum(['ok', 'bad', 'suspicious', 'unknown'])

/** One fact, readable by itself; `quote` is raw text from a source (a log line), shown as it was. */
export const evidence = z.strictObject({ says: z.string(), quote: z.string().optional() })
export type Evidence = z.infer<typeof evidence>

export const answer = z.strictObject({
  question: z.string(),
  title: z.string(),
  verdict: answerVerdict,
  /** One line: what a sleepy person must know. */
  headline: z.string(),
  evidence: z.array(evidence),
  tookMs: z.number(),
})
export type Answer = z.infer<typeof answer>

/** What can be guilty. Two clues are about the same suspect when kind, cluster, namespace, name and part are equal. */
export const accused = z.strictObject({
  kind: z.enum(['workload', 'certificate', 'node', 'target']),
  /** Where it is; two clusters may each have a workload of one name. */
  cluster: z.string().optional(),
  namespace: z.string().optional(),
  name: z.string(),
  /** The part of it that misbehaves, such as a route. */
  part: z.string().optional(),
})
export type Accused = z.infer<typeof accused>

/** A piece of evidence about one accused, for it or against it: its kind decides, by the table in `triage/suspects.ts`. */
export const clue = z.strictObject({
  about: accused,
  /** From the closed list in `triage/suspects.ts`. */
  kind: z.string(),
  /** Readable behind the accused's name: `container out of memory (limit 128Mi), 5 restarts since 06:30`. */
  says: z.string(),
  /** When it began, as far as it was seen; what begins long after the symptom is no cause of it. */
  atMs: z.number().optional(),
  /** The config's name of the service the accused belongs to, when the question knows it. */
  service: z.string().optional(),
})
export type Clue = z.infer<typeof clue>

export const suspect = z.strictObject({
  accused,
  /** `rollout`, `out-of-memory`, `failing-route`, … : the clue kind that weighs most. */
  cause: z.string(),
  /** 0..1, from the clues alone. */
  score: z.number(),
  /** One sentence that names it and says why. */
  headline: z.string(),
  for: z.array(z.string()),
  against: z.array(z.string()),
  owner: owner.optional(),
  runbook: z.string().optional(),
  /** The service it belongs to, when the config knows one. */
  service: z.string().optional(),
})
export type Suspect = z.infer<typeof suspect>

export const caseFile = z.strictObject({
  incidentId: z.string(),
  atMs: z.number(),
  /** The sentence the page leads with. */
  headline: z.string(),
  answers: z.array(answer),
  /** The likeliest first; empty means "no suspect", which is an answer. */
  suspects: z.array(suspect),
})
export type CaseFile = z.infer<typeof caseFile>

/** What the detective is told before it asks. */
export const brief = z.strictObject({
  incidentId: z.string(),
  service: z.string(),
  severity,
  /** When it began as far as the outside could see. */
  sinceMs: z.number(),
  summaries: z.array(z.string()),
})
export type Brief = z.infer<typeof brief>

/** A source's series now, and what the cluster's window remembers of them. */
export type Testimony = {
  atMs: number
  samples: readonly Sample[]
  incomplete?: string
  /** Earlier values of this very series, oldest first; empty when the window does not know it. */
  before: (sample: Sample) => readonly { atMs: number; value: number }[]
  /** Oldest time the window covers; undefined when there is no window yet. */
  windowFromMs?: number
  /** Series the window remembers and `samples` lacks, each with its last value: deleted pods, traffic that stopped. */
  gone?: readonly Sample[]
}

/** A monitor's outcome, with as much of its attempt as was kept of it. */
export type WitnessedOutcome = Omit<ProbeOutcome, 'attempt'> & {
  attempt?:
    | { url?: string | undefined; statusCode?: number | undefined; certificate?: { notAfterMs: number } | undefined }
    | undefined
  service: string
  target: string
  runSinceMs?: number
  periodSeconds?: number
}

/** Everything a question may use. Answers of a witness are cached for the run, so two questions may ask the same. */
export type Witnesses = {
  nowMs: () => number
  services: Readonly<Record<string, Service>>
  /**
   * The last outcomes of every monitor of every service, newest last. `runSinceMs`: the scheduled time of the first look
   * of the run (of failing ones, or of passing ones) that this one ends, where earlier looks are not here themselves.
   */
  outcomes: readonly WitnessedOutcome[]
  /** Scrapes all sources of that kind in the cluster; with `nodes`, those that are on one of them or on none. */
  series: (kind: string, cluster: string, at?: { nodes: readonly string[] }) => Promise<Reading<Testimony>>
  logs: (cluster: string, namespace: string, span: LogSpan) => Promise<Reading<LogReading>>
  /** What the Kubernetes API says of a namespace; undefined where no source asks it. */
  objects?: (cluster: string, namespace: string) => Promise<KubernetesFacts | undefined>
}

/**
 * Which lines a question wants. Left out, `errorsOnly` is true and `limit` is the witness's own. With `workloads` lines of
 * others are left out as far as the source can tell; those of a workload with a longer name may still be among them.
 */
export type LogSpan = {
  sinceMs: number
  untilMs: number
  errorsOnly?: boolean
  limit?: number
  workloads?: readonly string[]
}

/** What a question gives back; the door adds question, title and tookMs. */
export type Statement = { verdict: Answer['verdict']; headline: string; evidence: Evidence[]; clues: Clue[] }

/** One question of the checklist. `ask` never throws for a source that cannot be read: it answers `unknown: why`. */
export type Question = {
  id: string
  /** The talk's words: `Service running?` */
  title: string
  /** Series it wants from each source kind, now. */
  reads: Readonly<Record<string, readonly Selector[]>>
  /** The part of those whose past it needs; `scrape` keeps only these in the window. */
  remembers: Readonly<Record<string, readonly Selector[]>>
  /** Asked when the others have answered, and told the suspects; it must not read slow sources. */
  afterSuspects?: true
  /** `suspects` is empty unless `afterSuspects`. */
  ask: (brief: Brief, witnesses: Witnesses, suspects: readonly Suspect[]) => Promise<Statement>
}

export const defineQuestion = (question: Question): Question => question
