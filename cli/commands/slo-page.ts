import { html } from 'hono/html'
import { type Markup, page } from '../../web/layout.ts'
import { burnDownChart, chartStyle } from './slo-chart.ts'
import {
  achievedWords,
  endWords,
  latencyWords,
  leftWords,
  minuteWords,
  type SloAlert,
  type SloReport,
} from './slo-report.ts'

const style = `
.left { font-size: 1.9rem; font-weight: 700; line-height: 1.2; margin: .4rem 0 0 }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .6rem 1rem; margin: .8rem 0 0 }
.facts .wide { grid-column: 1 / -1 } .facts dd { font-variant-numeric: tabular-nums } .facts small { display: block; color: var(--dim); font-size: .85rem }
.fired { margin-top: .8rem } .alerts li { padding: .35rem 0; border-top: 1px solid var(--line) }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .2rem 0 0 } .key i { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; vertical-align: -.05rem }
${chartStyle}`

type Standing = { mark: 'ok' | 'suspicious' | 'bad' | 'unknown'; words: string }

/** Less than this is worth a thought before the next release. */
const lowRatio = 0.25

const standingOf = ({ spentRatio, achievedPercent }: SloReport): Standing => {
  if (achievedPercent === undefined) return { mark: 'unknown', words: 'unknown' }
  if (spentRatio >= 1) return { mark: 'bad', words: spentRatio > 1 ? 'overdrawn' : 'spent' }
  return 1 - spentRatio < lowRatio ? { mark: 'suspicious', words: 'low' } : { mark: 'ok', words: 'fine' }
}

const number = (value: number) => value.toLocaleString('en')

const fact = (name: string, value: string, more = ''): Markup =>
  html`<div><dt>${name}</dt><dd>${value}${more === '' ? '' : html` <small>${more}</small>`}</dd></div>`

const facts = (report: SloReport): Markup => {
  const { good, bad, unknown, objectivePercent, latency } = report
  return html`<dl class="facts">
${fact('Good', achievedWords(report), `of ${objectivePercent} % promised`)}
${fact('Events', number(good + bad), `${number(bad)} bad`)}
${fact('Unknown', number(unknown), 'not counted')}
${latency ? html`<div class="wide"><dt>Latency</dt><dd>${latencyWords(latency)} <small>of ${number(latency.looks)} looks</small></dd></div>` : ''}
</dl>`
}

const marks: Readonly<Record<SloAlert['severity'], Standing['mark']>> = {
  page: 'bad',
  ticket: 'suspicious',
  advisory: 'unknown',
}

const alertItem = (alert: SloAlert): Markup => {
  const { severity, sinceMs, summary, incidentId } = alert
  return html`<li><strong class="${marks[severity]}">${severity}</strong> since ${minuteWords(sinceMs)}, ${endWords(alert)}<br>${summary}<br><span class="dim">${incidentId}</span></li>`
}

const fired = ({ alerts }: SloReport): Markup =>
  alerts.length === 0
    ? html`<p class="dim fired">No alert of it fired in this time.</p>`
    : html`<h3 class="fired">Alerts that fired</h3><ul class="plain alerts">${alerts.map(alertItem)}</ul>`

/** What the chart's colours mean, as far as they are in it. */
const key = ({ alerts, unknownSpans, burnDown }: SloReport): Markup => {
  const shown: [string, string][] = [
    ['var(--link)', 'budget left'],
    ...(burnDown.some(({ leftRatio }) => leftRatio < 0) ? [['var(--bad)', 'overdrawn'] as [string, string]] : []),
    ...(alerts.length > 0 ? [['var(--warn)', 'an alert fired'] as [string, string]] : []),
    ...(unknownSpans.length > 0 ? [['var(--unknown)', 'some looks unknown'] as [string, string]] : []),
  ]
  return html`<p class="key dim">${shown.map(([colour, words]) => html`<span><i style="background:${colour}"></i>${words}</span>`)}</p>`
}

const section = (report: SloReport): Markup => {
  const { rule, service, period, burnDown } = report
  const { mark, words } = standingOf(report)
  return html`<section class="panel" id="${rule}">
<div class="row"><h2 class="tight">${rule} <span class="dim">${service}</span></h2><span class="mark ${mark}">${words}</span></div>
<p class="left ${mark === 'bad' ? 'bad' : ''}">${leftWords(report).replace(' %', '\u00a0%')}</p>
<p class="dim">of ${period}'s budget, ${minuteWords(report.fromMs)} to ${minuteWords(report.toMs)}</p>
${burnDown.length > 0 ? html`${burnDownChart(report)}${key(report)}` : ''}
${facts(report)}
${fired(report)}
</section>`
}

const overview = (reports: readonly SloReport[]): string => {
  const counted = [...Map.groupBy(reports, (report) => standingOf(report).words)].map(
    ([words, own]) => `${own.length} ${words}`,
  )
  return `${reports.length} ${reports.length === 1 ? 'objective' : 'objectives'}: ${counted.join(', ')}`
}

/** A page of its own: no script, nothing from elsewhere, as wide as a phone. */
export const sloReportPage = (reports: readonly SloReport[], at: { title: string; nowMs: number }): string => {
  const title = `${at.title}: objectives`
  const body =
    reports.length > 0
      ? html`<p>${overview(reports)}${reports.length > 1 ? ', the one with the least left first' : ''}.</p>${reports.map(section)}`
      : html`<p>There is no objective: a rule of kind slo makes one.</p>`
  return page({ title, atMs: at.nowMs, style }, html`<h1>${title}</h1>${body}`)
}
