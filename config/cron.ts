import { Cron } from 'croner'

/**
 * Moments that a crontab(5) line with five fields names on the clocks of a place. When the clocks change, as Vixie cron
 * has it: a fixed time that is skipped happens when the skipped hour is over, a fixed time that comes twice happens the
 * first time; only what has a `*` or a step in its minutes or hours goes by the clocks alone.
 */
export type Schedule = {
  /** The latest of its moments that is not after `nowMs`. */
  latest: (nowMs: number) => number | undefined
  /** The next `count` of its moments after `nowMs`; none when there is none in the next decades. */
  next: (count: number, nowMs: number) => number[]
}

/** Throws when `cron` is none. */
export const scheduleOf = (cron: string, timeZone: string): Schedule => {
  const job = new Cron(cron, { timezone: timeZone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true })
  const times = (dates: readonly Date[]) => dates.map((date) => date.getTime())
  return {
    // Its own "previous" is before a moment, so one that is right now needs a moment later.
    latest: (nowMs) => times(job.previousRuns(1, new Date(nowMs + 1)))[0],
    next: (count, nowMs) => times(job.nextRuns(count, new Date(nowMs))),
  }
}
