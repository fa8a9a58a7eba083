import { ascii, duration, oneLine, shorten, utcTime, wrap } from '../../channels/plain-text.ts'
import type { Verdict } from '../../probes/contract.ts'
import type { PulseStage } from '../watch-state.ts'
import type { Finding, PulsesMs, Told } from './decide.ts'

/** One monitor looked at from here, once, because the hub is dead. */
export type Look = { monitorId: string; service: string; target: string; verdict: Verdict; detail?: string }

/** What this location sees of the targets while nobody judges them. */
export type View = {
  atMs: number
  looks: readonly Look[]
  /** Monitors of this location that were not looked at: too many, or no time left. */
  notLookedAt: number
  /** Why there may be less than there should be. */
  trouble?: string
}

/** Whose hub, seen from where. */
export type Place = { name: string; hubRegion: string; location: string }

export type Page = {
  /** Printable ASCII of fewer than 100 characters (SNS API reference, Publish). */
  subject: string
  text: string
  /** For phones: ASCII, at most {@link shortLimit} characters. */
  short: string
  event: Told['event']
  dedupKey: string
}

/** The same from every location and in every repeat, so that receivers make one incident of them. */
export const dedupKeyOf = (name: string): string => `whodunit-hub-dead:${name}`

const width = 72
const shortLimit = 450
/** Rows of a page; what is left out is counted. */
const shown = { fail: 40, unknown: 15, degraded: 10 }
const indent = ' '.repeat(10)

const labelled = (label: string, text: string): string[] =>
  wrap(oneLine(text, 1000), { width, first: label.padEnd(10), rest: indent })

const clock = (atMs: number, nowMs: number): string => {
  const text = utcTime(atMs)
  return text.slice(0, 10) === utcTime(nowMs).slice(0, 10) ? text.slice(11, 16) : text.slice(0, 16)
}

const consoleOf = (region: string): string => {
  if (region.startsWith('cn-')) return `https://${region}.console.amazonaws.cn`
  if (region.startsWith('us-gov-')) return `https://${region}.console.amazonaws-us-gov.com`
  return `https://${region}.console.aws.amazon.com`
}

/** The hub's stack names its dashboard after the hub. */
export const dashboardUrl = ({ name, hubRegion }: Place): string =>
  `${consoleOf(hubRegion)}/cloudwatch/home?region=${hubRegion}#dashboards/dashboard/${name}`

/** What is broken, in the words of a subject. */
const whatIs = (finding: Finding, everUp: boolean): string => {
  if (finding.status === 'unreadable') return everUp ? 'its table cannot be read from here' : 'it never came up'
  if (finding.status === 'well') return 'it is well'
  if (!everUp) return `it never came up: ${stuckAt[finding.stage]}`
  return stuckAt[finding.stage]
}

/** `sweep` leaves no trace of its own, so that a pulse it never sent looks like one `evaluate` never took. */
const stuckAt: Readonly<Record<PulseStage, string>> = {
  evaluate: 'sweep or evaluate is stuck',
  correlate: 'correlate is stuck',
  deliver: 'deliver is stuck',
}

const passed = (pulsesMs: PulsesMs, stage: PulseStage, nowMs: number): string => {
  const atMs = pulsesMs[stage]
  return atMs === undefined ? 'never' : `at ${clock(atMs, nowMs)}`
}

const seenOf = (finding: Finding, nowMs: number): string => {
  if (finding.status === 'well') return 'a pulse of this minute passed evaluate, correlate and deliver'
  if (finding.status === 'unreadable') return `cannot read the hub's table: ${oneLine(finding.why, 300)}`
  const { pulsesMs, stage } = finding
  const each = (['correlate', 'deliver'] as const).map((one) => `${one} ${passed(pulsesMs, one, nowMs)}`)
  const first =
    pulsesMs.evaluate === undefined
      ? 'evaluate never passed a pulse'
      : `evaluate passed its last pulse ${passed(pulsesMs, 'evaluate', nowMs)}`
  return `${[first, ...each].join(', ')} (UTC): ${stuckAt[stage]}`
}

