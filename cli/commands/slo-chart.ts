import { scaleLinear, scaleUtc } from 'd3-scale'
import { area, curveStepBefore, line } from 'd3-shape'
import { html } from 'hono/html'
import type { Markup } from '../../web/layout.ts'
import { leftWords, type SloReport } from './slo-report.ts'

/**
 * The drawing is stretched to its place, so that it fills a phone as well as a desk; its lines keep their width and its
 * words are text of the page, which keeps its size.
 */
const [width, height] = [1000, 1000]

export const chartStyle = `
.chart { margin: .8rem 0 0 } .plot { position: relative; height: 11rem; margin-left: 3.4rem }
.plot svg { width: 100%; height: 100%; display: block; overflow: visible } .plot path, .plot line { vector-effect: non-scaling-stroke }
.plot span, .days span { position: absolute; white-space: nowrap; font-size: .8rem; color: var(--dim); font-variant-numeric: tabular-nums }
.plot span { right: 100%; margin-right: .5rem; transform: translateY(-50%) }
.days { position: relative; height: 1.4rem; margin-left: 3.4rem } .days span { transform: translateX(-50%) }
.grid { stroke: var(--line) } .zero { stroke: var(--dim) } .line { fill: none; stroke-width: 2; stroke-linejoin: round }
.spare { stop-color: var(--link) } .over { stop-color: var(--bad) } .fill { fill-opacity: .16 }
.alerted { stroke: var(--warn); stroke-width: 2; stroke-dasharray: 4 3 } .blind { fill: var(--unknown); fill-opacity: .22 }
`

type Point = SloReport['burnDown'][number]

/** Shares of the budget that have a line: all, half, none, and how far it is overdrawn. */
const sharesOf = (lowest: number): number[] => {
  if (lowest >= 0) return [0, 0.5, 1]
  const far = Math.abs(lowest) < 0.25 ? [] : [lowest]
  return lowest < -1.5 ? [0, 1, ...far] : [0, 0.5, 1, ...far]
}

/** `3 Nov` */
const dayText = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
const percent = (share: number) => `${(share * 100).toFixed(2)}%`

type Scales = { across: (point: Point) => number; y: (ratio: number) => number }

/** One line, in one colour above zero and in another below it, and what lies between it and zero. */
const curves = ({ rule, burnDown }: SloReport, { across, y }: Scales): Markup => {
  const down = ({ leftRatio }: Point) => y(leftRatio)
  const fill = area(across, y(0), down).curve(curveStepBefore)(burnDown) ?? ''
  const path = line(across, down).curve(curveStepBefore)(burnDown) ?? ''
  const [colours, zero] = [`left-${rule}`, percent(y(0) / height)]
  return html`<linearGradient id="${colours}" gradientUnits="userSpaceOnUse" x1="0" x2="0" y1="0" y2="${height}">
<stop class="spare" offset="${zero}"/><stop class="over" offset="${zero}"/></linearGradient>
<path class="fill" fill="url(#${colours})" d="${fill}"/><path class="line" stroke="url(#${colours})" d="${path}"/>`
}

/** What is left of a budget over its window. The words beside it say the same, for those who cannot see it. */
export const burnDownChart = (report: SloReport): Markup => {
  const { rule, burnDown, fromMs, toMs, alerts, unknownSpans } = report
  const lowest = burnDown.reduce((least, { leftRatio }) => Math.min(least, leftRatio), 0)
  const x = scaleUtc([fromMs, toMs], [0, width]).clamp(true)
  const y = scaleLinear([lowest, 1], [height, 0])
  const days = x.ticks(4).filter((day) => x(day) > 0.03 * width && x(day) < 0.97 * width)
  const said = `budget of ${rule} from ${dayText.format(fromMs)} to ${dayText.format(toMs)}: ${leftWords(report)}`
  const vertical = (ms: number, name: string) =>
    html`<line class="${name}" x1="${x(ms)}" x2="${x(ms)}" y1="0" y2="${height}"/>`
  return html`<div class="chart" role="img" aria-label="${said}"><div class="plot" aria-hidden="true">
<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">
${unknownSpans.map((one) => html`<rect class="blind" x="${x(one.fromMs)}" y="0" width="${Math.max(2, x(one.toMs) - x(one.fromMs))}" height="${height}"/>`)}
${sharesOf(lowest).map((share) => html`<line class="${share === 0 ? 'zero' : 'grid'}" x1="0" x2="${width}" y1="${y(share)}" y2="${y(share)}"/>`)}
${alerts.map(({ sinceMs }) => vertical(sinceMs, 'alerted'))}
${curves(report, { across: ({ atMs }) => x(atMs), y })}
</svg>
${sharesOf(lowest).map((share) => html`<span style="top:${percent(y(share) / height)}">${String(Math.round(share * 100)).replace('-', '−')} %</span>`)}
</div><div class="days" aria-hidden="true">${days.map((day) => html`<span style="left:${percent(x(day) / width)}">${dayText.format(day)}</span>`)}</div></div>`
}
