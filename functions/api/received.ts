import type { Alertmanager, Service } from '../../config/contract.ts'
import type { AlertChange, OutboxRow } from '../contract.ts'
import { jsonBytes } from '../json-bytes.ts'
import { receivedEndPrefix } from '../row-ids.ts'

/** An alert as a Prometheus server posts it, its times in milliseconds and empty labels left out. */
export type Received = {
  fingerprint: string
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
  /** Not every sender says so. */
  startsAtMs: number | undefined
  endsAtMs: number
}

export type ReceivedView = {
  alertmanager: Alertmanager
  services: Readonly<Record<string, Service>>
}

export type Moment = { view: ReceivedView; nowMs: number }

/** Whose an alert is that nobody can be found for: it pages whom the last route names, and is never lost. */
export const unmapped = 'unknown'

const workloadLabels = ['deployment', 'statefulset', 'daemonset', 'workload'] as const

/** What controllers put behind a workload's name: a hash and five characters, five alone, or a number. */
const podSuffix = /^(?:(?:[a-z0-9]{6,10}-)?[a-z0-9]{5}|\d+)$/

/** Does this alert tell of that workload, by its name or by that of one of its pods? */
const isOf = ({ labels }: Pick<Received, 'labels'>, { runsIn }: Service): boolean => {
  if (runsIn === undefined || labels['namespace'] !== runsIn.namespace) return false
  const named = workloadLabels.flatMap((label) => labels[label] ?? [])
  if (named.length > 0) return named.includes(runsIn.workload)
  const { pod = '' } = labels
  return pod.startsWith(`${runsIn.workload}-`) && podSuffix.test(pod.slice(runsIn.workload.length + 1))
}

/**
 * The service an alert is about: the one its label names, else the one whose workload it tells of. Many rules carry the
 * name of the exporter's Service in that label, so what names none of ours is no answer.
 */
export const serviceOf = (received: Pick<Received, 'labels'>, { alertmanager, services }: ReceivedView): string => {
  const named = received.labels[alertmanager.serviceLabel]
  if (named !== undefined && Object.hasOwn(services, named)) return named
  const running = Object.entries(services).filter(([, service]) => isOf(received, service))
  const [only, ...more] = running
  return only !== undefined && more.length === 0 ? only[0] : (alertmanager.defaultService ?? unmapped)
}

const severityOf = ({ labels }: Received, { alertmanager }: ReceivedView): AlertChange['severity'] => {
  const said = (labels[alertmanager.severityLabel] ?? '').toLowerCase()
  const { severities, defaultSeverity } = alertmanager
  return (Object.hasOwn(severities, said) ? severities[said] : undefined) ?? defaultSeverity
}

const quoteBytes = 2
const ellipsis = '…'

/** At most `limit` UTF-16 units, and of JSON three bytes for each: any script keeps as many characters as another. */
const cut = (text: string, limit: number): string => {
  const limitBytes = 3 * limit
  if (text.length <= limit && jsonBytes(text) - quoteBytes <= limitBytes) return text
  let room = limitBytes - Buffer.byteLength(ellipsis)
  let end = 0
  for (const character of text.slice(0, limit - 1)) {
    room -= jsonBytes(character) - quoteBytes
    if (room < 0) break
    end += character.length
  }
  return `${text.slice(0, end).toWellFormed()}${ellipsis}`
}

const valueLimit = 200
const labelsLimitBytes = 1750

/** An incident is one item with many alerts in it, so what an alert may bring is bounded; what names it comes first. */
const keptLabels = (labels: Received['labels'], { alertmanager }: ReceivedView): AlertChange['labels'] => {
  const first = ['alertname', alertmanager.serviceLabel, alertmanager.severityLabel, 'namespace', 'pod']
  const names = [...new Set([...first.filter((name) => Object.hasOwn(labels, name)), ...Object.keys(labels).sort()])]
  let room = labelsLimitBytes
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = cut(labels[name] ?? '', valueLimit)
      const bytes = jsonBytes({ [name]: value })
      if (bytes > room) return []
      room -= bytes
      return [[name, value]]
    }),
  )
}

const summaryOf = ({ labels, annotations }: Received): string => {
  const said = annotations['summary'] ?? annotations['description'] ?? annotations['message']
  if (said) return cut(said, 400)
  const about = ['namespace', 'pod', 'instance', 'job'].flatMap((name) => labels[name] ?? [])
  return cut(
    `${labels['alertname'] ?? 'an alert without a name'}${about.length > 0 ? `: ${about.join(', ')}` : ''}`,
    400,
  )
}