const lost: Readonly<Record<PulseStage, string>> = {
  evaluate: 'nothing that probes see is judged, so no alert begins or ends',
  correlate: 'alerts may begin and end, but no incident is opened, escalated or resolved',
  deliver: 'incidents may open, but their pages do not leave',
}

const meaningOf = (finding: Finding): string[] => {
  const nobody = 'Until it is back whodunit pages nobody about anything else.'
  if (finding.status === 'stuck' || finding.status === 'never') return [`${nobody} Meanwhile ${lost[finding.stage]}.`]
  return [
    'From here nobody can say whether it still works. Take it for dead: then whodunit pages nobody about anything else.',
    'If no other location says so too, it is the way from here to there that is broken.',
  ]
}

const logOf = (what: string): string => `Look at the log, errors and throttles of ${what}`
const hints: Readonly<Record<PulseStage, string>> = {
  evaluate: `${logOf('sweep and evaluate')}. Does the schedule of sweep run? Does the queue observations grow, or its dead letters?`,
  correlate: `${logOf('correlate')}. Does the queue alert-changes grow, or its dead letters?`,
  deliver: `${logOf('deliver')}. Does the queue deliver grow, or its dead letters?`,
}

const hintOf = (finding: Finding, { hubRegion }: Place): string =>
  finding.status === 'stuck' || finding.status === 'never'
    ? hints[finding.stage]
    : `Is ${hubRegion} in trouble (https://health.aws.amazon.com/health/status)? Is the table there, and may watch read it?`

const marks: Readonly<Record<Verdict, string>> = {
  fail: '[FAIL]',
  unknown: '[ ?? ]',
  degraded: '[slow]',
  pass: '[ ok ]',
}

const rowsOf = (looks: readonly Look[], verdict: 'fail' | 'unknown' | 'degraded'): string[] => {
  const mine = looks.filter((look) => look.verdict === verdict)
  const rows = mine.slice(0, shown[verdict]).flatMap(({ monitorId, service, target, detail }) => {
    const what = `${monitorId} of ${service}: ${oneLine(detail ?? 'no reason given', 280)} (${oneLine(target, 160)})`
    return wrap(what, { width, first: `${marks[verdict]} `, rest: '       ' })
  })
  return mine.length > shown[verdict] ? [...rows, `       … and ${mine.length - shown[verdict]} more`] : rows
}

const count = (looks: readonly Look[], verdict: Verdict): number =>
  looks.filter((look) => look.verdict === verdict).length

const tally = ({ looks, notLookedAt }: View): string => {
  const parts = [`${count(looks, 'fail')} failing`, `${count(looks, 'unknown')} unknown`]
  const degraded = count(looks, 'degraded')
  if (degraded > 0) parts.push(`${degraded} degraded`)
  parts.push(`${count(looks, 'pass')} passing`)
  if (notLookedAt > 0) parts.push(`${notLookedAt} not looked at`)
  return parts.join(', ')
}

/** What fails from here, the worst first. A single look: there is no second one, and no other place to ask. */
const viewLines = (view: View, location: string): string[] => {
  const { looks, notLookedAt, trouble, atMs } = view
  const asked = looks.length + notLookedAt
  if (asked === 0 && trouble === undefined) return labelled('from here', `no monitor looks from ${location}`)
  const head = `${tally(view)}; each looked at once from ${location}, at ${utcTime(atMs).slice(11)}`
  const all = looks.length > 1 && looks.every(({ verdict }) => verdict === 'fail' || verdict === 'unknown')
  return [
    ...labelled('from here', head),
    ...(all ? labelled('', `nothing passes: ${location} itself may be cut off`) : []),
    ...(trouble === undefined ? [] : wrap(oneLine(trouble, 280), { width, first: '[ ?? ] ', rest: '       ' })),
    ...rowsOf(looks, 'fail'),
    ...rowsOf(looks, 'unknown'),
    ...rowsOf(looks, 'degraded'),
  ]
}

