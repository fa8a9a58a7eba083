import type { Answer, CaseFile, Evidence, Suspect } from '../triage/contract.ts'
import type { Message } from './contract.ts'
import { duration, oneLine, shorten, utcTime, wrap } from './plain-text.ts'

/**
 * The page as text: what somebody just woken reads first. Every word that came from a log or a target goes through
 * `oneLine`, so nothing in it can start a line of its own.
 */

/** Told apart by their letters, not by colour, and all as wide. `??` is never green: we could not look. */
const marks: Readonly<Record<Answer['verdict'], string>> = {
  ok: '[ ok ]',
  bad: '[BAD!]',
  suspicious: '[odd?]',
  unknown: '[ ?? ]',
}

const unanswered = 'the questions were not answered in time'

/** How much of each kind is shown; what is left out is counted, never dropped in silence. */
type Amount = {
  summaries: number
  affects: number
  evidence: number
  reasons: number
  others: number
  answers: number
}
const full: Amount = { summaries: 5, affects: 10, evidence: 3, reasons: 4, others: 4, answers: 16 }
const short: Amount = { summaries: 3, affects: 5, evidence: 2, reasons: 2, others: 1, answers: 16 }
const bare: Amount = { summaries: 1, affects: 2, evidence: 0, reasons: 0, others: 0, answers: 8 }

/** The row that keeps the page until it is acknowledged holds not much more. */
const pageLimitBytes = 20_000

const sentence = (text: string): string => oneLine(text, 280)
const name = (text: string): string => oneLine(text, 80)

type Page = { width: number; amount: Amount }

const labelled = (label: string, text: string, page: Page): string[] =>
  wrap(text, { width: page.width, first: label.padEnd(10), rest: ' '.repeat(10) })

/** Ids and addresses stay in one piece, so that they can be copied, even where that is wider than the page. */
const whole = (label: string, text: string): string => `${label.padEnd(10)}${oneLine(text, 2000)}`

const listed = <T>(items: readonly T[], limit: number, lines: (item: T) => string[], rest: string): string[] =>
  items.length > limit
    ? [...items.slice(0, limit).flatMap(lines), `${rest}… and ${items.length - limit} more`]
    : items.flatMap(lines)

const firstSummary = ({ order }: Message): string | undefined => {
  const [first, ...others] = order.summaries
  if (first === undefined) return undefined
  return others.length > 0 ? `${sentence(first)} (and ${others.length} more)` : sentence(first)
}

/** A case file in which everybody shrugs leads nowhere: then the alert itself does. */
const leads = ({ suspects, answers }: CaseFile): boolean =>
  suspects.length > 0 || answers.some(({ verdict }) => verdict === 'bad' || verdict === 'suspicious')

const story = (message: Message): string => {
  const { caseFile } = message
  if (caseFile && leads(caseFile)) return sentence(caseFile.headline)
  return firstSummary(message) ?? (caseFile ? sentence(caseFile.headline) : unanswered)
}

/** How long it lasted; undefined while it lasts. */
const lasted = ({ order }: Message): string | undefined =>
  order.resolvedAtMs === undefined ? undefined : duration(order.resolvedAtMs - order.sinceMs)

/** To the minute, since that is how often one is reminded at most. */
const ignored = ({ order }: Message): string => {
  const minutes = order.atMs === undefined ? 0 : Math.round((order.atMs - order.openedAtMs) / 60_000)
  return `nobody has taken this on${minutes > 0 ? ` for ${duration(minutes * 60_000)}` : ''}`
}

const componentLead = ({ service, component }: Message['order']): string =>
  component ? `STATUS ${name(component.id)}: ${component.from} -> ${component.to}` : `STATUS ${name(service)} changed`

const lead = (message: Message): string => {
  const { event, incidentId } = message.order
  const service = name(message.order.service)
  switch (event) {
    case 'component-changed':
      return componentLead(message.order)
    case 'resolved':
      return `RESOLVED ${service}: it lasted ${lasted(message) ?? 'an unknown time'}`
    case 'silence-ended':
      return `SILENCE ENDED ${name(incidentId)}: ${firstSummary(message) ?? 'it kept nothing quiet'}`
    case 'reminder':
      return `REMINDER ${service}: ${ignored(message)}: ${story(message)}`
    case 'opened':
      return `OPEN ${service}: ${story(message)}`
    case 'reopened':
      return `REOPENED ${service}: ${story(message)}`
    case 'updated':
      return `UPDATE ${service}: ${story(message)}`
    default:
      return event satisfies never
  }
}

