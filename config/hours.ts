import type { Hours } from './contract.ts'

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
type Day = (typeof days)[number]

/** What the clocks of a place show: minutes since midnight there, and which day it is. */
export type WallClock = { day: Day; minutes: number }

/** Making a formatter costs a hundred times what using one costs, and a moment is asked about for every route. */
type Clock = { formatter: Intl.DateTimeFormat; last?: { minute: number; shown: WallClock } }
const clocks = new Map<string, Clock>()
const clocksKept = 200

const clockOf = (timeZone: string): Clock => {
  const known = clocks.get(timeZone)
  if (known) return known
  const options = { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  const made = { formatter: new Intl.DateTimeFormat('en-US', options) }
  if (clocks.size >= clocksKept) clocks.clear()
  clocks.set(timeZone, made)
  return made
}

/** What the clocks of `timeZone` show at a moment. */
export const wallClock = (timeZone: string, nowMs: number): WallClock => {
  const clock = clockOf(timeZone)
  const minute = Math.floor(nowMs / 60_000)
  if (clock.last?.minute === minute) return clock.last.shown
  const parts = clock.formatter.formatToParts(nowMs)
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? ''
  const day = days.find((name) => name === part('weekday').toLowerCase()) ?? 'mon'
  const shown = { day, minutes: Number(part('hour')) * 60 + Number(part('minute')) }
  clock.last = { minute, shown }
  return shown
}

/** `08:30` → 510. */
export const minutesOf = (timeOfDay: string): number => {
  const [hour = '0', minute = '0'] = timeOfDay.split(':')
  return Number(hour) * 60 + Number(minute)
}

const before = (day: Day): Day => days[(days.indexOf(day) + 6) % 7] ?? day

/**
 * Do the clocks there show a time from `from` to before `to`? When `to` is not after `from`, the hours run past midnight
 * and belong to the day they began. Only what the clocks show counts: hours within a skipped hour do not happen that
 * day, and those within a doubled hour last twice as long.
 */
export const isWithin = ({ timeZone, days: only, from, to }: Hours, nowMs: number): boolean => {
  const { day, minutes } = wallClock(timeZone, nowMs)
  const on = (one: Day) => only === undefined || only.includes(one)
  const [begin, end] = [minutesOf(from), minutesOf(to)]
  if (begin < end) return on(day) && minutes >= begin && minutes < end
  return (on(day) && minutes >= begin) || (on(before(day)) && minutes < end)
}

/** Is it within one of these hours? No hours at all is always. */
export const isWithinAny = (hours: readonly Hours[] | undefined, nowMs: number): boolean =>
  hours === undefined || hours.some((one) => isWithin(one, nowMs))
