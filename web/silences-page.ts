import { html } from 'hono/html'
import { incidentPath } from '../functions/api/links.ts'
import type { ListedSilence } from '../functions/api-contract.ts'
import { lasting, type Markup, moment, page } from './layout.ts'

const stateMark = ({ state, startsAtMs }: ListedSilence, nowMs: number): Markup => {
  switch (state) {
    case 'asked':
      return html`<span class="mark suspicious">▲ on its way</span>`
    case 'to-come':
      return html`<span class="mark unknown">● begins in ${lasting(startsAtMs - nowMs)}</span>`
    case 'in-force':
      return html`<span class="mark suspicious">▲ quiet for ${lasting(nowMs - startsAtMs)}</span>`
    default:
      return state satisfies never
  }
}

const hidden = ({ hid, hidCount }: ListedSilence, nowMs: number): Markup => {
  if (hidCount === 0) return html`<p class="dim">It hid nothing so far.</p>`
  const more = hidCount - hid.length
  return html`<p>It hid ${hidCount === 1 ? 'one incident' : `${hidCount} incidents`}:</p>
<ul class="plain">${hid.map(
    ({ incidentId, service, sinceMs }) =>
      html`<li class="row"><a class="tap" href="${incidentPath(incidentId)}">${service}</a> <span class="dim">since ${moment(sinceMs, nowMs)}</span></li>`,
  )}${more > 0 ? html`<li class="dim">and ${more} more</li>` : ''}</ul>`
}

const panel = (silence: ListedSilence, nowMs: number): Markup => {
  const { id, matchers, author, reason, endsAtMs, incidentId } = silence
  return html`<section class="panel">
<div class="row"><h2 class="tight">${matchers.join(', ')}</h2>${stateMark(silence, nowMs)}</div>
<p>${reason} <span class="dim">(${author})</span></p>
<p class="dim">${id} · until ${moment(endsAtMs)}, in ${lasting(endsAtMs - nowMs)}${incidentId === undefined ? '' : html`, or the end of <a class="reach" href="${incidentPath(incidentId)}">${incidentId}</a>`}</p>
${hidden(silence, nowMs)}
</section>`
}

const links = [
  ['/', '← status page'],
  ['/incidents', 'incidents'],
] as const

/** What is kept quiet, by whom and why, until when, and what that hid: for the people on call. */
export const silencesPage = (silences: readonly ListedSilence[], nowMs: number): string =>
  page(
    { title: 'Silences', atMs: nowMs, refreshSeconds: 30, links },
    html`<h1>Silences</h1>
${silences.length === 0 ? html`<p class="panel">None: nobody keeps an alert quiet.</p>` : silences.map((one) => panel(one, nowMs))}
<p class="dim"><code>whodunit silence add</code> makes one, <code>whodunit silence end ID</code> ends it.</p>`,
  )
