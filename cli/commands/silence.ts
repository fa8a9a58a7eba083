import type { ApiError, IncidentBrief, ListedSilence, SilenceAnswer } from '../../functions/api-contract.ts'
import { silenceBody } from '../../functions/api-contract.ts'
import { span, utc } from '../../web/layout.ts'
import type { Alerting } from '../alerting.ts'

/** Where a command speaks, and which clocks hang on its wall. */
export type Teller = {
  print: (text: string) => void
  printError: (text: string) => void
  json: boolean
  nowMs: number
  timeZone: string
}

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 7 * 86_400 }

/** `2h`, `90m`, `1d12h` in seconds; undefined when it is none. */
export const durationSeconds = (text: string): number | undefined => {
  if (!/^(\d{1,6}[smhdw])+$/.test(text)) return undefined
  return [...text.matchAll(/(\d+)([smhdw])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * unitSeconds[unit as keyof typeof unitSeconds], // the pattern knows no other
    0,
  )
}

/** `2026-11-24 22:00 Europe/Berlin (21:00:00 UTC)`: the clock on the wall, and the one in every log. */
export const bothTimes = (ms: number, timeZone: string): string => {
  const there = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(ms)
  return timeZone === 'UTC' ? utc(ms) : `${there} ${timeZone} (${utc(ms)})`
}

/** Mistakes of whoever asked are 2; what could not be done is 1. */
export const tellRefusal = ({ code, message, hint }: ApiError, { print, printError, json }: Teller): number => {
  if (json) print(JSON.stringify({ error: { code, message, hint } }, null, 2))
  else printError(`whodunit: ${message}\n  hint: ${hint}`)
  return code === 'unreachable' || code === 'failed' || code === 'too-many' ? 1 : 2
}

/** One line that cannot break out of its place, whatever a name or a reason holds. */
const plain = (text: string) => text.replaceAll(/\p{Cc}/gu, ' ')

export const briefLine = ({ id, severity, status, summary }: IncidentBrief): string =>
  plain(`${id}  ${severity}  ${status}  ${summary}`)

const addedText = ({ silence, hides }: SilenceAnswer, later: boolean, { timeZone }: Teller): string => {
  const { id, matchers, author, reason, startsAtMs, endsAtMs, incidentId } = silence
  const orSooner = incidentId === undefined ? '' : `, or when ${incidentId} is over`
  const now = hides.length > 0 ? hides.map(briefLine) : ['nothing that is open']
  const begins = later ? [`from   ${bothTimes(startsAtMs, timeZone)}`] : []
  const hidden = later ? [] : now.map((line, index) => `${index === 0 ? 'hides ' : '      '} ${line}`)
  const lines = [
    ...begins,
    `until  ${bothTimes(endsAtMs, timeZone)}, ${span(endsAtMs - startsAtMs)} long${orSooner}`,
    ...hidden,
    `end it with: whodunit silence end ${id}`,
  ]
  return [
    `silence ${id}: ${plain(`${matchers.join(', ')}; ${author}: ${reason}`)}`,
    ...lines.map((line) => `  ${line}`),
  ].join('\n')
}

export type SilenceFlags = { for: number; from?: number; reason: string; author: string; incident?: string }

/** Asks for a silence and says what it hides and until when. */
export const silenceAdd = async (
  alerting: Alerting,
  matchers: readonly string[],
  at: { flags: SilenceFlags; teller: Teller },
): Promise<number> => {
  const { flags, teller } = at
  const body = silenceBody.safeParse({
    matchers,
    author: flags.author,
    reason: flags.reason,
    forSeconds: flags.for,
    ...(flags.from === undefined ? {} : { startsAtMs: flags.from }),
    ...(flags.incident === undefined ? {} : { incidentId: flags.incident }),
  })
  if (!body.success) {
    const [issue] = body.error.issues
    const [key, index] = issue?.path ?? []
    const said = issue?.message ?? ''
    const isMatcher = key === 'matchers' && typeof index === 'number'
    const what = isMatcher ? `not a usable matcher: ${matchers[index]}` : `--${String(key)} does not do: ${said}`
    const hint = isMatcher ? `write ${said}` : 'whodunit silence add --help says what it takes'
    return tellRefusal({ code: 'wrong-body', message: plain(what), hint }, teller)
  }
  const result = await alerting.silence(body.data)
  if (!result.ok) return tellRefusal(result.refusal, teller)
  const later = flags.from !== undefined && flags.from > teller.nowMs
  teller.print(teller.json ? JSON.stringify(result.answer, null, 2) : addedText(result.answer, later, teller))
  return 0
}

const listedText = (one: ListedSilence, { nowMs, timeZone }: Teller): string => {
  const { id, matchers, author, reason, startsAtMs, endsAtMs, incidentId, state, hidCount } = one
  const when = {
    asked: 'asked for, not applied yet',
    'to-come': `from ${bothTimes(startsAtMs, timeZone)}`,
    'in-force': `since ${span(nowMs - startsAtMs)}`,
  }[state]
  const until = `until ${bothTimes(endsAtMs, timeZone)}${incidentId === undefined ? '' : ` or the end of ${incidentId}`}`
  const hid = `hid ${hidCount === 1 ? '1 incident' : `${hidCount} incidents`} so far`
  return `${id}  ${plain(matchers.join(', '))}\n    ${plain(`${author}: ${reason}`)}\n    ${when}, ${until}; ${hid}`
}

/** Lists the silences that have not ended. */
export const silenceList = async (alerting: Alerting, teller: Teller): Promise<number> => {
  const result = await alerting.silences()
  if (!result.ok) return tellRefusal(result.refusal, teller)
  const { answer } = result
  if (teller.json) teller.print(JSON.stringify(answer, null, 2))
  else teller.print(answer.length === 0 ? 'no silences' : answer.map((one) => listedText(one, teller)).join('\n'))
  return 0
}

/** Ends a silence before its time. */
export const silenceEnd = async (
  alerting: Alerting,
  id: string,
  at: { by: string; teller: Teller },
): Promise<number> => {
  const { by, teller } = at
  const result = await alerting.endSilence(id, by)
  if (!result.ok) return tellRefusal(result.refusal, teller)
  const { matchers, author, reason } = result.answer.silence
  if (teller.json) teller.print(JSON.stringify(result.answer, null, 2))
  else teller.print(`silence ${id} ends now: ${plain(`${matchers.join(', ')}; ${author}: ${reason}`)}`)
  return 0
}
