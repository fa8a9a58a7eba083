import type { DeliveryEvent } from '../functions/contract.ts'
import type { Message } from './contract.ts'
import { pageText } from './page-text.ts'
import { isoTime, oneLine } from './plain-text.ts'

/** What the Standard Webhooks specification recommends; far below what the row that keeps the body may hold. */
export const bodyLimitBytes = 20_000

/** How many of each list and how long each text may be; `page` says whether the whole text of the page goes along. */
type Limits = { lists: Readonly<Record<string, number>>; characters: number; page: boolean }

/** From "as it is" to "the bare incident": the first that fits is sent, so equal messages are cut equally. */
const steps: readonly Limits[] = [
  { lists: { evidence: 20, summaries: 50, suspects: 20, for: 20, against: 20 }, characters: 1000, page: true },
  { lists: { evidence: 3, summaries: 10, suspects: 5, for: 5, against: 5 }, characters: 300, page: true },
  { lists: { evidence: 3, summaries: 10, suspects: 5, for: 5, against: 5 }, characters: 200, page: false },
  { lists: { evidence: 1, summaries: 5, suspects: 3, for: 2, against: 2 }, characters: 160, page: false },
  { lists: { evidence: 0, summaries: 3, suspects: 1, for: 1, against: 1, answers: 8 }, characters: 100, page: false },
]

type Json = string | number | boolean | null | undefined | readonly Json[] | { readonly [key: string]: Json }

/** Copies JSON with every text on one harmless line and every list at its limit; `onCut` hears of each loss. */
const limited = (value: Json, limits: Limits, onCut: () => void, key = ''): Json => {
  if (typeof value === 'string') {
    const line = oneLine(value, key.endsWith('Url') || key === 'runbook' ? 2000 : limits.characters)
    if (line.endsWith('…') && !value.endsWith('…')) onCut()
    return line
  }
  if (Array.isArray(value)) {
    const most = limits.lists[key] ?? 16
    if (value.length > most) onCut()
    return value.slice(0, most).map((item: Json) => limited(item, limits, onCut, key))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, limited(item, limits, onCut, name)]))
}

const typeOf: Readonly<Record<DeliveryEvent, string>> = {
  opened: 'incident.opened',
  updated: 'incident.updated',
  reopened: 'incident.reopened',
  reminder: 'incident.reminder',
  resolved: 'incident.resolved',
  'component-changed': 'component.changed',
  'silence-ended': 'silence.ended',
}

/** When what it tells happened, not when it is sent: the same in every attempt. */
const happenedAtMs = ({ order, caseFile }: Message): number => {
  const { event, resolvedAtMs, openedAtMs } = order
  if (resolvedAtMs !== undefined) return resolvedAtMs
  if (event === 'opened' || event === 'component-changed') return openedAtMs
  return order.atMs ?? (event === 'updated' ? caseFile?.atMs : undefined) ?? openedAtMs
}

/** What it is about: an incident, or the silence that is over. */
const subjectOf = ({ order, owner, runbook }: Message): { [key: string]: Json } => {
  const { incidentId: id, sinceMs, openedAtMs, resolvedAtMs, summaries } = order
  if (order.event === 'silence-ended') return { silence: { id, sinceMs, summaries } }
  const { service, severity, affects, flaps } = order
  const when = { sinceMs, openedAtMs, resolvedAtMs }
  return { incident: { id, service, severity, ...when, summaries, affects, flaps, owner, runbook } }
}

const dataOf = (message: Message): Json => {
  const { order, caseFile, incidentUrl, acknowledgeUrl } = message
  const { id: deliveryId, sequence, component } = order
  return { deliveryId, sequence, ...subjectOf(message), component, caseFile, incidentUrl, acknowledgeUrl }
}

const bodyAt = (message: Message, limits: Limits): string => {
  let trimmed = !limits.page
  const data = limited(dataOf(message), limits, () => {
    trimmed = true
  })
  const text = pageText(message, { width: 72 })
  return JSON.stringify({
    type: typeOf[message.order.event],
    timestamp: isoTime(happenedAtMs(message)),
    data: {
      // `limited` copies an object to an object.
      ...(data as object),
      text: limits.page ? text : (text.split('\n\n')[0] ?? ''),
      ...(trimmed && { trimmed: true }),
    },
  })
}

/** The message as a Standard Webhooks payload of at most {@link bodyLimitBytes}; what was left out sets `trimmed`. */
export const webhookBody = (message: Message): string => {
  let body = ''
  for (const limits of steps) {
    body = bodyAt(message, limits)
    if (Buffer.byteLength(body) <= bodyLimitBytes) return body
  }
  return body
}
