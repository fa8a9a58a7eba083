const clocks = new Map<string, Intl.DateTimeFormat>()

const clockOf = (timeZone: string): Intl.DateTimeFormat => {
  const known = clocks.get(timeZone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'long',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  clocks.set(timeZone, made)
  return made
}

type Shown = { weekday: string; year: number; month: number; day: number; hour: number; minute: number; second: number }

const shownBy = (timeZone: string, atMs: number): Shown => {
  const parts = clockOf(timeZone).formatToParts(atMs)
  const text = (type: Intl.DateTimeFormatPartTypes) => parts.find((part) => part.type === type)?.value ?? ''
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(text(type))
  return {
    weekday: text('weekday'),
    year: number('year'),
    month: number('month'),
    day: number('day'),
    hour: number('hour'),
    minute: number('minute'),
    second: number('second'),
  }
}

/** How far the clocks of a place are ahead of UTC. */
const offsetMs = (timeZone: string, atMs: number): number => {
  const { year, month, day, hour, minute, second } = shownBy(timeZone, atMs)
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000
}

/** When the clocks there show midnight on the first of a month (or the first time after it that they show). */
const monthStartMs = (timeZone: string, year: number, monthIndex: number): number => {
  const shownMs = Date.UTC(year, monthIndex, 1)
  const guessMs = shownMs - offsetMs(timeZone, shownMs)
  const startMs = shownMs - offsetMs(timeZone, guessMs)
  // Clocks that skip midnight show the month before it, and the first time after it at the guess.
  return offsetMs(timeZone, startMs) === offsetMs(timeZone, guessMs) ? startMs : Math.max(startMs, guessMs)
}

type Month = { fromMs: number; toMs: number }
const months = new Map<string, Month>()

/** The calendar month a moment is in, on the clocks of a place. */
export const monthOf = (timeZone: string, nowMs: number): Month => {
  const last = months.get(timeZone)
  if (last && nowMs >= last.fromMs && nowMs < last.toMs) return last
  const { year, month } = shownBy(timeZone, nowMs)
  const found = { fromMs: monthStartMs(timeZone, year, month - 1), toMs: monthStartMs(timeZone, year, month) }
  months.set(timeZone, found)
  return found
}

const names = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October']
const monthNames = [...names, 'November', 'December']
const two = (value: number) => String(value).padStart(2, '0')
const withinWeekMs = 6 * 86_400_000

/** `Tuesday 09:40 UTC` within a week, `14 December 09:40 UTC` later. */
export const dayWords = (timeZone: string, atMs: number, nowMs: number): string => {
  const { weekday, year, month, day, hour, minute } = shownBy(timeZone, atMs)
  const date = `${day} ${monthNames[month - 1]}${shownBy(timeZone, nowMs).year === year ? '' : ` ${year}`}`
  return `${atMs - nowMs < withinWeekMs ? weekday : date} ${two(hour)}:${two(minute)} ${timeZone}`
}
