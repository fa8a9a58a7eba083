import { html, raw } from 'hono/html'

/** What `html` of hono gives: text whose insertions are escaped. */
export type Markup = ReturnType<typeof html>

const style = `
:root { color-scheme: light dark; --ink: #1c2024; --dim: #5a5e66; --line: #d3d4db; --ok: #18704a; --bad: #c1272d; --warn: #855900; --unknown: #5a5e66; --panel: #fff; --back: #f7f7f9; --link: #0b5cad }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --dim: #b0b4ba; --line: #3d4147; --ok: #3dd68c; --bad: #ff9592; --warn: #ffca16; --unknown: #b0b4ba; --panel: #1c1d20; --back: #111113; --link: #8ec8ff } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main, nav, footer { max-width: 46rem; margin: 0 auto; padding: 0 1rem } main { padding-bottom: 1.5rem } main:first-child { padding-top: .75rem } footer { padding-bottom: 2rem }
nav { display: flex; flex-wrap: wrap; gap: 0 1rem }
h1 { font-size: 1.4rem; line-height: 1.3; margin: .5rem 0; text-wrap: pretty } h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem } h3 { font-size: 1rem; margin: 0 } .tight { margin: 0 }
p { margin: .35rem 0 } a { color: var(--link) }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; padding: .6rem .9rem }
.prime { border: 2px solid var(--bad); border-left-width: 8px }
.row { display: flex; gap: .25rem .75rem; justify-content: space-between; align-items: baseline; flex-wrap: wrap } @media (min-width: 40rem) { .row > :first-child { max-width: calc(100% - 10rem) } }
.mark { font-weight: 700; white-space: nowrap } .ok { color: var(--ok) } .bad { color: var(--bad) } .suspicious { color: var(--warn) } .unknown { color: var(--unknown) }
.dim, dt, th { color: var(--dim); font-size: .9rem }
ul, ol { margin: .35rem 0; padding-left: 1.2rem } .plain { list-style: none; padding: 0; margin: 0 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .75rem; align-items: baseline; margin: .5rem 0 0 } dd { margin: 0 }
nav a, .tap { display: inline-flex; align-items: center; min-width: 2.75rem; min-height: 2.75rem }
.reach { padding: .9rem 0 }
.card { position: relative } .card .tap { margin: -.5rem 0 } .card .tap::after { content: ''; position: absolute; inset: 0 }
.names { display: flex; flex-wrap: wrap; gap: .1rem 1rem }
button { font: inherit; font-weight: 700; width: 100%; min-height: 3.25rem; margin: .5rem 0; border: 0; border-radius: 8px; cursor: pointer; background: var(--link); color: var(--back) }
summary { cursor: pointer; padding: .65rem 0; color: var(--link) }
pre { font: .82rem/1.45 ui-monospace, monospace; background: var(--back); border: 1px solid var(--line); border-radius: 6px; padding: .4rem .6rem; margin: .35rem 0; white-space: pre-wrap }
table { width: 100%; border-collapse: collapse } th { text-align: left; font-weight: 600 } th, td { padding: .3rem .75rem .3rem 0; vertical-align: top; border-top: 1px solid var(--line) }
th:first-child, td:first-child { white-space: nowrap }
`

/** `2026-11-23 06:32:05 UTC` */
export const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** `1 h 5 min`, `12 s` */
export const span = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** Text for a narrow page: no line ends between a figure and its unit. */
export const whole = (text: string): string => text.replace(/(?<=\d) (?=(?:%|ms|s|min|h|d|UTC)(?!\w))/g, '\u00a0')

/** How long, in one piece. */
export const lasting = (ms: number): string => span(ms).replaceAll(' ', '\u00a0')

/** A moment in UTC that machines can read too; with `nowMs`, how long ago it was. */
export const moment = (ms: number, nowMs?: number): Markup =>
  html`<time datetime="${new Date(ms).toISOString()}">${whole(utc(ms))}</time>${nowMs === undefined ? '' : ` (${lasting(nowMs - ms)} ago)`}`

/** `84 %`; never 100, for it is a score of evidence, and evidence is not proof. */
export const likelihood = (score: number): string =>
  Number.isNaN(score) ? '? %' : `${Math.min(99, Math.round(Math.max(0, score) * 100))} %`

const isWeb = (text: string) => /^https?:\/\/[^\s]+$/.test(text)

/** An address as a link that a thumb can hit; anything that is no web or mail address stays text. */
export const linked = (text: string): Markup => {
  if (isWeb(text)) return html`<a class="tap" href="${text}">${text}</a>`
  return /^[^\s@:/]+@[^\s@:/]+$/.test(text) ? html`<a class="tap" href="mailto:${text}">${text}</a>` : html`${text}`
}

export type PageHead = {
  title: string
  /** When the page was made; it says so at its end, since nothing on it moves by itself. */
  atMs: number
  /** Reloads by itself after that many seconds. */
  refreshSeconds?: number
  /** Rules besides those that every page has. */
  style?: string
  /** Where else to go: address and words. */
  links?: readonly (readonly [href: string, words: string])[]
}

/** A whole document; it loads nothing from anywhere, so it shows even when everything else is down. */
export const page = ({ title, atMs, refreshSeconds, style: more = '', links = [] }: PageHead, body: Markup): string =>
  `${html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refreshSeconds === undefined ? '' : html`<meta http-equiv="refresh" content="${refreshSeconds}">`}
<title>${title}</title>
<style>${raw(style + more)}</style>
</head>
<body>
${links.length === 0 ? '' : html`<nav aria-label="Pages">${links.map(([href, words]) => html`<a href="${href}">${words}</a>`)}</nav>`}
<main>${body}</main>
<footer class="dim">As of ${moment(atMs)}${refreshSeconds === undefined ? '' : `, reloads every ${lasting(refreshSeconds * 1000)}`}</footer>
</body>
</html>
`}`
