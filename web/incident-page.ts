import { html } from 'hono/html'
import { incidentPath } from '../functions/api/links.ts'
import type { Incident, IncidentAlert, Mute } from '../functions/hub-state.ts'
import type { Answer, CaseFile, Evidence, Suspect } from '../triage/contract.ts'
import { lasting, likelihood, linked, type Markup, moment, page, utc, whole } from './layout.ts'
import { home } from './sentence-page.ts'

const marks: Record<Answer['verdict'], string> = {
  ok: '✓ ok',
  bad: '✕ bad',
  suspicious: '▲ suspicious',
  unknown: '? unknown',
}

/** More facts than this are folded away, and so are those of an answer that is fine. */
const factsShown = 4

const fact = ({ says, quote }: Evidence) =>
  html`<li>${whole(says)}${quote === undefined ? '' : html`<pre>${quote}</pre>`}</li>`

const facts = (evidence: readonly Evidence[]) => html`<ul>${evidence.map(fact)}</ul>`

const folded = (words: string, inside: Markup) => html`<details><summary>${words}</summary>${inside}</details>`

const counted = (count: number, one: string) => `${count} ${count === 1 ? one : `${one}s`}`

/** What the headline says already is not said again. */
const isNews =
  (headline: string) =>
  ({ says, quote }: Evidence): boolean =>
    quote !== undefined || !headline.includes(says)

const evidencePart = ({ verdict, evidence, title, headline }: Answer) => {
  const news = evidence.filter(isNews(headline))
  if (news.length === 0) return ''
  if (verdict === 'ok') return folded(`${counted(news.length, 'fact')} on “${title}”`, facts(news))
  const [shown, hidden] = [news.slice(0, factsShown), news.slice(factsShown)]
  return html`${facts(shown)}${hidden.length === 0 ? '' : folded(`${counted(hidden.length, 'more fact')} on “${title}”`, facts(hidden))}`
}

const answerPanel = (answer: Answer) => html`<li class="panel">
<div class="row"><h3>${answer.title}</h3><span class="mark ${answer.verdict}">${marks[answer.verdict]}</span></div>
<p>${whole(answer.headline)}</p>
${evidencePart(answer)}
</li>`

const reasons = (word: string, says: readonly string[]) =>
  says.length === 0 ? '' : html`<p class="dim">${word}</p><ul>${says.map((each) => html`<li>${whole(each)}</li>`)}</ul>`

const contacts = ({ owner, runbook }: Suspect) =>
  owner === undefined && runbook === undefined
    ? ''
    : html`<dl>${owner ? html`<dt>owner</dt><dd>${owner.team} (${owner.role}) ${owner.contact === undefined ? '' : linked(owner.contact)}</dd>` : ''}${
        runbook === undefined ? '' : html`<dt>runbook</dt><dd>${linked(runbook)}</dd>`
      }</dl>`

/** `story` is what stands above already. */
const suspectPart = (suspect: Suspect, story?: string) => html`<div class="row"><h3>${
  suspect.headline === story ? suspect.accused.name : whole(suspect.headline)
}</h3>
<span class="mark">score ${likelihood(suspect.score)}</span></div>
${contacts(suspect)}
${reasons('For it', suspect.for)}
${reasons('Against it', suspect.against)}`

const primePart = ({ suspects: [prime], headline }: CaseFile) => html`<h2>Prime suspect</h2>
${prime ? html`<div class="panel prime">${suspectPart(prime, headline)}</div>` : html`<p class="panel">No suspect: nothing that was found points at a cause.</p>`}`

const otherSuspects = ({ suspects }: CaseFile) => {
  const others = suspects.slice(1)
  return others.length === 0
    ? ''
    : html`<h2>Other suspects</h2><ol class="plain" start="2">${others.map((each) => html`<li class="panel">${suspectPart(each)}</li>`)}</ol>`
}

const muteWords: Record<Mute['kind'], string> = {
  silence: 'silenced by',
  maintenance: 'in maintenance:',
  dependency: 'quiet while this is open:',
  'inhibit-rule': 'quiet while this fires:',
  settling: 'given time to recover after',
}

/** Where what keeps an alert quiet is told, for whoever may see more than this incident. */
const muteHref: Partial<Record<Mute['kind'], (ref: string) => string>> = {
  silence: () => '/silences',
  dependency: (ref) => incidentPath(ref),
}

const muteMark = ({ kind, ref }: Mute, alone: boolean) => {
  const href = alone ? undefined : muteHref[kind]?.(ref)
  return html` <span class="dim">${muteWords[kind]} ${href === undefined ? ref : html`<a class="reach" href="${href}">${ref}</a>`}</span>`
}

const alertItem = ({ summary, firing, mute }: IncidentAlert, alone: boolean) =>
  html`<li>${whole(summary)} <span class="mark ${firing ? 'bad' : 'ok'}">${firing ? '✕ firing' : '✓ over'}</span>${
    firing && mute ? muteMark(mute, alone) : ''
  }</li>`

