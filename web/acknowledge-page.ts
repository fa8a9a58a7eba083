import { html } from 'hono/html'
import { receiverOf, type Standing } from '../functions/api/acknowledgement.ts'
import type { CaseFile } from '../triage/contract.ts'
import { facing, statusMark, story } from './incident-page.ts'
import { type Markup, moment, page, whole } from './layout.ts'
import { home, sentencePage } from './sentence-page.ts'

export type AcknowledgeView = {
  standing: Standing
  /** Whose page the link came with. */
  channel: string
  /** Opens the incident for whoever holds this link. */
  incidentHref: string
  caseFile: CaseFile | undefined
  nowMs: number
}

/** A page with the button reloads never, lest it move under a thumb; one that waits for the answer often. */
const pendingSeconds = 2

const button = (
  channel: string,
) => html`<p>The button says that somebody works on this. It stops nothing: the checks go on, and everybody who got the page hears of the end.</p>
<form method="post"><button type="submit">Acknowledge</button></form>
<p class="dim">Nobody is asked for a name: the timeline will say “${receiverOf(channel)}”.</p>`

const part = ({ standing, channel, nowMs }: AcknowledgeView): Markup => {
  switch (standing.status) {
    case 'open':
      return button(channel)
    case 'pending':
      return html`<p class="panel"><span class="mark suspicious">▲ on its way</span> Your acknowledgement is kept and will be written in a moment.</p>`
    case 'acknowledged':
      return html`<p class="panel"><span class="mark ok">✓ acknowledged</span> by ${standing.by}, ${moment(standing.atMs, nowMs)}. There is nothing left to press.</p>`
    case 'resolved':
      return html`<p class="panel"><span class="mark ok">✓ resolved</span> It is over, so there is nothing to acknowledge.</p>`
    case 'gone':
      return html``
    default:
      return standing satisfies never
  }
}

/** What a link to acknowledge shows: what it would do, and once it is done, who was first. Only the button does it. */
export const acknowledgePage = (view: AcknowledgeView): string => {
  const { standing, incidentHref, caseFile, nowMs } = view
  if (standing.status === 'gone') return sentencePage('There is no such incident any more.', nowMs)
  const { incident } = standing
  const { service } = incident
  return page(
    {
      title: `Acknowledge ${service}: ${story(incident, caseFile)}`,
      atMs: nowMs,
      links: home,
      ...(standing.status === 'pending' ? { refreshSeconds: pendingSeconds } : {}),
    },
    html`<div class="row"><strong>${service}</strong>${statusMark(incident)}</div>
<h1>${whole(story(incident, caseFile))}</h1>
<p class="dim">${facing(incident, nowMs)} · ${incident.id}</p>
${part(view)}
<p><a class="tap" href="${incidentHref}">The incident with its case file →</a></p>`,
  )
}
