const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const dayMs = 86_400_000

/** A day, or a time of a day; `zone` is meant where none is said. No day that there is not, which `Date.parse` would move. */
const written = (text: string, zone: 'Z' | ''): number | undefined => {
  const [, day, time = '00:00', said = zone] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? []
  const dayStartMs = Date.parse(`${day}T00:00Z`)
  if (Number.isNaN(dayStartMs) || !new Date(dayStartMs).toISOString().startsWith(`${day}T`)) return undefined
  const atMs = Date.parse(`${day}T${time}${said}`)
  return Number.isNaN(atMs) ? undefined : atMs
}

/**
 * A moment as people write it on a command line: `2026-11-23T06:30Z` (UTC when no zone is said), `06:30` (UTC, the last
 * one there was) or `-15m` (seconds, minutes, hours, days ago). Undefined for anything else.
 */
export const momentOf = (text: string, nowMs: number): number | undefined => {
  const [, ago, unit] = /^-(\d{1,6})([smhd])$/.exec(text) ?? []
  if (ago !== undefined && unit !== undefined) return nowMs - Number(ago) * (units[unit] ?? 0)
  const [, hours, minutes] = /^(\d{1,2}):(\d\d)$/.exec(text) ?? []
  if (hours !== undefined && minutes !== undefined) {
    if (Number(hours) > 23 || Number(minutes) > 59) return undefined
    const atMs = Math.floor(nowMs / dayMs) * dayMs + (Number(hours) * 60 + Number(minutes)) * 60_000
    return atMs <= nowMs ? atMs : atMs - dayMs
  }
  return written(text, 'Z')
}

/** A moment as one writes it into a calendar: `2026-12-24T22:00`, of this place unless it says its zone. */
export const momentHere = (text: string): number | undefined => (/:/.test(text) ? written(text, '') : undefined)