/** Those that fire first. */
const alertsPart = ({ alerts, counts, status }: Incident, alone: boolean) => {
  const shown = Object.values(alerts).toSorted((a, b) => Number(b.firing) - Number(a.firing))
  const more = counts.alerts - shown.length
  return html`<h2>${status === 'resolved' ? 'What failed' : 'What fails'}, seen from outside</h2>
<ul>${shown.map((one) => alertItem(one, alone))}${more > 0 ? html`<li>and ${more} more; ${counts.firing} of ${counts.alerts} fire</li>` : ''}</ul>`
}

/** More names than this are folded away. */
const namesShown = 12

const names = (all: readonly string[]) =>
  html`<ul class="plain names">${all.map((name) => html`<li>${name}</li>`)}</ul>`

const affectsPart = ({ affects }: Incident) => {
  if (affects.length === 0) return ''
  const [shown, hidden] = [affects.slice(0, namesShown), affects.slice(namesShown)]
  return html`<h2>Fails because of it, or with it</h2>
${names(shown)}${hidden.length === 0 ? '' : folded(`and ${counted(hidden.length, 'more service')}`, names(hidden))}`
}

/** The time alone; with its day when that is not the day it began. */
const clock = (atMs: number, sinceMs: number) =>
  utc(atMs).slice(0, 10) === utc(sinceMs).slice(0, 10) ? utc(atMs).slice(11, 19) : utc(atMs).slice(0, 19)

const timelinePart = ({ timeline, sinceMs }: Incident) => html`<h2>Timeline</h2>
<table><thead><tr><th scope="col">UTC</th><th scope="col">What happened</th></tr></thead>
<tbody>${timeline.map(
  ({ atMs, what, reason }) =>
    html`<tr><td><time datetime="${new Date(atMs).toISOString()}">${clock(atMs, sinceMs)}</time></td><td>${what}${reason === undefined ? '' : html` <span class="dim">(${reason})</span>`}</td></tr>`,
)}</tbody></table>`

/** How bad, since when and for how long. */
export const facing = ({ severity, sinceMs, resolvedAtMs }: Incident, nowMs: number): Markup =>
  html`severity ${severity} · since ${moment(sinceMs)} · ${resolvedAtMs === undefined ? 'for' : 'lasted'} ${lasting((resolvedAtMs ?? nowMs) - sinceMs)}`

/** What is known of its cause, in a sentence. */
export const story = (incident: Incident, caseFile: CaseFile | undefined) =>
  caseFile?.headline ?? Object.values(incident.alerts)[0]?.summary ?? 'no details yet'

const statusSigns = {
  open: { tone: 'bad', sign: '✕' },
  acknowledged: { tone: 'suspicious', sign: '▲' },
  resolved: { tone: 'ok', sign: '✓' },
} as const

export const statusMark = ({ status }: Incident): Markup =>
  html`<span class="mark ${statusSigns[status].tone}">${statusSigns[status].sign} ${status}</span>`

const acknowledgement = ({ acknowledged }: Incident) =>
  acknowledged ? html`<p class="dim">acknowledged by ${acknowledged.by}, ${moment(acknowledged.atMs)}</p>` : ''

/** Is it open, and does everything about it tell nobody? */
export const isQuiet = ({ status, counts }: Incident) =>
  status !== 'resolved' && counts.firing > 0 && counts.audible === 0

const quiet = (incident: Incident) =>
  isQuiet(incident) ? html`<p class="dim">Pages nobody now: what keeps it quiet stands beside each alert.</p>` : ''

/** Quick until the questions are answered; then rarely, since a reload folds what somebody has opened to read. */
const refresh = (incident: Incident, caseFile: CaseFile | undefined) => {
  if (incident.status === 'resolved') return {}
  return { refreshSeconds: caseFile || incident.toldAtMs === undefined ? 60 : 5 }
}

/** The questions are asked when people are told. */
const unanswered = ({ toldAtMs, status }: Incident) => {
  if (toldAtMs === undefined) return 'Nobody was told, so the questions were not asked.'
  return status === 'resolved' ? 'The questions were not answered.' : 'The questions are not answered yet.'
}

/**
 * One incident with its case file and timeline: for the people on call, not for the public. `alone` is for somebody who
 * may see this incident only.
 */
export const incidentPage = (
  incident: Incident,
  caseFile: CaseFile | undefined,
  nowMs: number,
  { alone = false }: { alone?: boolean } = {},
): string => {
  return page(
    {
      title: `${incident.status}: ${incident.service}, ${story(incident, caseFile)}`,
      atMs: nowMs,
      links: alone ? home : [['/incidents', '← all incidents']],
      ...refresh(incident, caseFile),
    },
    html`<div class="row"><strong>${incident.service}</strong>${statusMark(incident)}</div>
<h1>${whole(story(incident, caseFile))}</h1>
<p class="dim">${facing(incident, nowMs)} · ${incident.id}</p>
${acknowledgement(incident)}${quiet(incident)}
${caseFile ? primePart(caseFile) : ''}
${alertsPart(incident, alone)}
${affectsPart(incident)}
<h2>Checklist</h2>
${
  caseFile
    ? html`<p class="dim">Answered ${moment(caseFile.atMs, nowMs)}</p><ul class="plain">${caseFile.answers.map(answerPanel)}</ul>`
    : html`<p class="panel"><span class="mark unknown">? unknown</span> ${unanswered(incident)}</p>`
}
${caseFile ? otherSuspects(caseFile) : ''}
${timelinePart(incident)}`,
  )
}
