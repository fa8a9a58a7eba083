import { html } from 'hono/html'
import type { ShownStatus, StatusView } from '../functions/publish/view.ts'
import { page, span, utc } from './layout.ts'

const words: Record<ShownStatus, { text: string; overall: string; tone: string }> = {
  operational: { text: '✓ operational', overall: 'All services are operational', tone: 'ok' },
  degraded_performance: { text: '▲ degraded', overall: 'Some services are degraded', tone: 'suspicious' },
  partial_outage: { text: '✕ partial outage', overall: 'Some services are partly down', tone: 'bad' },
  major_outage: { text: '✕ major outage', overall: 'Some services are down', tone: 'bad' },
  under_maintenance: { text: '● maintenance', overall: 'Maintenance is under way', tone: 'unknown' },
  unknown: { text: '? unknown', overall: 'We cannot see some services right now', tone: 'unknown' },
}

/** The public status page: components and incidents, with unknown shown as unknown. */
export const statusPage = (view: StatusView): string =>
  page(
    { title: view.title, refreshSeconds: 30 },
    html`<h1>${view.title}</h1>
<div class="panel"><span class="mark ${words[view.overall].tone}">${words[view.overall].overall}</span></div>
<h2>Services</h2>
${view.components.map(
  ({ id, status, sinceMs }) => html`<div class="panel row"><span>${id}</span>
<span class="mark ${words[status].tone}">${words[status].text}${sinceMs === undefined ? '' : ` for ${span(view.atMs - sinceMs)}`}</span></div>`,
)}
<h2>Open incidents</h2>
${
  view.open.length === 0
    ? html`<p class="dim">None.</p>`
    : view.open.map(
        ({ id, service, sinceMs, status }) => html`<div class="panel"><div class="row"><strong>${service}</strong>
<span class="mark ${words[status].tone}">${words[status].text}</span></div>
<div class="dim">${id} · since ${utc(sinceMs)}</div></div>`,
      )
}
<h2>Past incidents</h2>
${
  view.past.length === 0
    ? html`<p class="dim">None.</p>`
    : view.past.map(
        ({ id, service, sinceMs, resolvedAtMs }) => html`<div class="panel"><div class="row"><strong>${service}</strong>
<span class="dim">lasted ${span(resolvedAtMs - sinceMs)}</span></div>
<div class="dim">${id} · ${utc(sinceMs)} to ${utc(resolvedAtMs)}</div></div>`,
      )
}
<p class="dim">Last looked: ${utc(view.atMs)}</p>`,
  )
