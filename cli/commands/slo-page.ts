import { scaleLinear } from 'd3-scale'
import { area, curveStepAfter, line } from 'd3-shape'
import { html } from 'hono/html'
import { eventWords, latencyWords, leftWords, type SloReport } from './slo-report.ts'

const [width, height] = [640, 200]
const inside = { left: 44, right: 632, top: 12, bottom: 176 }

const day = (ms: number) => new Date(ms).toISOString().slice(5, 10)
const moment = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** What is left of a budget over its window. The words beside it say the same, for those who cannot see it. */
const chart = (report: SloReport) => {
  const { burnDown, fromMs, toMs } = report
  const lowest = burnDown.reduce((least, { leftRatio }) => Math.min(least, leftRatio), 0)
  const x = scaleLinear([fromMs, toMs], [inside.left, inside.right])
  const y = scaleLinear([lowest, 1], [inside.bottom, inside.top])
  type Point = SloReport['burnDown'][number]
  const across = ({ atMs }: Point) => x(Math.max(fromMs, atMs))
  const path = line(across, ({ leftRatio }: Point) => y(leftRatio)).curve(curveStepAfter)(burnDown) ?? ''
  const fill = area(across, y(0), ({ leftRatio }: Point) => y(leftRatio)).curve(curveStepAfter)(burnDown) ?? ''
  const said = `budget of ${report.rule} from ${day(fromMs)} to ${day(toMs)}: ${leftWords(report)}`
  const shares = [...new Set([0, 0.5, 1, ...(lowest < 0 ? [lowest] : [])])]
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${said}">
${shares.map(
  (share) => html`<line class="grid" x1="${inside.left}" x2="${inside.right}" y1="${y(share)}" y2="${y(share)}"/>
<text x="${inside.left - 6}" y="${y(share) + 4}" text-anchor="end">${Math.round(share * 100)} %</text>`,
)}
${x.ticks(5).map((ms) => html`<text x="${x(ms)}" y="${height - 6}" text-anchor="middle">${day(ms)}</text>`)}
<path class="fill" d="${fill}"/><path class="line" d="${path}"/>
</svg>`
}

const style = `
:root { color-scheme: light dark; --line: light-dark(#0b57d0, #8ab4f8); --dim: light-dark(#555, #aaa); --bad: light-dark(#b3261e, #f2b8b5) }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 44rem; padding: 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 2rem 0 0 } p { margin: .2rem 0 }
svg { width: 100%; height: auto } text { fill: var(--dim); font-size: 13px }
.dim { color: var(--dim) } .bad { color: var(--bad); font-weight: 600 }
.grid { stroke: var(--dim); stroke-opacity: .3 } .line { fill: none; stroke: var(--line); stroke-width: 2 }
.fill { fill: var(--line); fill-opacity: .12 }
`

const section = (report: SloReport) => {
  const { rule, service, objectivePercent, achievedPercent, period, burnDown } = report
  const seen = achievedPercent === undefined ? 'nothing was seen' : `${Number(achievedPercent.toFixed(3))} % were good`
  return html`<section>
<h2>${rule} <span class="dim">${service}</span></h2>
<p class="${report.spentRatio >= 1 ? 'bad' : ''}">${leftWords(report)} of ${period}'s budget</p>
${report.latency ? html`<p class="dim">${latencyWords(report.latency)}</p>` : ''}
<p class="dim">${seen} of ${objectivePercent} % promised: ${eventWords(report)}</p>
${burnDown.length > 0 ? chart(report) : ''}
</section>`
}

/** A page of its own: no script, nothing from elsewhere, as wide as a phone. */
export const sloReportPage = (reports: readonly SloReport[], at: { title: string; nowMs: number }): string =>
  String(html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${at.title}: objectives</title><style>${style}</style></head>
<body><h1>${at.title}: objectives</h1><p class="dim">as of ${moment(at.nowMs)}</p>
${reports.length > 0 ? reports.map(section) : html`<p>There is no objective: a rule of kind slo makes one.</p>`}
</body></html>`)