/** The lead line in at most 100 characters, for subjects and notifications. */
export const pageTitle = (message: Message): string => shorten(lead(message), 100)

const when = (message: Message): string => {
  const { sinceMs, openedAtMs, resolvedAtMs } = message.order
  if (resolvedAtMs !== undefined) return `${utcTime(sinceMs)} until ${utcTime(resolvedAtMs)}`
  const opened = `${utcTime(sinceMs)}, incident opened ${duration(openedAtMs - sinceMs)} later`
  return message.caseFile ? `${opened}, questions answered at ${utcTime(message.caseFile.atMs).slice(11)}` : opened
}

const evidenceLines = ({ says, quote }: Evidence, { width }: Page): string[] => [
  ...wrap(sentence(says), { width, first: '       - ', rest: '         ' }),
  ...(quote === undefined ? [] : wrap(oneLine(quote, 160), { width, first: '         | ', rest: '         | ' })),
]

const finding = ({ title, verdict, headline }: Answer): string => {
  const says = sentence(headline)
  return verdict === 'unknown' && !/^unknown/i.test(says) ? `${name(title)} unknown: ${says}` : `${name(title)} ${says}`
}

/** What the headline says already is not said again; a quote is always shown. */
const isNews =
  (headline: string) =>
  ({ says, quote }: Evidence): boolean =>
    quote !== undefined || !headline.includes(says)

const answerLines = (answer: Answer, page: Page): string[] => [
  ...wrap(finding(answer), { width: page.width, first: `${marks[answer.verdict]} `, rest: '       ' }),
  ...(answer.verdict === 'bad' || answer.verdict === 'suspicious'
    ? listed(
        answer.evidence.filter(isNews(answer.headline)),
        page.amount.evidence,
        (fact) => evidenceLines(fact, page),
        '       ',
      )
    : []),
]

const checklist = ({ caseFile }: Message, page: Page): string[] =>
  caseFile && caseFile.answers.length > 0
    ? listed(caseFile.answers, page.amount.answers, (answer) => answerLines(answer, page), '       ')
    : wrap(`Checklist: ${unanswered}`, { width: page.width, first: `${marks.unknown} `, rest: '       ' })

const percent = (score: number): string =>
  // Never 100: it is a score of evidence, and evidence is not proof.
  Number.isNaN(score) ? '?' : `${Math.min(99, Math.round(Math.max(0, score) * 100))}%`

const accusation = ({ score, headline }: Suspect): string => `${percent(score)} ${sentence(headline)}`

const reasons = (word: string, says: readonly string[], page: Page): string[] => {
  const rest = ' '.repeat(12)
  const first = `          ${word} `
  return listed(says, page.amount.reasons, (each) => wrap(sentence(each), { width: page.width, first, rest }), rest)
}

const suspects = ({ caseFile }: Message, page: Page): string[] => {
  if (!caseFile) return []
  const [prime, ...others] = caseFile.suspects
  if (!prime) return labelled('suspect', 'none: nothing that was found points at a cause', page)
  return [
    ...labelled('suspect', accusation(prime), page),
    ...reasons(
      'for:',
      prime.for.filter((says) => !prime.headline.includes(says)),
      page,
    ),
    ...reasons('against:', prime.against, page),
    ...listed(
      others,
      page.amount.others,
      (each) => [`or        ${shorten(accusation(each), page.width - 10)}`],
      ' '.repeat(10),
    ),
  ]
}

type Owner = NonNullable<Message['owner']>
const ownerText = ({ team, role, contact }: Owner, of?: string): string =>
  `${name(team)} (${role})${contact ? ` ${name(contact)}` : ''}${of ? `, for ${name(of)}` : ''}`

/** The suspect's people first; the service's own too when those are others. */
const owners = ({ caseFile, owner, order }: Message, page: Page): string[] => {
  const prime = caseFile?.suspects[0]
  const suspected = prime?.owner ? [ownerText(prime.owner, prime.service)] : []
  const own = owner ? [ownerText(owner, prime?.owner ? order.service : undefined)] : []
  const same = owner?.team === prime?.owner?.team && owner?.role === prime?.owner?.role
  return (same ? suspected : [...suspected, ...own]).flatMap((each) => labelled('owner', each, page))
}

