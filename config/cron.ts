import { Cron } from 'croner'

/**
 * Moments that a crontab(5) line with five fields names on the clocks of a place. When the clocks change, as Vixie cron
 * has it: a fixed time that is skipped happens when the skipped hour is over, a fixed time that comes twice happens the
 * first time; only what has a `*` or a step in its hours goes by the clocks alone.
 */
export type Schedule = {
  /** The latest of its moments that is not after `nowMs`. */
  latest: (nowMs: number) => number | undefined
  /** The next `count` of its moments after `nowMs`; none when there is none in the next decades. */
  next: (count: number, nowMs: number) => number[]
}

// `*`, `*/20` and `10-30/5` as lists; anything else as it is.
const listed = (minutes: string): string => {
  const found = /^(?:\*|(\d+)-(\d+))(?:\/(\d+))?$/.exec(minutes)
  const [from, to, step] = [found?.[1] ?? 0, found?.[2] ?? 59, found?.[3] ?? 1].map(Number)
  if (!found || from === undefined || to === undefined || !step || to > 59 || from > to) return minutes
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, nth) => from + nth * step).join()
}

// Steps of minutes in fixed hours are fixed times too: in a night without a two o'clock `*/20 2 * * *` would lose them all.
const withFixedMinutes = (cron: string): string => {
  const [minutes = '', hours = '', ...days] = cron.trim().split(/\s+/)
  if (days.length !== 3 || /[*?/]/.test(hours)) return cron
  return [minutes.split(',').map(listed).join(), hours, ...days].join(' ')
}

/** Throws when `cron` is none. */
export const scheduleOf = (cron: string, timeZone: string): Schedule => {
  const job = new Cron(withFixedMinutes(cron), {
    timezone: timeZone,
    mode: '5-part',
    fixedTimeRule: 'no-wildcard',
    paused: true,
  })
  const times = (dates: readonly Date[]) => dates.map((date) => date.getTime())
  return {
    // Its own "previous" is before a moment, so one that is right now needs a moment later.
    latest: (nowMs) => times(job.previousRuns(1, new Date(nowMs + 1)))[0],
    next: (count, nowMs) => times(job.nextRuns(count, new Date(nowMs))),
  }
}
