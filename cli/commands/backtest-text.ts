import { wrap } from '../../channels/plain-text.ts'
import { percentWords } from '../../rules/slo/words.ts'
import { span, utc } from '../../web/layout.ts'
import type { Kept, Lone, Outage, WhyNot } from '../backtest/difference.ts'
import type { Backtest, BudgetChange } from './backtest.ts'
import { reasonWords } from './explain-words.ts'

/** More than anybody reads on a screen; `--json` has them all. */
const shown = 50

const counted = (count: number, one: string) => `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`

const whyWords = (why: WhyNot, config: string): string => {
  switch (why.kind) {
    case 'not-watched':
      return `${config} does not watch it`
    case 'no-rule':
      return `no rule of ${config} saw anything in it`
    case 'told-as':
      return `under ${config} it is a ${why.severity}, ${why.alertId}`
    case 'kept-quiet':
      return `under ${config} ${why.by} ${why.ref} keeps ${why.alertId} quiet`
    case 'told-nobody':
      return `under ${config} ${why.alertId} (${why.severity}) fires, and nobody is told of it`
    case 'not-firing':
      return `under ${config} ${why.alertId} does not fire: ${reasonWords[why.reason]}`
    default:
      return why satisfies never
  }
}

const lasted = ({ sinceMs, endedAtMs }: Outage) =>
  endedAtMs === undefined ? 'and lasts' : `for ${span(endedAtMs - sinceMs)}`

const outageLines = (outage: Outage): string[] => [
  `  ${utc(outage.sinceMs)}  ${outage.about} (${outage.service}), ${lasted(outage)}`,
  `      ${outage.rules.join(', ')} pages ${span(outage.pagedAtMs - outage.sinceMs)} after it began: ${outage.summary}`,
]

const aloneLines = (title: string, all: readonly Lone[], config: string): string[] =>
  all.length === 0
    ? []
    : [
        '',
        title,
        ...all.slice(0, shown).flatMap((one) => [...outageLines(one), `      no page: ${whyWords(one.why, config)}`]),
        ...(all.length > shown ? [`  and ${all.length - shown} more (--json has them all)`] : []),
      ]

const middle = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

const delayLine = (kept: readonly Kept[]): string[] => {
  if (kept.length === 0) return []
  const of = (side: 'before' | 'after') => kept.map(({ delayMs }) => delayMs[side]).sort((a, b) => a - b)
  const [before, after] = [of('before'), of('after')]
  const words = (sorted: readonly number[]) =>
    `median ${span(middle(sorted, 0.5))}, slowest ${span(sorted.at(-1) ?? 0)}`
  return [`detection  ${words(before)} today; ${words(after)} with the new config`]
}

const changedLines = (kept: readonly Kept[]): string[] => {
  const other = kept.filter(({ delayMs }) => Math.abs(delayMs.after - delayMs.before) >= 1000)
  if (other.length === 0) return []
  const line = ({ before, sinceMs, delayMs }: Kept) => {
    const by = delayMs.after - delayMs.before
    return `  ${utc(sinceMs)}  ${before.about} (${before.service}): ${span(delayMs.before)} -> ${span(delayMs.after)} (${span(Math.abs(by))} ${by > 0 ? 'later' : 'sooner'})`
  }
  const more = other.length > shown ? [`  and ${other.length - shown} more (--json has them all)`] : []
  return ['', 'detected at another time', ...other.slice(0, shown).map(line), ...more]
}

const spentWords = (spent: BudgetChange['today']) =>
  spent === undefined ? 'no such objective' : `${percentWords(spent.spentRatio)} (${counted(spent.bad, 'bad event')})`

const budgetLines = (budgets: readonly BudgetChange[]): string[] =>
  budgets.length === 0
    ? []
    : [
        '',
        'budget spent at the end, by what was replayed',
        ...budgets.map(({ rule, today, new: next }) => `  ${rule}: ${spentWords(today)} -> ${spentWords(next)}`),
      ]

const few = (names: readonly string[]) =>
  names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ')

/** What the answer does not cover, so that nobody takes it for more than it is. */
const limits = ({ unknown, unseen, notReplayed, gaps, unreadable }: Backtest): string[] => {
  const said = (names: readonly string[], words: string) => (names.length > 0 ? [`${words}: ${few(names)}`] : [])
  return [
    ...said(unknown.today, "in the history, not in today's config"),
    ...said(unknown.new, 'in the history, not in the new config'),
    ...said(unseen.today, "in today's config, not in the history"),
    ...said(unseen.new, 'in the new config, not in the history'),
    ...said(notReplayed.today, "rules of today's config that read series, of which a history holds nothing"),
    ...said(notReplayed.new, 'rules of the new config that read series, of which a history holds nothing'),
    ...gaps.slice(0, 8).map(({ fromMs, toMs }) => `nothing is known from ${utc(fromMs)} to ${utc(toMs)}`),
    ...(unreadable > 0 ? [`${counted(unreadable, 'object')} of the history could not be read`] : []),
  ]
}

/** The difference as a person reads it; what is worst comes first. */
export const backtestText = (result: Backtest, { columns }: { columns: number | undefined }): string => {
  const { difference, today, new: next } = result
  const { kept, lost, added, folded } = difference
  if (result.outcomes === 0) return 'the history holds no outcome of that time'
  const all = [
    `${utc(result.fromMs)} to ${utc(result.toMs)}: ${counted(result.outcomes, 'outcome')} of ${counted(result.monitors, 'monitor')}`,
    `pages      ${today.pages.length} today, ${next.pages.length} with the new config`,
    `tickets    ${today.tickets.length} today, ${next.tickets.length} with the new config`,
    `outages    ${kept.length} page under both, ${lost.length} would no longer page, ${added.length} would page now`,
    ...delayLine(kept),
    ...aloneLines('would no longer page', lost, 'the new config'),
    ...aloneLines('would page now', added, "today's config"),
    ...folded.lost.flatMap((one) => ['', ...outageLines(one), `      goes out with the page of ${one.into} instead`]),
    ...folded.added.flatMap((one) => ['', ...outageLines(one), `      went out with the page of ${one.into} so far`]),
    ...changedLines(kept),
    ...budgetLines(result.budgets),
  ]
  const beyond = limits(result)
  const lines = [...all, ...(beyond.length > 0 ? ['', 'not covered', ...beyond.map((line) => `  ${line}`)] : [])]
  const indent = (line: string) => /^ */.exec(line)?.[0] ?? ''
  const width = columns ?? Number.POSITIVE_INFINITY
  return lines
    .flatMap((line) =>
      line === '' ? [''] : wrap(line.trimStart(), { width, first: indent(line), rest: `${indent(line)}  ` }),
    )
    .join('\n')
}