const backLines = ({ sinceMs }: Told, place: Place, nowMs: number): string[][] => [
  [
    ...labelled('from', `${utcTime(sinceMs)} until ${utcTime(nowMs)}, ${duration(nowMs - sinceMs)}`),
    ...labelled('seen', `${seenOf({ status: 'well' }, nowMs)}, as seen from ${place.location}`),
    ...labelled(
      'means',
      'Pages go out again. Those that waited come now, and late; what failed and ended again while it was dead may never be told.',
    ),
    `${'dashboard'.padEnd(10)}${dashboardUrl(place)}`,
  ],
]

const deadLines = (told: Told, place: Place, at: { nowMs: number; view?: View }): string[][] => {
  const { finding, sinceMs } = told
  const { nowMs, view } = at
  const again = `Again every half hour${told.everUp ? '' : ' until it comes up'}, and once when it is ${told.everUp ? 'back' : 'up'}.`
  return [
    [
      ...labelled('since', `${utcTime(sinceMs)}, ${duration(nowMs - sinceMs)} ago`),
      ...labelled('seen', seenOf(finding, nowMs)),
      ...labelled('means', meaningOf(finding).join(' ')),
      ...labelled('do', hintOf(finding, place)),
      // In one piece, so that it can be copied.
      `${'dashboard'.padEnd(10)}${dashboardUrl(place)}`,
      ...labelled('next', again),
    ],
    ...(view ? [viewLines(view, place.location)] : []),
  ]
}

const leadOf = ({ event, finding, sinceMs, everUp }: Told, { name, hubRegion }: Place, nowMs: number): string => {
  const hub = `whodunit hub ${name} in ${hubRegion}`
  if (event === 'resolved') return everUp ? `BACK ${hub}: it was dead for ${duration(nowMs - sinceMs)}` : `UP ${hub}`
  return `${event === 'updated' ? 'STILL DEAD' : 'DEAD'} ${hub}: ${whatIs(finding, everUp)}`
}

const shortOf = (lead: string, place: Place, view: View | undefined): string => {
  const failing = view?.looks.filter(({ verdict }) => verdict === 'fail').map(({ monitorId }) => monitorId) ?? []
  const more = failing.length > 3 ? ` and ${failing.length - 3} more` : ''
  const names = failing.slice(0, 3).map((id) => oneLine(id, 40))
  const from = failing.length > 0 ? ` Failing from ${place.location}: ${names.join(', ')}${more}.` : ''
  return shorten(ascii(`${lead}.${from} ${dashboardUrl(place)}`), shortLimit)
}

/**
 * The page for somebody just woken: what is dead, since when, what that means, what to do, what fails from here. Every
 * word of a target or an error is one harmless line; the rows are bounded, so the text stays far below SNS' 256 KiB.
 */
export const renderPage = (told: Told, place: Place, at: { nowMs: number; view?: View }): Page => {
  const lead = leadOf(told, place, at.nowMs)
  const dedupKey = dedupKeyOf(place.name)
  const head = [
    ...wrap(lead, { width, first: '', rest: '  ' }),
    `${'told by'.padEnd(10)}watch in ${place.location}`,
    `${'key'.padEnd(10)}${dedupKey} (the same from every location)`,
  ]
  const sections = told.event === 'resolved' ? backLines(told, place, at.nowMs) : deadLines(told, place, at)
  const text = [head, ...sections].map((lines) => lines.join('\n')).join('\n\n')
  const subject = ascii(lead)
  return {
    subject: subject.length < 100 ? subject : `${subject.slice(0, 96)}...`,
    text,
    short: shortOf(lead, place, at.view),
    event: told.event,
    dedupKey,
  }
}
