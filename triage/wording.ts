/** What a source says may be no time at all, and a page must not fail for that. */
const instant = (atMs: number): string =>
  Math.abs(atMs) <= 8.64e15 ? new Date(atMs).toISOString() : 'an unreadable time'

/** `06:30:12 UTC`; on another day than `nowMs` the date stands before it. */
export const clock = (atMs: number, nowMs: number): string => {
  const [date = '', time] = instant(atMs).split('T')
  if (time === undefined) return date
  const today = instant(nowMs).startsWith(date)
  return `${today ? '' : `${date} `}${time.slice(0, 8)} UTC`
}

/** `2026-11-22`, in UTC. */
export const day = (atMs: number): string => instant(atMs).split('T')[0] ?? ''

/** `128Mi`, `1.5Gi`: the way Kubernetes writes memory. */
export const memory = (bytes: number): string => {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${Number(value.toFixed(1))}${units[unit]}`
}

/** `7 %`, `0.3 %`, and `> 99.9 %` rather than a false `100 %`. */
export const percent = (ratio: number): string => {
  const value = ratio * 100
  if (value > 99.9 && value < 100) return '> 99.9 %'
  if (value > 0 && value < 0.1) return '< 0.1 %'
  return `${Number(value.toFixed(value < 10 || value > 99 ? 1 : 0))} %`
}

/** `1 pod`, `3 pods`. */
export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

/** `a, b, c and 4 more`. */
export const list = (names: readonly string[], most = 4): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`

/** Milliseconds as a person says them: `4 s`, `12 min`, `3 h`, `2 days`. */
export const span = (ms: number): string => {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

/** A line of another program as it may be shown: no control characters, bounded. */
export const quoted = (line: string, most = 500): string => {
  const clean = line.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim()
  return clean.length <= most ? clean : `${clean.slice(0, most - 1)}…`
}
