import type { Maintenance } from './contract.ts'
import { scheduleOf } from './cron.ts'
import type { ConfigPath, Finding } from './issues.ts'
import type { Config } from './schema.ts'

const error = (code: string, path: ConfigPath, message: string, hint?: string): Finding => ({
  severity: 'error',
  code,
  path,
  at: 'value',
  message,
  ...(hint === undefined ? {} : { hint }),
})

const ways = 'once: from and to; again and again: cron and durationSeconds'

/** Either both ends, or a cron line and how long; nothing of the other. */
const wrongTimes = (path: ConfigPath, window: Maintenance): Finding[] => {
  const { from, to, cron, durationSeconds, timeZone } = window
  const once = from !== undefined || to !== undefined
  if (once && cron !== undefined) {
    return [error('maintenance-times', [...path, 'cron'], 'a window is either once or by cron, not both', ways)]
  }
  if (once) {
    const foreign = Object.entries({ durationSeconds, timeZone }).filter(([, value]) => value !== undefined)
    const hint = 'remove it: from and to carry their offset and say how long'
    const missing = from === undefined ? 'from' : 'to'
    return [
      ...foreign.map(([key]) => error('maintenance-times', [...path, key], `${key} belongs to cron`, hint)),
      ...(from !== undefined && to !== undefined
        ? []
        : [error('missing-key', [...path, missing], `missing: a window that is once needs ${missing} as well`, ways)]),
    ]
  }
  if (cron === undefined) return [error('maintenance-times', path, 'missing: when is it?', ways)]
  if (durationSeconds !== undefined) return []
  return [error('missing-key', [...path, 'durationSeconds'], 'missing: how long does each one last?', ways)]
}

const reversed = (path: ConfigPath, { from, to }: Maintenance): Finding[] =>
  from === undefined || to === undefined || Date.parse(from) < Date.parse(to)
    ? []
    : [error('wrong-value', [...path, 'to'], `it ends (${to}) before it begins (${from})`, 'to must be after from')]

/** Any day will do: five fields name no year. */
const anyDayMs = Date.UTC(2026, 0, 1)
const lookedAt = 100

const wrongCron = (path: ConfigPath, { cron, durationSeconds = 0 }: Maintenance): Finding[] => {
  if (cron === undefined) return []
  const example = 'minute hour day month weekday, such as "0 22 * * sun": Sundays at 22:00'
  const at = [...path, 'cron']
  const fields = cron.trim().split(/\s+/).length
  // `@weekly` and the like are one field.
  if (fields !== 5 && !cron.startsWith('@')) {
    return [error('wrong-cron', at, `expected a crontab line of five fields, got ${fields}`, example)]
  }
  let starts: number[]
  try {
    // In UTC, where no change of the clocks brings two closer together.
    starts = scheduleOf(cron, 'UTC').next(lookedAt, anyDayMs)
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message.replace(/^CronPattern: /, '') : 'it cannot be read'
    return [error('wrong-cron', at, `expected a crontab line: ${reason}`, example)]
  }
  if (starts.length === 0) return [error('wrong-cron', at, 'it never begins: there is no such day', example)]
  const gaps = starts.slice(1).map((start, index) => (start - (starts[index] ?? start)) / 1000)
  const shortest = Math.min(...gaps)
  if (shortest > durationSeconds) return []
  const message = `it lasts ${durationSeconds} s and begins again after ${shortest} s: there must be a gap`
  return [
    error(
      'maintenance-overlaps',
      [...path, 'durationSeconds'],
      message,
      shortest > 120 ? `at most ${shortest - 60}, or begin it less often` : 'begin it less often',
    ),
  ]
}

const over = (path: ConfigPath, { to }: Maintenance, nowMs: number | undefined): Finding[] =>
  nowMs === undefined || to === undefined || Date.parse(to) > nowMs
    ? []
    : [
        {
          ...error('maintenance-over', path, `this window was over at ${to}`, 'remove it'),
          severity: 'warning',
          at: 'key',
        },
      ]

/** What is wrong with the times of maintenance windows. Whether one is over can only be said by who knows the time. */
export const maintenanceFindings = ({ maintenance }: Pick<Config, 'maintenance'>, nowMs?: number): Finding[] =>
  Object.entries(maintenance).flatMap(([name, window]) => {
    const path = ['maintenance', name]
    const wrong = wrongTimes(path, window)
    if (wrong.length > 0) return wrong
    return [...reversed(path, window), ...wrongCron(path, window), ...over(path, window, nowMs)]
  })
