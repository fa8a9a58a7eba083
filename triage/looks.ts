import { involvedServices } from '../config/contract.ts'
import type { Brief, Clue, Witnesses } from './contract.ts'
import { clock, day, list, span } from './wording.ts'

export type Look = Witnesses['outcomes'][number]

/** One monitor of an involved service: what each of its locations saw last. */
export type MonitorView = {
  service: string
  target: string
  failing: Look[]
  degraded: Look[]
  passing: Look[]
  unknown: Look[]
  /** First failing look of the run that lasts until now, over all locations that fail. */
  failingSinceMs?: number
}

/** A look older than this says nothing about now; a monitor that looks rarely gets three periods. */
const staleAfterMs = 15 * 60_000

const isFresh = ({ startedAtMs, periodSeconds = 0 }: Look, nowMs: number) =>
  nowMs - startedAtMs <= Math.max(staleAfterMs, 3 * periodSeconds * 1000)

const latestFirst = (a: Look, b: Look) => b.startedAtMs - a.startedAtMs

/** When the failing began that this location still sees; looks that saw nothing (`unknown`) neither begin nor end it. */
const failingSince = (looks: readonly Look[]): number | undefined => {
  let since: number | undefined
  for (const { verdict, scheduledAtMs, runSinceMs } of looks) {
    if (verdict === 'unknown') continue
    if (verdict !== 'fail') break
    since = Math.min(scheduledAtMs, runSinceMs ?? scheduledAtMs)
  }
  return since
}

const viewOf = (looks: readonly Look[], nowMs: number): MonitorView | undefined => {
  const locations = [...new Set(looks.map(({ location }) => location))].sort()
  const own = locations.map((location) => looks.filter((look) => look.location === location).sort(latestFirst))
  const fresh = own.filter(([last]) => last && isFresh(last, nowMs))
  const [first] = looks
  if (!first || fresh.length === 0) return undefined
  const last = fresh.flatMap(([look]) => look ?? [])
  const of = (verdict: Look['verdict']) => last.filter((look) => look.verdict === verdict)
  const began = fresh.flatMap((each) => (each[0]?.verdict === 'fail' ? (failingSince(each) ?? []) : []))
  return {
    service: first.service,
    target: first.target,
    failing: of('fail'),
    degraded: of('degraded'),
    passing: of('pass'),
    unknown: of('unknown'),
    ...(began.length > 0 && { failingSinceMs: Math.min(...began) }),
  }
}

/** The outside checks of the involved services, with the monitors whose looks are all too old. */
export const monitorViews = (brief: Brief, witnesses: Witnesses): { views: MonitorView[]; stale: string[] } => {
  const nowMs = witnesses.nowMs()
  const services = involvedServices(witnesses.services, brief.service).map(({ service }) => service)
  const looks = witnesses.outcomes.filter(({ service }) => services.includes(service))
  const monitors = [...new Set(looks.map(({ monitorId }) => monitorId))]
  const views: MonitorView[] = []
  const stale: string[] = []
  for (const monitor of monitors) {
    const own = looks.filter(({ monitorId }) => monitorId === monitor)
    const view = viewOf(own, nowMs)
    const newest = Math.max(...own.map(({ startedAtMs }) => startedAtMs))
    if (view) views.push(view)
    else stale.push(`${own[0]?.target ?? monitor}: the last look was ${span(nowMs - newest)} ago`)
  }
  return { views, stale }
}

/** Does it fail for most of those who looked? One location alone may be that location's own trouble. */
export const failsForMost = ({ failing, degraded, passing }: MonitorView): boolean =>
  failing.length > 0 && failing.length * 2 >= failing.length + degraded.length + passing.length

const from = (looks: readonly Look[]) => list(looks.map(({ location }) => location))

/** `GET https://… fails from eu since 06:30:12 UTC (processing: expected 200, got 500); passes from us`. */
export const sayView = (view: MonitorView, nowMs: number): string => {
  const cause = view.failing[0]?.cause
  const since = view.failingSinceMs === undefined ? '' : ` since ${clock(view.failingSinceMs, nowMs)}`
  const parts = [
    ...(view.failing.length > 0
      ? [`fails from ${from(view.failing)}${since}${cause ? ` (${cause.phase}: ${cause.detail})` : ''}`]
      : []),
    ...(view.degraded.length > 0
      ? [`is degraded from ${from(view.degraded)} (${view.degraded[0]?.cause?.detail ?? 'no reason given'})`]
      : []),
    ...(view.unknown.length > 0
      ? [`could not be looked at from ${from(view.unknown)} (${view.unknown[0]?.cause?.detail ?? 'no reason given'})`]
      : []),
    ...(view.passing.length > 0 ? [`passes from ${from(view.passing)}`] : []),
  ]
  return `${view.target} ${parts.join('; ')}`
}

const originOf = (look: Look): string => {
  const text = look.attempt?.url ?? /https?:\/\/\S+/.exec(look.target)?.[0]
  return text !== undefined && URL.canParse(text) ? new URL(text).origin : look.target
}

/** What an outside check knows about causes: a certificate, a name. Any other failure is the symptom itself. */
export const lookClues = (view: MonitorView): Clue[] => {
  const spoiled = [...view.failing, ...view.degraded].find(({ cause }) => cause?.code.startsWith('certificate-'))
  const nameless = failsForMost(view) && view.failing.every(({ cause }) => cause?.phase === 'resolve')
  const [failing] = view.failing
  const began = view.failingSinceMs === undefined ? {} : { atMs: view.failingSinceMs }
  return [
    ...(spoiled ? [certificateClue(spoiled, began)] : []),
    ...(nameless && failing
      ? [
          {
            about: { kind: 'target' as const, name: originOf(failing) },
            kind: 'name-not-resolved',
            says: `its name does not resolve: ${failing.cause?.detail ?? 'no reason given'}`,
            service: view.service,
            ...began,
          },
        ]
      : []),
  ]
}

const certificateClue = (look: Look, began: { atMs?: number }): Clue => {
  const notAfterMs = look.attempt?.certificate?.notAfterMs
  const expired = notAfterMs !== undefined && notAfterMs <= look.startedAtMs
  const failed = look.verdict === 'fail'
  return {
    about: { kind: 'certificate', name: originOf(look) },
    kind: failed ? 'certificate-invalid' : 'certificate-warning',
    says: expired ? `expired on ${day(notAfterMs)}` : `is not good: ${look.cause?.detail ?? 'no reason given'}`,
    service: look.service,
    ...(failed && began),
  }
}