const changeOf = (
  received: Received,
  view: ReceivedView,
  nowMs: number,
): Omit<AlertChange, 'from' | 'to' | 'reason'> => ({
  alertId: `alertmanager:${received.fingerprint}`,
  ruleId: cut(received.labels['alertname'] ?? 'alertmanager', valueLimit),
  service: serviceOf(received, view),
  severity: severityOf(received, view),
  labels: keptLabels(received.labels, view),
  atMs: nowMs,
  // A sender whose clock is ahead tells of nothing that is still to come.
  sinceMs: Math.min(received.startsAtMs ?? nowMs, nowMs),
  summary: summaryOf(received),
})

export const firingOf = (received: Received, view: ReceivedView, nowMs: number): AlertChange => ({
  ...changeOf(received, view, nowMs),
  from: 'inactive',
  to: 'firing',
  reason: 'reported',
})

/**
 * What an alert that fires is told as once more when it is another's, or as severe as something else, by what the config
 * says now. Advisories are incidents of their own, so to become one or be one no longer ends it where it was.
 */
export const restatedOf = (received: Received, end: AlertChange, { view, nowMs }: Moment): AlertChange[] => {
  const severity = severityOf(received, view)
  const isAsSevere = end.severity === severity
  if (isAsSevere && end.service === serviceOf(received, view)) return []
  const reason = isAsSevere ? 'reported' : 'severity-changed'
  const again: AlertChange = { ...firingOf(received, view, nowMs), from: 'firing', reason }
  const leaves = !isAsSevere && [end.severity, severity].includes('advisory')
  return leaves ? [{ ...end, reason, atMs: nowMs }, again] : [again]
}

/** The row that ends an alert when nobody repeats it: while it is there the alert fires. */
export const endRowId = (fingerprint: string): string => `${receivedEndPrefix}${fingerprint}`

/** The row that another must not overtake, as an end its beginning. */
type After = string | undefined

export const rowOf = (
  id: string,
  changes: AlertChange[],
  { dueAtMs, after }: { dueAtMs: number; after: After },
): OutboxRow => ({
  id,
  to: 'correlate',
  dueAtMs,
  nudges: 0,
  body: { kind: 'alert-changes', changes, ...(after !== undefined && { after }) },
})

/** It ends unless somebody repeats it. */
export const endRow = (received: Received, at: Moment & { after: After }): OutboxRow => {
  const { endsAtMs } = received
  const now = changeOf(received, at.view, at.nowMs)
  const change = { ...now, atMs: endsAtMs, from: 'firing', to: 'inactive', reason: 'not-repeated' } as const
  return rowOf(endRowId(received.fingerprint), [change], { dueAtMs: endsAtMs, after: at.after })
}

/** An alert that fires: its end as it was written last, and when that is due. */
export type Known = { end: AlertChange; dueAtMs: number; after: After }

/**
 * Of two servers that post the same, one may see the end some seconds before the other, who still says that it fires. A
 * server repeats an alert with the first evaluation that is more than a minute after the last time, so evaluated every
 * minute it is repeated every other: within 120 s, unless its group is evaluated more rarely than that.
 */
const overAfterMs = 135_000

/** It was said to be over, and is unless somebody says otherwise. */
export const overRow = (received: Received, { end, after }: Known, nowMs: number): OutboxRow => {
  const change = { ...end, atMs: received.endsAtMs, reason: 'reported-over' } as const
  return rowOf(endRowId(received.fingerprint), [change], { dueAtMs: nowMs + overAfterMs, after })
}

/** What a posted alert is to us: new, repeated, over, or nothing (what we know, or what says nothing of what fires now). */
export type Meaning = 'begins' | 'goes-on' | 'ends' | 'nothing'

export const meaningOf = (
  { endsAtMs }: Pick<Received, 'endsAtMs'>,
  known: Pick<Known, 'end' | 'dueAtMs'> | undefined,
  nowMs: number,
): Meaning => {
  const over = endsAtMs <= nowMs
  if (known === undefined) return over ? 'nothing' : 'begins'
  const { end, dueAtMs } = known
  if (!over) return endsAtMs > end.atMs ? 'goes-on' : 'nothing'
  // A server repeats an end for a quarter of an hour: that puts off none, and ends nothing that began since.
  const waits = end.reason === 'reported-over' && dueAtMs <= nowMs + overAfterMs
  return waits || endsAtMs < end.sinceMs ? 'nothing' : 'ends'
}
