import { html } from 'hono/html'
import type { Incident } from '../functions/contract.ts'
import type { Answer, CaseFile, Evidence, Suspect } from '../triage/contract.ts'
import { page, span, utc } from './layout.ts'

const marks: Record<Answer['verdict'], string> = {
  ok: '✓ ok',
  bad: '✕ bad',
  suspicious: '▲ suspicious',
  unknown: '? unknown',
}

const evidenceItem = ({ says, quote }: Evidence) =>
  html`<li>${says}${quote === undefined ? '' : html`<pre>${quote}</pre>`}</li>`

const answerPanel = ({ title, verdict, headline, evidence }: Answer) => html`<div class="panel">
<div class="row"><strong>${title}</strong><span class="mark ${verdict}">${marks[verdict]}</span></div>
<p>${headline}</p>
${evidence.length === 0 ? '' : html`<ul>${evidence.map(evidenceItem)}</ul>`}
</div>`

const suspectPanel = (suspect: Suspect, index: number) => html`<div class="panel">
<div class="row"><strong>${index + 1}. ${suspect.headline}</strong><span class="mark">${Math.min(99, Math.round(suspect.score * 100))} %</span></div>
${suspect.for.length === 0 ? '' : html`<div class="dim">for</div><ul>${suspect.for.map((says) => html`<li>${says}</li>`)}</ul>`}
${suspect.against.length === 0 ? '' : html`<div class="dim">against</div><ul>${suspect.against.map((says) => html`<li>${says}</li>`)}</ul>`}
${suspect.owner ? html`<div class="dim">owner: ${suspect.owner.team} (${suspect.owner.role}) ${suspect.owner.contact ?? ''}</div>` : ''}
${suspect.runbook === undefined ? '' : html`<div class="dim">runbook: <a href="${suspect.runbook}">${suspect.runbook}</a></div>`}
</div>`

const caseFileParts = (caseFile: CaseFile) => html`<h2>Checklist</h2>
${caseFile.answers.map(answerPanel)}
<h2>Suspects</h2>
${caseFile.suspects.length === 0 ? html`<p class="dim">No suspect.</p>` : caseFile.suspects.map(suspectPanel)}`

const lasted = (incident: Incident, nowMs: number) => span((incident.resolvedAtMs ?? nowMs) - incident.sinceMs)

/** One incident with its case file and timeline: for the people on call, not for the public. */
export const incidentPage = (incident: Incident, caseFile: CaseFile | undefined, nowMs: number): string => {
  const over = incident.status === 'resolved'
  return page(
    { title: `${incident.service}: ${incident.status}`, ...(over ? {} : { refreshSeconds: 10 }) },
    html`<div class="dim"><a href="/incidents">all incidents</a> · ${incident.id}</div>
<h1>${incident.service}: ${caseFile?.headline ?? Object.values(incident.alerts)[0]?.summary ?? 'no details yet'}</h1>
<div class="panel row"><span class="mark ${over ? 'ok' : 'bad'}">${over ? '✓ resolved' : `✕ ${incident.status}`}</span>
<span class="dim">${incident.severity} · since ${utc(incident.sinceMs)} · ${over ? 'lasted' : 'for'} ${lasted(incident, nowMs)}</span></div>
<h2>What fails</h2>
<ul>${Object.values(incident.alerts).map(({ summary, firing }) => html`<li>${summary} <span class="dim">${firing ? 'firing' : 'over'}</span></li>`)}</ul>
${caseFile ? caseFileParts(caseFile) : html`<p class="dim">The questions are not answered yet.</p>`}
<h2>Timeline</h2>
<table>${incident.timeline.map(({ atMs, what, reason }) => html`<tr><td class="dim">${utc(atMs).slice(11, 19)}</td><td>${what}${reason === undefined ? '' : html` <span class="dim">(${reason})</span>`}</td></tr>`)}</table>`,
  )
}

/** The list of incidents. */
export const incidentsPage = (incidents: readonly Incident[], nowMs: number): string =>
  page(
    { title: 'Incidents', refreshSeconds: 10 },
    html`<div class="dim"><a href="/">status page</a></div><h1>Incidents</h1>
${incidents.length === 0 ? html`<p class="dim">None so far.</p>` : ''}
${incidents.map(
  (
    incident,
  ) => html`<div class="panel"><div class="row"><a href="/incidents/${incident.id}"><strong>${incident.service}</strong></a>
<span class="mark ${incident.status === 'resolved' ? 'ok' : 'bad'}">${incident.status}</span></div>
<div class="dim">${incident.id} · since ${utc(incident.sinceMs)} · ${lasted(incident, nowMs)}</div></div>`,
)}`,
  )
