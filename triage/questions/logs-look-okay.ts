import type { LogLine } from '../../sources/contract.ts'
import { blamedBy } from '../blamed-hosts.ts'
import {
  type Answer,
  type Brief,
  type Clue,
  defineQuestion,
  type Evidence,
  type Statement,
  type Witnesses,
} from '../contract.ts'
import { accusedOf, byCluster, nowhere, type Placed, placedServices } from '../involved.ts'
import { gravityOf } from '../log-errors.ts'
import { logOwner } from '../log-owner.ts'
import { groupLines, maxLines } from '../log-patterns.ts'
import { crashLogs } from '../objects.ts'
import { redact } from '../redaction.ts'
import { leadMs } from '../troubles.ts'
import { clock, count, list, quoted } from '../wording.ts'

/** How far before the incident lines are read: what was said then is not new. */
const lookBackMs = 10 * 60_000

/** How many lines of any kind are read to see who logs at all. */
const anyLines = 300

/** Lines of one workload made by one statement of its program. */
type Kind = {
  owner: string
  placed: Placed | undefined
  template: string
  lines: number
  crash: boolean
  firstMs: number
  lastMs: number
  /** `unknown`: the source had more lines than it gave, so the earlier ones were not seen. */
  age: 'new' | 'more' | 'old' | 'unknown'
  quote: string
  raw: string
}

type Ear = { sinceMs: number; nowMs: number; seenFromMs: number }

/** Not there before the incident, there but far more often since, or as ever. */
const ageOf = (times: readonly number[], { sinceMs, nowMs, seenFromMs }: Ear): Kind['age'] => {
  const newMs = sinceMs - leadMs
  if (seenFromMs > newMs) return 'unknown'
  const before = times.filter((atMs) => atMs < newMs).length
  if (before === 0) return 'new'
  const expected = (before / (newMs - seenFromMs)) * (nowMs - newMs)
  const since = times.length - before
  return since > expected * 3 && since > expected + 3 * Math.sqrt(expected) + 3 ? 'more' : 'old'
}

const kindsOf = (lines: readonly LogLine[], placed: readonly Placed[], ear: Ear): Kind[] => {
  const names = placed.map(({ workload }) => workload)
  const byOwner = new Map<string, LogLine[]>()
  for (const line of lines) {
    if (gravityOf(line.line) === undefined) continue
    const owner = logOwner(line.labels, names).name
    const own = byOwner.get(owner)
    if (own) own.push(line)
    else byOwner.set(owner, [line])
  }
  return [...byOwner].flatMap(([owner, own]) =>
    groupLines(own.map(({ line }) => line)).map(({ template, members }): Kind => {
      const mine = members.flatMap((index) => own[index] ?? [])
      const times = mine.map(({ atMs }) => atMs)
      // The newest line: it is the one a person finds first when they look.
      const newest = mine.reduce(
        (best, line) => (line.atMs > best.atMs ? line : best),
        mine[0] ?? { atMs: 0, line: '' },
      )
      return {
        owner,
        placed: placed.find(({ workload }) => workload === owner),
        template,
        lines: mine.length,
        crash: mine.some(({ line }) => gravityOf(line) === 'crash'),
        firstMs: Math.min(...times),
        lastMs: Math.max(...times),
        age: ageOf(times, ear),
        quote: quoted(redact(newest.line)),
        raw: newest.line,
      }
    }),
  )
}

const newness = { new: 0, more: 1, unknown: 2, old: 3 } as const

const byImportance = (a: Kind, b: Kind): number =>
  newness[a.age] - newness[b.age] ||
  Number(b.placed !== undefined) - Number(a.placed !== undefined) ||
  Number(b.crash) - Number(a.crash) ||
  b.lines - a.lines ||
  a.firstMs - b.firstMs

const sayAge = ({ age, lines, firstMs, lastMs }: Kind, { nowMs }: Ear): string => {
  const times = `${count(lines, 'line')}`
  switch (age) {
    case 'new':
      return `new, ${times} since ${clock(firstMs, nowMs)}, last ${clock(lastMs, nowMs)}`
    case 'more':
      return `far more often than before, ${times}, last ${clock(lastMs, nowMs)}`
    case 'unknown':
      return `at least ${times}, how long already is not known`
    case 'old':
      return `as before the incident, ${times}, last ${clock(lastMs, nowMs)}`
    default:
      return age satisfies never
  }
}

