import type { ConfigPath } from './issues.ts'
import { looksSecret } from './secrecy.ts'

/** What a person wrote, as far as it may be told: short plain words and numbers, never a value that may be secret. */
export const seen = (value: unknown, path: ConfigPath): string => {
  const hidden = path.some((part) => typeof part === 'string' && looksSecret(part))
  if (value === undefined) return 'nothing'
  if (value === null) return 'nothing (null)'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  switch (typeof value) {
    case 'number':
    case 'boolean':
      return hidden ? `a ${typeof value}` : String(value)
    case 'string':
      if (value === '') return 'an empty text'
      return !hidden && /^[A-Za-z0-9][A-Za-z0-9 _.-]{0,31}$/.test(value) ? `"${value}"` : 'a text'
    case 'object':
      return value instanceof Date ? 'a Date' : 'a map'
    default:
      return `a ${typeof value}`
  }
}

const unitSeconds: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  sec: 1,
  secs: 1,
  second: 1,
  seconds: 1,
  m: 60,
  min: 60,
  mins: 60,
  minute: 60,
  minutes: 60,
  h: 3600,
  hour: 3600,
  hours: 3600,
  d: 86_400,
  day: 86_400,
  days: 86_400,
}

/** How to write a number that was written as a text: `"60"` or, where seconds are meant, `1m`. */
export const numberHint = (value: unknown, path: ConfigPath): string | undefined => {
  const [, digits, unit = ''] =
    typeof value === 'string' ? (/^\s*(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]*)\s*$/i.exec(value) ?? []) : []
  if (digits === undefined) return undefined
  const key = path.findLast((part) => typeof part === 'string') ?? ''
  if (unit === '')
    return looksSecret(`${key}`) ? 'write the number without quotes' : `write ${Number(digits)} without quotes`
  const factor = unitSeconds[unit.toLowerCase()]
  if (factor === undefined || looksSecret(`${key}`)) return undefined
  const seconds = Number((Number(digits) * factor).toFixed(3))
  if (/seconds$/i.test(`${key}`)) return `write ${seconds} (seconds, without a unit)`
  return /ms$/i.test(`${key}`) ? `write ${Math.round(seconds * 1000)} (milliseconds, without a unit)` : undefined
}

/** How to write what was meant by a value of the wrong type, where that can be told. */
export const typeHint = (expected: string, value: unknown, path: ConfigPath): string | undefined => {
  if (value === null) {
    const empty = expected.startsWith('a map') ? '{}' : expected === 'a list' ? '[]' : undefined
    return empty ? `write ${empty} for an empty one` : 'give it a value or leave the key out'
  }
  if (/^a (whole )?number/.test(expected)) return numberHint(value, path)
  if (expected === 'true or false' && typeof value === 'string') {
    if (/^(yes|on|y|true)$/i.test(value)) return 'write true'
    return /^(no|off|n|false)$/i.test(value) ? 'write false' : undefined
  }
  const simple = typeof value === 'number' || typeof value === 'boolean'
  if (expected === 'text' && simple) {
    const shown = seen(value, path)
    return shown === String(value) ? `put quotes around it: "${shown}"` : 'put quotes around it'
  }
  if (expected === 'a list' && typeof value === 'string') {
    const shown = seen(value, path)
    return shown.startsWith('"') && shown !== '""' ? `write [${shown.slice(1, -1)}]` : 'put it in [ ]'
  }
  if (expected === 'a list' && value !== null && typeof value === 'object') return 'start each entry with a dash'
  if (expected.startsWith('a map') && typeof value === 'string' && /^[\w-]+:\S/.test(value)) {
    return 'put a space behind the colon'
  }
  if (expected.startsWith('a map') && Array.isArray(value)) return 'write name: entry for each, without dashes'
  return undefined
}
