import { html } from 'hono/html'
import { incidentPath } from '../functions/api/links.ts'
import type { ListedSilence } from '../functions/api-contract.ts'
import { type Markup, moment, page, span } from './layout.ts'

const stateMark = ({ state, startsAtMs }: ListedSilence, nowMs: number): Markup => {
  switch (state) {
    case 'asked':
      return html`<span class="mark suspicious">▲ on its way</span>`
    case 'to-come':
      return html`<span class="mark unknown">begins in ${span(startsAtMs - nowMs)}</span>`
    case 'in-force':
      return html`<span class="mark suspicious">▲ quiet for ${span(nowMs - startsAtMs)}</span>`
    default:
      return state satisfies never
  }
}

const hidden = ({ hid, hidCount }: ListedSilence, nowMs: number): Markup => {
  if (hidCount === 0) return html`<p class="dim">It hid nothing so far.</p>`
  const more = hidCount - hid.length
  return html`<p>It hid:</p>
<ul>${hid.map(
    ({ incidentId, service, sinceMs }) =>
      html`<li><a class="tap" href="${incidentPath(incidentId)}">${service}</a> since ${moment(sinceMs, nowMs)}</li>`,
  )}${more > 0 ? html`<li>and ${more} more</li>` : ''}</ul>`
}

const panel = (silence: ListedSilence, nowMs: number): Markup => {
  const { id, matchers, author, reason, endsAtMs, incidentId } = silence
  return html`<section class="panel">
<div class="row"><h3>${matchers.join(', ')}</h3>${stateMark(silence, nowMs)}</div>
<p>${reason} <span class="dim">(${author})</span></p>
<p class="dim">${id} · until ${moment(endsAtMs)}, in ${span(endsAtMs - nowMs)}${incidentId === undefined ? '' : html`, or the end of <a href="${incidentPath(incidentId)}">${incidentId}</a>`}</p>
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
${silences.length === 0 ? html`<p>None: every alert is told.</p>` : silences.map((one) => panel(one, nowMs))}
<p class="dim">“whodunit silence add” makes one, “whodunit silence end” ends it.</p>`,
  )
