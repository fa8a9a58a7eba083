import { html, raw } from 'hono/html'

/** What `html` of hono gives: text whose insertions are escaped. */
export type Markup = ReturnType<typeof html>

const style = `
:root { color-scheme: light dark; --ink: #1c2024; --dim: #60646c; --line: #d9d9e0; --ok: #18794e; --bad: #ce2c31; --warn: #9e6c00; --unknown: #60646c; --panel: #fff; --back: #f7f7f9 }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --dim: #b0b4ba; --line: #363a3f; --ok: #3dd68c; --bad: #ff9592; --warn: #ffca16; --unknown: #b0b4ba; --panel: #1c1d20; --back: #111113 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 46rem; margin: 0 auto; padding: 1.25rem 1rem 3rem }
h1 { font-size: 1.35rem; line-height: 1.3; margin: .5rem 0 } h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; padding: .6rem .9rem }
.row { display: flex; gap: .75rem; justify-content: space-between; align-items: baseline; flex-wrap: wrap }
.mark { font-weight: 600; white-space: nowrap } .ok { color: var(--ok) } .bad { color: var(--bad) } .suspicious { color: var(--warn) } .unknown { color: var(--unknown) }
.dim { color: var(--dim); font-size: .9rem } ul { margin: .35rem 0; padding-left: 1.2rem } li, p, pre, h1 { overflow-wrap: anywhere }
pre { background: var(--back); border: 1px solid var(--line); border-radius: 6px; padding: .4rem .6rem; margin: .35rem 0; white-space: pre-wrap; font-size: .82rem }
a { color: inherit } table { width: 100%; border-collapse: collapse } td { padding: .2rem .5rem .2rem 0; vertical-align: top; border-top: 1px solid var(--line); overflow-wrap: anywhere }
`

/** `2026-11-23 06:32:05 UTC` */
export const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** `1 h 5 min`, `12 s` */
export const span = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A whole document; it loads nothing from anywhere, so it shows even when everything else is down. */
export const page = (head: { title: string; refreshSeconds?: number }, body: Markup): string =>
  `${html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${head.refreshSeconds === undefined ? '' : html`<meta http-equiv="refresh" content="${head.refreshSeconds}">`}
<title>${head.title}</title>
<style>${raw(style)}</style>
</head>
<body><main>${body}</main></body>
</html>
`}`
