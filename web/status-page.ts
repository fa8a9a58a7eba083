import { html } from 'hono/html'
import type { ShownStatus } from '../functions/component-status.ts'
import type { StatusView } from '../functions/publish/view.ts'
import { lasting, moment, page } from './layout.ts'

const words: Record<ShownStatus, { text: string; overall: string; tone: string }> = {
  operational: { text: '✓ operational', overall: 'All services are operational', tone: 'ok' },
  degraded_performance: { text: '▲ degraded', overall: 'Some services are degraded', tone: 'suspicious' },
  partial_outage: { text: '✕ partial outage', overall: 'Some services are partly down', tone: 'bad' },
  major_outage: { text: '✕ major outage', overall: 'Some services are down', tone: 'bad' },
  under_maintenance: { text: '● maintenance', overall: 'Maintenance is under way', tone: 'unknown' },
  unknown: { text: '? unknown', overall: 'We cannot see some services right now', tone: 'unknown' },
}

/** Never colour alone. */
const signs: Record<string, string> = { ok: '✓', suspicious: '▲', bad: '✕', unknown: '?' }

const mark = (status: ShownStatus) => html`<span class="mark ${words[status].tone}">${words[status].text}</span>`

const none = html`<p class="dim">None.</p>`

/** Nothing of it fails any more, and it is watched a while longer lest it comes back. */
const recovering = html`<span class="mark unknown">● recovering</span>`

/** Its own service is well, or is none of ours; something of it fails still. */
const goesOn = html`<span class="mark suspicious">▲ goes on</span>`

const openMark = ({ status, firing }: StatusView['open'][number]) => {
  if (status !== 'operational') return mark(status)
  return firing ? goesOn : recovering
}

const components = ({ components: all, atMs }: StatusView) =>
  all.length === 0
    ? html`<p class="dim">None is watched.</p>`
    : html`<ul class="plain">${all.map(
        ({ id, status, sinceMs }) => html`<li class="panel row"><strong>${id}</strong>
<span>${mark(status)}${sinceMs === undefined ? '' : ` for ${lasting(atMs - sinceMs)}`}</span></li>`,
      )}</ul>`

const open = ({ open: all, atMs }: StatusView) =>
  all.length === 0
    ? none
    : html`<ul class="plain">${all.map(
        (one) => html`<li class="panel"><div class="row"><strong>${one.service}</strong>
${openMark(one)}</div><p class="dim">since ${moment(one.sinceMs, atMs)} · ${one.id}</p></li>`,
      )}</ul>`

const pastList = (some: StatusView['past']) =>
  html`<ul class="plain">${some.map(
    ({ id, service, sinceMs, resolvedAtMs }) => html`<li class="panel"><div class="row"><strong>${service}</strong>
<span class="mark ok">✓ resolved</span></div>
<p class="dim">lasted ${lasting(resolvedAtMs - sinceMs)}, ${moment(sinceMs)} to ${moment(resolvedAtMs)} · ${id}</p></li>`,
  )}</ul>`

/** More than these are folded away. */
const pastShown = 10

const past = ({ past: all }: StatusView) => {
  if (all.length === 0) return none
  const older = all.slice(pastShown)
  return html`${pastList(all.slice(0, pastShown))}${
    older.length === 0 ? '' : html`<details><summary>${older.length} older</summary>${pastList(older)}</details>`
  }`
}

/** The public status page: components and incidents, with unknown shown as unknown. */
export const statusPage = (view: StatusView): string =>
  page(
    { title: `${view.title}: ${words[view.overall].overall}`, atMs: view.atMs, refreshSeconds: 30 },
    html`<h1>${view.title}</h1>
<p class="panel"><strong class="${words[view.overall].tone}">${signs[words[view.overall].tone]} ${words[view.overall].overall}</strong></p>
<h2>Services</h2>
${components(view)}
<h2>Open incidents</h2>
${open(view)}
<h2>Past incidents</h2>
${past(view)}`,
  )
