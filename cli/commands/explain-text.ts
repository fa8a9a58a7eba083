import { wrap } from '../../channels/plain-text.ts'
import type { KeptJudgement, KeptOutcome } from '../../functions/history.ts'
import type { Mute } from '../../functions/hub-state.ts'
import { span, utc } from '../../web/layout.ts'
import { took } from './check.ts'
import type { AlertExplained, Explained, IncidentExplained, MonitorExplained } from './explain.ts'
import { reasonWords, wordsFor } from './explain-words.ts'

type Screen = { columns: number | undefined }

const lines = (text: string, { columns }: Screen, at: { first?: string; rest?: string } = {}): string[] =>
  wrap(text, { width: columns ?? Number.POSITIVE_INFINITY, first: at.first ?? '', rest: at.rest ?? at.first ?? '' })

const clock = (atMs: number) => utc(atMs).slice(11, 19)
const dayOf = (atMs: number) => `${utc(atMs).slice(0, 10)} UTC`
const item = (atMs: number, text: string, screen: Screen) =>
  lines(text, screen, { first: `  ${clock(atMs)}  `, rest: ' '.repeat(12) })

type Entry = { atMs: number; text: string }

/** The day is said where it is another than that of the entry before, or of the heading. */
const items = (entries: readonly Entry[], screen: Screen, headMs: number): string[] =>
  entries.flatMap(({ atMs, text }, nth) => {
    const before = dayOf(entries[nth - 1]?.atMs ?? headMs)
    return [...(dayOf(atMs) === before ? [] : [`  ${dayOf(atMs)}`]), ...item(atMs, text, screen)]
  })

const unreadableText = (count: number, screen: Screen) =>
  count === 0 ? [] : lines(`${count} ${count === 1 ? 'object' : 'objects'} of the history could not be read`, screen)

