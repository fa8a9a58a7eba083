import type { Answer, Brief, CaseFile, Clue, Evidence, Question, Statement, Suspect, Witnesses } from './contract.ts'
import { nameSuspects } from './suspects.ts'
import { quoted } from './wording.ts'

/** A source gets the whole deadline; its question then has this long to say what it knows without it. */
const concludeMs = 100

type Heard = { answer: Answer; clues: Clue[] }

const late = (deadlineMs: number) => `no answer within ${Number((deadlineMs / 1000).toFixed(3))} s`

/** A time that comes once; whoever is still waited for then is late. */
const startTimer = (timeoutMs: number) => {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, Math.max(timeoutMs, 0))
  return { over, stop: () => clearTimeout(timer) }
}

/** Settles with `instead` when the time comes first. The late result, or failure, is of no interest to anybody. */
const unlessOver = <T>(promise: Promise<T>, over: Promise<void>, instead: () => T): Promise<T> =>
  Promise.race([promise, over.then(instead)])

const reasonOf = (error: unknown): string => quoted(error instanceof Error ? error.message : String(error), 200)

/**
 * The witnesses as one question sees them: a source that is silent until the deadline, or throws, is `unreadable`, so
 * that the question still answers with what the others said. The deadline is the question's, however many it asks one
 * after the other.
 */
const impatient = (
  witnesses: Witnesses,
  { deadlineMs, over }: { deadlineMs: number; over: Promise<void> },
): { witnesses: Witnesses; waitsFor: () => string[] } => {
  const waiting = new Map<symbol, string>()
  const read = async <T>(what: string, start: () => Promise<T>, failed: (why: string) => T): Promise<T> => {
    const call = Symbol(what)
    waiting.set(call, what)
    try {
      return await unlessOver(start(), over, () => failed(`${late(deadlineMs)}: ${what}`))
    } catch (error) {
      return failed(reasonOf(error))
    } finally {
      waiting.delete(call)
    }
  }
  const unreadable = (why: string) => ({ status: 'unreadable' as const, why })
  const { objects } = witnesses
  return {
    waitsFor: () => [...new Set(waiting.values())],
    witnesses: {
      ...witnesses,
      series: (kind, cluster, at) =>
        read(`${kind} of cluster ${cluster}`, async () => witnesses.series(kind, cluster, at), unreadable),
      logs: (cluster, namespace, span) =>
        read(
          `logs of ${namespace} in cluster ${cluster}`,
          async () => witnesses.logs(cluster, namespace, span),
          unreadable,
        ),
      ...(objects && {
        objects: (cluster: string, namespace: string) =>
          read(
            `objects of ${namespace} in cluster ${cluster}`,
            async () => objects(cluster, namespace),
            (why) => ({
              pods: unreadable(why),
              events: unreadable(why),
              rollouts: unreadable(why),
              crashes: unreadable(why),
            }),
          ),
      }),
    },
  }
}

type Asking = { brief: Brief; witnesses: Witnesses; deadlineMs: number; suspects: readonly Suspect[] }

const unknown = (why: string): Statement => ({
  verdict: 'unknown',
  headline: `unknown: ${why}`,
  evidence: [],
  clues: [],
})

const askOne = async (question: Question, asking: Asking): Promise<Heard> => {
  const { brief, deadlineMs, suspects } = asking
  const startedAtMs = asking.witnesses.nowMs()
  const [sources, conclusion] = [startTimer(deadlineMs), startTimer(deadlineMs + concludeMs)]
  const { witnesses, waitsFor } = impatient(asking.witnesses, { deadlineMs, over: sources.over })
  const ask = async () => {
    try {
      return await question.ask(brief, witnesses, suspects)
    } catch (error) {
      return unknown(reasonOf(error))
    }
  }
  const { clues, ...statement } = await unlessOver(ask(), conclusion.over, () =>
    unknown([late(deadlineMs), ...waitsFor()].join(': ')),
  )
  for (const timer of [sources, conclusion]) timer.stop()
  const tookMs = Math.max(0, asking.witnesses.nowMs() - startedAtMs)
  const headline = quoted(statement.headline, 2 * longestSays)
  const evidence = bounded(statement.evidence)
  return {
    answer: { question: question.id, title: question.title, verdict: statement.verdict, headline, evidence, tookMs },
    clues: clues.map((clue) => ({ ...clue, says: quoted(clue.says, longestSays) })),
  }
}

/** A case file is one item of the store and the body of a page: both have their limits. */
const mostEvidence = 12
const longestSays = 240
const longestQuote = 360

const bounded = (evidence: readonly Evidence[]): Evidence[] => {
  const kept = evidence.length <= mostEvidence ? evidence : evidence.slice(0, mostEvidence - 1)
  const rest = evidence.length - kept.length
  return [
    ...kept.map(({ says, quote }) => ({
      says: quoted(says, longestSays),
      ...(quote !== undefined && { quote: quoted(quote, longestQuote) }),
    })),
    ...(rest > 0 ? [{ says: `and ${rest} more` }] : []),
  ]
}

const gravity = ['bad', 'suspicious', 'unknown'] as const

/** The sentence the page leads with: the prime suspect, or the worst answer where nobody is accused. */
const headlineOf = (answers: readonly Answer[], suspects: readonly Suspect[], brief: Brief): string => {
  const [prime] = suspects
  if (prime) return prime.headline
  const inside = answers.filter(({ question }) => question !== 'whose-is-it')
  const worst = gravity.map((one) => inside.find(({ verdict }) => verdict === one)).find((one) => one !== undefined)
  if (worst) return `no suspect for ${brief.service}. ${worst.title} ${worst.headline}`
  return `no suspect for ${brief.service}: nothing wrong inside${brief.summaries[0] ? `. Seen outside: ${brief.summaries[0]}` : ''}`
}

/**
 * Asks all questions side by side and makes the case file of what they answered by the deadline. It is there at most
 * 0.2 s after `deadlineMs`, whatever the sources do, and it never throws for them: a question that fails or hangs
 * answers `unknown` with the reason. Questions that come after the suspects are asked last, in the time left.
 */
export const openCaseFile = async (options: {
  brief: Brief
  witnesses: Witnesses
  deadlineMs: number
  questions: readonly Question[]
}): Promise<CaseFile> => {
  const { brief, witnesses, deadlineMs, questions } = options
  const asking = { brief, witnesses, deadlineMs, suspects: [] }
  const first = await Promise.all(
    questions.map(async (question) => (question.afterSuspects ? undefined : await askOne(question, asking))),
  )
  const clues = first.flatMap((heard) => heard?.clues ?? [])
  const suspects = nameSuspects(clues, { brief, services: witnesses.services, nowMs: witnesses.nowMs() })
  const last = { brief, witnesses, deadlineMs: 0, suspects }
  const heard = await Promise.all(
    questions.map(async (question, index) => first[index] ?? (await askOne(question, last))),
  )
  const answers = heard.map(({ answer }) => answer)
  return {
    incidentId: brief.incidentId,
    atMs: witnesses.nowMs(),
    headline: headlineOf(answers, suspects, brief),
    answers,
    suspects,
  }
}