/** Without the time at its start, which the sentence around it gives. */
const short = ({ quote }: Kind) => `"${quoted(quote.replace(/^[\d/:.,TZ+-]+(?:\s+[\d:.,]+)?\s+/, ''), 90)}"`

/** `all`: nobody involved was heard; `itself`: others were, of the service itself no line was found. */
type Silence = { says: string; of: 'all' | 'itself' }

type Heard = { kinds: Kind[]; ear: Ear; unread?: string; silence?: Silence }

const context = (cluster: string, namespace: string) => `namespace ${namespace} of cluster ${cluster}`

type Place = { cluster: string; namespace: string }
type Asked = { brief: Brief; witnesses: Witnesses }

/** The incident's own service where it is among them: of whom a line is looked for first. */
const nearest = (placed: readonly Placed[]): readonly Placed[] => {
  const itself = placed.filter(({ distance }) => distance === 0)
  return itself.length > 0 ? itself : placed
}

const namesOf = (placed: readonly Placed[]): string[] => placed.map(({ workload }) => workload)

/** Whether one of the lines, be it good or bad, is of one of these among the involved. */
const speak = (lines: readonly LogLine[], placed: readonly Placed[], some = placed): boolean => {
  const wanted = namesOf(some)
  return lines.some(({ labels }) => wanted.includes(logOwner(labels, namesOf(placed)).name))
}

/** What is missing from the lines of all kinds; undefined where the service itself was heard. */
const silenceOf = async (place: Place, placed: readonly Placed[], asked: Asked): Promise<Silence | undefined> => {
  const { cluster, namespace } = place
  const { brief, witnesses } = asked
  const wanted = nearest(placed)
  const span = { sinceMs: brief.sinceMs - lookBackMs, untilMs: witnesses.nowMs(), errorsOnly: false, limit: anyLines }
  let any = await witnesses.logs(cluster, namespace, span)
  // A neighbour who talks a lot may have filled it.
  if (any.status === 'read' && any.value.truncated && !speak(any.value.lines, placed))
    any = await witnesses.logs(cluster, namespace, { ...span, workloads: namesOf(placed) })
  if (any.status === 'unreadable') return { says: `${context(cluster, namespace)}: ${any.why}`, of: 'all' }
  const { lines, truncated } = any.value
  if (speak(lines, placed, wanted)) return undefined
  const found = truncated ? `is among the last ${lines.length}` : 'was found'
  return {
    says: `not one line of ${list(namesOf(wanted))} ${found} in ${context(cluster, namespace)}`,
    of: speak(lines, placed) ? 'itself' : 'all',
  }
}

const hear = async (place: Place, placed: readonly Placed[], asked: Asked): Promise<Heard> => {
  const { brief, witnesses } = asked
  const { cluster, namespace } = place
  const nowMs = witnesses.nowMs()
  const fromMs = brief.sinceMs - lookBackMs
  const ear = { sinceMs: brief.sinceMs, nowMs, seenFromMs: fromMs }
  // Both at once: there is no time to wait for one and then for the other.
  const asking = silenceOf(place, placed, asked)
  const [reading, facts] = await Promise.all([
    witnesses.logs(cluster, namespace, { sinceMs: fromMs, untilMs: nowMs, errorsOnly: true }),
    witnesses.objects?.(cluster, namespace),
  ])
  if (reading.status === 'unreadable') {
    // Kubernetes keeps the last words of what crashed, and nothing of before.
    const kinds = kindsOf(crashLogs(facts, nowMs), placed, { ...ear, seenFromMs: nowMs })
    return { kinds, ear, unread: `${context(cluster, namespace)}: ${reading.why}` }
  }
  const lines = reading.value.lines.slice(0, maxLines)
  const cut = reading.value.truncated || lines.length < reading.value.lines.length
  const oldest = Math.min(...lines.map(({ atMs }) => atMs))
  const kinds = kindsOf(lines, placed, { ...ear, seenFromMs: cut ? oldest : fromMs })
  // No error line is good news only from a source that has lines of these pods at all.
  const silence = speak(lines, placed, nearest(placed)) ? undefined : await asking
  if (!silence) return { kinds, ear }
  return { kinds, ear, silence: speak(lines, placed) ? { ...silence, of: 'itself' } : silence }
}