const counted = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`

const channelText = (id: string, state: IncidentExplained['incident']['channels'][string]): string => {
  const heard = state.reached ? 'has the page' : state.inFlight ? 'the page is on its way' : 'was not reached'
  const more = [
    `${counted(state.sequence, 'message')} sent`,
    ...(state.blind ? ['without the case file so far'] : []),
    ...(state.inFlight && state.reached ? ['the last is on its way'] : []),
    ...(state.reached && state.event === 'resolved' ? ['the last one says that it is over'] : []),
    ...(state.waiting.length > 0 ? [`waiting behind it: ${state.waiting.join(', ')}`] : []),
  ]
  return `${id}: ${heard} (${more.join('; ')})`
}

const quietText = (mute: Mute | undefined) => (mute ? `, kept quiet by ${mute.kind} ${mute.ref}` : '')

const incidentText = ({ incident }: IncidentExplained, nowMs: number, screen: Screen): string[] => {
  const { id, status, severity, sinceMs, openedAtMs, resolvedAtMs, acknowledged, alerts, channels, timeline } = incident
  const lasted = resolvedAtMs === undefined ? `for ${span(nowMs - sinceMs)}` : `lasted ${span(resolvedAtMs - sinceMs)}`
  const list = (texts: readonly string[], none: string) =>
    (texts.length > 0 ? texts : [none]).flatMap((text) => lines(text, screen, { first: '  - ', rest: '    ' }))
  return [
    ...lines(`${id}: ${status}, ${severity}, since ${utc(sinceMs)}, ${lasted}`, screen),
    ...lines(`opened ${span(openedAtMs - sinceMs)} after its first failing look was scheduled`, screen),
    ...(acknowledged ? lines(`acknowledged by ${acknowledged.by} at ${utc(acknowledged.atMs)}`, screen) : []),
    '',
    'alerts',
    ...list(
      Object.entries(alerts).map(
        ([alertId, { firing, severity: level, summary, mute }]) =>
          `${alertId} (${level}) ${firing ? `fires${quietText(mute)}` : 'is over'}: ${summary}`,
      ),
      'none',
    ),
    '',
    'who was told',
    ...list(
      Object.entries(channels).map(([channel, state]) => channelText(channel, state)),
      'nobody: no channel was told of it',
    ),
    '',
    `what happened, ${dayOf(sinceMs)}`,
    ...items(
      timeline.map(({ atMs, what, reason }) => {
        return { atMs, text: reason === undefined ? what : `${what} (${reason}: ${wordsFor(reason)})` }
      }),
      screen,
      sinceMs,
    ),
  ]
}

const alertText = (explained: AlertExplained, screen: Screen): string[] => {
  const { alertId, now, mute, transitions, atMs, hours, incidents, unreadable } = explained
  const state = now
    ? `${alertId} is ${now.standing} since ${utc(now.heldSinceMs ?? now.firedAtMs ?? now.activeAtMs)}${quietText(mute)}: ${now.summary}`
    : `${alertId} is inactive`
  const none = `nothing happened to it in the ${counted(hours, 'hour')} before ${utc(atMs)}`
  return [
    ...lines(state, screen),
    ...(now?.heldSinceMs === undefined ? [] : lines(`held: ${reasonWords['input-unknown']}`, screen)),
    '',
    ...(transitions.length === 0 ? lines(none, screen) : [`the ${counted(hours, 'hour')} before ${utc(atMs)}`]),
    ...items(
      transitions.map((step) => {
        return { atMs: step.atMs, text: `${step.from} → ${step.to}: ${reasonWords[step.reason]} (${step.reason})` }
      }),
      screen,
      atMs,
    ),
    ...(incidents.length > 0 ? ['', ...lines(`incidents: ${incidents.slice(0, 8).join(', ')}`, screen)] : []),
    ...unreadableText(unreadable, screen),
  ]
}

const lookNames: Readonly<Record<KeptOutcome['look'], string>> = {
  tick: 'tick',
  recheck: 're-check',
  'recheck-2': '2nd re-check',
  'second-opinion': '2nd opinion',
}

const lookText = ({ location, look, verdict, timingsMs, cause, statusCode, bodyStart }: KeptOutcome): string => {
  const { total, ...phases } = timingsMs
  const parts = Object.entries(phases).map(([phase, ms]) => `${phase} ${took(ms ?? 0)}`)
  const status = statusCode === undefined || cause ? '' : `, status ${statusCode}`
  const why = cause ? `, ${cause.phase}: ${cause.detail} (${cause.code})` : ''
  const saw = bodyStart === undefined ? '' : `, saw “${bodyStart.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 80)}”`
  const split = parts.length > 0 ? ` (${parts.join(', ')})` : ''
  return `${location} ${lookNames[look]}: ${verdict} after ${took(total)}${split}${status}${why}${saw}`
}

const passedAgain = (looks: readonly KeptOutcome[]): string[] => {
  const failed = looks.find(({ verdict }) => verdict === 'fail')
  if (!failed) return []
  const failedMs = failed.startedAtMs + failed.timingsMs.total
  const pass = looks.find(
    ({ look, verdict, startedAtMs }) =>
      look !== 'tick' && startedAtMs >= failed.startedAtMs && (verdict === 'pass' || verdict === 'degraded'),
  )
  if (!pass) return []
  const passedMs = pass.startedAtMs + pass.timingsMs.total
  const later = passedMs > failedMs ? `${span(passedMs - failedMs)} later` : 'meanwhile'
  return [`the ${lookNames[pass.look]} from ${pass.location} passed ${later}`]
}

const unheard = ({ silent }: MonitorExplained, { heard, of }: { heard: number; of: number }): string[] =>
  heard < of
    ? [
        `${of - heard} of ${of} locations could not look or had stopped reporting and counted as unknown${silent.length > 0 ? `: ${silent.map(({ location }) => location).join(', ')}` : ''}`,
      ]
    : []

/** The judgement that says most about why nobody was paged. */
const telling = (all: readonly KeptJudgement[]): KeptJudgement | undefined =>
  ['quorum-not-met', 'first-failure', 'input-unknown'].flatMap(
    (reason) => all.findLast((one) => one.reason === reason) ?? [],
  )[0]

const noPage = (explained: MonitorExplained): string => {
  const { looks, judgements } = explained
  const judged = telling(judgements)
  const { tally } = judged ?? {}
  if (judged?.reason === 'quorum-not-met' && tally) {
    const { down, heard, need } = tally
    const said = `${down} of ${heard} locations failed often enough, quorum is ${need} (quorum-not-met)`
    return [`no page: ${said}`, ...passedAgain(looks), ...unheard(explained, tally)].join('; ')
  }
  if (judged?.reason === 'first-failure' && tally) {
    const said = `${tally.failing} of ${tally.heard} locations failed, none often enough yet for its failureThreshold (first-failure)`
    return [`no page: ${said}`, ...passedAgain(looks), ...unheard(explained, tally)].join('; ')
  }
  if (judged?.reason === 'input-unknown') return `no page: ${reasonWords['input-unknown']} (input-unknown)`
  if (looks.length === 0) {
    const lately = explained.silent.some(({ lastMs }) => lastMs !== undefined)
    return lately
      ? 'no page: nobody looked in this minute (a longer period, or we were off); what was seen before is above'
      : 'no page: nobody looked in this minute, nor in the hour before it: that is unknown, never its last value'
  }
  if (looks.every(({ verdict }) => verdict === 'unknown')) return `no page: ${reasonWords['input-unknown']}`
  const failed = looks.filter(({ verdict }) => verdict === 'fail')
  return failed.length === 0
    ? `no page: nothing failed; ${counted(looks.length, 'look')}, ${looks.filter(({ verdict }) => verdict === 'unknown').length} unknown`
    : ['no page: it failed, but no rule called it down', ...passedAgain(looks)].join('; ')
}

const verdictText = (explained: MonitorExplained): string => {
  const fired = explained.transitions.filter(({ to, from }) => to === 'firing' && from !== 'held')
  const page = fired.find(({ alertId }) => !alertId.endsWith(':advisory'))
  if (page) {
    const judged = explained.judgements.findLast(({ ruleId, met }) => ruleId === page.alertId && met)
    const { tally } = judged ?? {}
    const said = tally ? `: ${tally.down} of ${tally.heard} locations failed, quorum is ${tally.need}` : ''
    return `alert ${page.alertId} fired at ${clock(page.atMs)}${said} (${page.reason}: ${reasonWords[page.reason]})`
  }
  const firing = explained.alerts.find(({ standing, alertId }) => standing === 'firing' && !alertId.includes(':'))
  return firing?.sinceMs === undefined || explained.looks.length === 0
    ? noPage(explained)
    : `no new page: alert ${firing.alertId} fires already, since ${utc(firing.sinceMs)}`
}

const incidentLine = ({ incident, alerts, transitions }: MonitorExplained): string => {
  if (incident !== undefined) return `incident ${incident}: whodunit explain ${incident}`
  const fires = [
    ...alerts.filter(({ standing }) => standing === 'firing'),
    ...transitions.filter(({ to }) => to === 'firing'),
  ]
  // An advisory that nobody asks for has none.
  return fires.some(({ alertId }) => !alertId.endsWith(':advisory'))
    ? 'its incident was not found: the hub lists those that are open and the latest 50'
    : 'no incident'
}

const monitorText = (explained: MonitorExplained, screen: Screen): string[] => {
  const { monitorId, minuteMs, gone, looks, silent, transitions, alerts, unreadable } = explained
  return [
    ...lines(`${monitorId} in the minute of ${utc(minuteMs)}`, screen),
    ...(gone ? lines(`${monitorId} is in the config no more; its rules are those that the history knows`, screen) : []),
    '',
    ...looks.flatMap((one) => item(one.startedAtMs, lookText(one), screen)),
    ...silent.flatMap(({ location, lastMs }) =>
      lines(
        `${location}: no look in this minute; ${lastMs === undefined ? 'nor in the hour before: it counts as unknown' : `the last was scheduled at ${clock(lastMs)}`}`,
        screen,
        { first: '  --:--:--  ', rest: ' '.repeat(12) },
      ),
    ),
    '',
    ...lines(verdictText(explained), screen),
    ...transitions.flatMap((step) =>
      item(
        step.atMs,
        `${step.alertId}: ${step.from} → ${step.to} (${step.reason}: ${reasonWords[step.reason]})`,
        screen,
      ),
    ),
    '',
    ...alerts.flatMap(({ alertId, standing, sinceMs }) =>
      lines(`alert ${alertId} after it: ${standing}${sinceMs === undefined ? '' : ` since ${utc(sinceMs)}`}`, screen),
    ),
    ...lines(incidentLine(explained), screen),
    ...unreadableText(unreadable, screen),
  ]
}

/** What `explain` prints for people. */
export const explainText = (explained: Explained, nowMs: number, screen: Screen): string => {
  const text =
    explained.kind === 'incident'
      ? incidentText(explained, nowMs, screen)
      : explained.kind === 'alert'
        ? alertText(explained, screen)
        : monitorText(explained, screen)
  return `${text.join('\n')}\n`
}
