import { html } from 'hono/html'
import type { AlertNow } from '../functions/alerts-now.ts'
import { incidentPath } from '../functions/api/links.ts'
import type { Incident } from '../functions/hub-state.ts'
import type { CaseFile } from '../triage/contract.ts'
import { facing, isQuiet, statusMark, story } from './incident-page.ts'
import { lasting, moment, page, whole } from './layout.ts'

type Listed = { incident: Incident; caseFile?: CaseFile | undefined }

const isOver = ({ incident }: Listed) => incident.status === 'resolved'

const quietMark = html` · <span class="mark unknown">● quiet</span>`

const card = ({ incident, caseFile }: Listed, nowMs: number) => html`<li class="panel card">
<div class="row"><h3><a class="tap" href="${incidentPath(incident.id)}">${incident.service}</a></h3><span>${statusMark(incident)}${isQuiet(incident) ? quietMark : ''}</span></div>
<p>${whole(story(incident, caseFile))}</p>
<p class="dim">${facing(incident, nowMs)}</p></li>`

const cards = (listed: readonly Listed[], nowMs: number) =>
  html`<ul class="plain">${listed.map((one) => card(one, nowMs))}</ul>`

const advisoriesPart = (advisories: readonly AlertNow[], nowMs: number) =>
  advisories.length === 0
    ? ''
    : html`<h2>Advisories: nobody is paged</h2>
<ul class="plain">${advisories.map(
        ({ service, summary, sinceMs, standing }) => html`<li class="panel">
<div class="row"><h3>${service}</h3><span class="mark suspicious">▲ ${standing === 'held' ? 'nobody could look lately' : 'below the quorum'}</span></div>
<p>${whole(summary)}</p>
<p class="dim">since ${moment(sinceMs)} · for ${lasting(nowMs - sinceMs)}</p></li>`,
      )}</ul>`

const links = [
  ['/', '← status page'],
  ['/silences', 'silences'],
] as const

/** The list of incidents, each with what is known of its cause; and what is worth knowing but no incident. */
export const incidentsPage = (listed: readonly Listed[], advisories: readonly AlertNow[], nowMs: number): string => {
  // What somebody may have to do something about comes first, however long it has been open.
  const [open, over] = [listed.filter((one) => !isOver(one)), listed.filter(isOver)]
  return page(
    { title: `Incidents: ${open.length === 0 ? 'none' : open.length} open`, atMs: nowMs, refreshSeconds: 10, links },
    html`<h1>Incidents</h1>
<h2>Open</h2>
${open.length > 0 ? cards(open, nowMs) : html`<p class="panel">None${over.length > 0 ? '' : ' so far'}.</p>`}
${over.length > 0 ? html`<h2>Over</h2>${cards(over, nowMs)}` : ''}
${advisoriesPart(advisories, nowMs)}`,
  )
}