const cluesOf = ({ kinds, ear }: Heard, placed: readonly Placed[]): Clue[] =>
  kinds
    .filter(({ age }) => age === 'new' || age === 'more')
    .flatMap((kind): Clue[] => {
      const says = `logs ${short(kind)}: ${sayAge(kind, ear)}`
      const base = { says, ...(kind.age === 'new' && { atMs: kind.firstMs }) }
      const own = kind.placed
      const kindOf = kind.age === 'more' ? 'more-errors-in-logs' : kind.crash ? 'crash-in-logs' : 'new-errors-in-logs'
      return [
        ...(own ? [{ ...base, about: accusedOf(own), kind: kindOf, service: own.service }] : []),
        ...blamedBy(
          kind.raw,
          placed.filter(({ workload }) => workload !== kind.owner),
        ).map((other) => ({
          ...base,
          about: accusedOf(other),
          kind: 'blamed-in-logs',
          says: `${kind.owner} ${says}`,
          service: other.service,
        })),
      ]
    })

const verdictOf = (heard: readonly Heard[]): Pick<Statement, 'verdict' | 'headline'> => {
  const kinds = heard
    .flatMap(({ kinds, ear }) => kinds.map((kind) => ({ kind, ear })))
    .sort((a, b) => byImportance(a.kind, b.kind))
  const ours = kinds.filter(({ kind }) => kind.placed)
  const say = (shown: typeof kinds, verdict: Answer['verdict'], word: string) => ({
    verdict,
    headline: `${word}: ${list(
      shown.map(({ kind, ear }) => `${kind.owner} logs ${short(kind)} (${sayAge(kind, ear)})`),
      2,
    )}`,
  })
  const bad = ours.filter(({ kind }) => kind.age === 'new' && (kind.crash || kind.lines >= 3))
  if (bad.length > 0) return say(bad, 'bad', 'no')
  const odd = ours.filter(({ kind }) => kind.age !== 'old')
  if (odd.length > 0) return say(odd, 'suspicious', 'perhaps not')
  const blind = heard.flatMap(({ unread, silence }) => unread ?? (silence?.of === 'all' ? silence.says : []))
  if (blind.length > 0) return { verdict: 'unknown', headline: `unknown: ${list(blind, 2)}` }
  return {
    verdict: 'ok',
    headline: `yes: ${[
      sayOld(ours.map(({ kind }) => kind)),
      ...heard.flatMap(({ silence }) => silence?.says ?? []),
      ...sayStrangers(kinds.map(({ kind }) => kind)),
    ].join('; ')}`,
  }
}

const sayOld = (kinds: readonly Kind[]): string => {
  const lines = kinds.reduce((sum, kind) => sum + kind.lines, 0)
  return lines === 0
    ? 'no error line'
    : `nothing new, ${count(lines, 'error line')} of ${count(kinds.length, 'kind')} as before`
}

/** New complaints of neighbours in the namespace, who may have heard the shot. */
const sayStrangers = (kinds: readonly Kind[]): string[] => {
  const names = [...new Set(kinds.filter(({ placed, age }) => !placed && age === 'new').map(({ owner }) => owner))]
  return names.length === 0 ? [] : [`new errors of ${list(names)}, not involved`]
}

const evidenceOf = ({ kinds, ear, unread, silence }: Heard): Evidence[] => [
  ...[unread, silence?.says].flatMap((says) => (says === undefined ? [] : [{ says }])),
  ...[...kinds].sort(byImportance).map((kind) => ({
    says: `${kind.owner}${kind.placed ? '' : ' (not involved)'}: ${sayAge(kind, ear)}`,
    quote: kind.quote,
  })),
]

const ask = async (brief: Brief, witnesses: Witnesses): Promise<Statement> => {
  const placed = placedServices(brief, witnesses)
  if (placed.length === 0) return nowhere(brief)
  const places = byCluster(placed).flatMap(([cluster, own]) =>
    [...new Set(own.map(({ namespace }) => namespace))].map((namespace) => ({
      cluster,
      namespace,
      own: own.filter((one) => one.namespace === namespace),
    })),
  )
  const heard = await Promise.all(places.map(({ own, ...place }) => hear(place, own, { brief, witnesses })))
  return {
    ...verdictOf(heard),
    evidence: heard.flatMap(evidenceOf),
    clues: heard.flatMap((one) => cluesOf(one, placed)),
  }
}

/** Do the programs complain of something they did not complain of before? */
export const logsLookOkay = defineQuestion({
  id: 'logs-look-okay',
  title: 'Logs look okay?',
  reads: {},
  remembers: {},
  ask,
})