const runbooks = ({ caseFile, runbook }: Message): string[] =>
  [...new Set([caseFile?.suspects[0]?.runbook, runbook])].flatMap((url) => (url ? [whole('runbook', url)] : []))

const addresses = ({ order, incidentUrl, acknowledgeUrl }: Message, page: Page): string[] => [
  ...(acknowledgeUrl === undefined ? [] : [whole('ack', acknowledgeUrl)]),
  ...(incidentUrl === undefined ? [] : [whole('incident', incidentUrl)]),
  ...(order.fallbackFor.length > 0
    ? labelled('fallback', `sent here because ${order.fallbackFor.map(name).join(', ')} refused it`, page)
    : []),
  whole('delivery', order.id),
]

const summaries = ({ order }: Message, label: string, page: Page): string[] =>
  listed(
    order.summaries.map((text, at) => ({ text, label: at > 0 ? '' : label })),
    page.amount.summaries,
    (each) => labelled(each.label, sentence(each.text), page),
    ' '.repeat(10),
  )

/** What makes it more than one service's trouble, or more than today's. */
const reach = ({ order }: Message, page: Page): string[] => {
  const { affects = [], flaps } = order
  const shown = affects.slice(0, page.amount.affects)
  const rest = affects.length > shown.length ? ` (${affects.length - shown.length} more)` : ''
  return [
    ...(shown.length > 0 ? labelled('also', `failing with it: ${shown.map(name).join(', ')}${rest}`, page) : []),
    ...(flaps === undefined ? [] : labelled('flapping:', `came back ${flaps} times within the hour`, page)),
  ]
}

const opened = (message: Message, page: Page): string[][] => [
  [...labelled('since', when(message), page), ...summaries(message, 'failing', page), ...reach(message, page)],
  checklist(message, page),
  suspects(message, page),
  [...owners(message, page), ...runbooks(message), ...addresses(message, page)],
]

const resolved = (message: Message, page: Page): string[][] => {
  const prime = message.caseFile?.suspects[0]
  return [
    [
      ...labelled('from', when(message), page),
      ...summaries(message, 'failed', page),
      ...(message.caseFile && leads(message.caseFile) ? labelled('it was', story(message), page) : []),
      ...(prime && prime.headline !== message.caseFile?.headline ? labelled('suspect', accusation(prime), page) : []),
    ],
    addresses(message, page),
  ]
}

const silenceEnded = (message: Message, page: Page): string[][] => {
  const { sinceMs, resolvedAtMs, atMs } = message.order
  const endMs = resolvedAtMs ?? atMs
  const span = endMs === undefined ? `since ${utcTime(sinceMs)}` : `${utcTime(sinceMs)} until ${utcTime(endMs)}`
  return [[...labelled('silent', span, page), ...summaries(message, 'hid', page)], addresses(message, page)]
}

const sections = (message: Message, page: Page): string[][] => {
  const { event } = message.order
  if (event === 'resolved') return resolved(message, page)
  if (event === 'silence-ended') return silenceEnded(message, page)
  if (event === 'component-changed') return [labelled('since', when(message), page), addresses(message, page)]
  return opened(message, page)
}

const laidOut = (message: Message, page: Page): string =>
  [wrap(lead(message), { width: page.width, first: '', rest: '  ' }), ...sections(message, page)]
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')

/**
 * The page as plain text of at most 20 KB, at most `width` columns wide (32 to 200) except for addresses and ids, which
 * stay whole. The line feed is its only control character.
 */
export const pageText = (message: Message, { width }: { width: number }): string => {
  const columnsWide = Math.min(200, Math.max(32, Math.trunc(width) || 72))
  const { event } = message.order
  const amounts = ['opened', 'reopened', 'silence-ended'].includes(event) ? [full, short] : [short]
  const texts = amounts.map((amount) => laidOut(message, { width: columnsWide, amount }))
  return (
    texts.find((text) => Buffer.byteLength(text) <= pageLimitBytes) ??
    laidOut(message, { width: columnsWide, amount: bare })
  )
}
