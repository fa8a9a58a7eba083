/**
 * `text`: 0.0.4, timestamps are whole milliseconds. `openmetrics`: 1.0, timestamps are seconds with a fraction, and
 * the exposition must end in `# EOF`.
 */
export type ExpositionForm = 'text' | 'openmetrics'

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const special = new Map([
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['+inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
  ['+infinity', Number.POSITIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
])
const zero = 0x30
const nine = 0x39
/** So many digits are exact in a double whatever they are. */
const exactDigits = 15

const wholeNumber = (token: string): number => {
  let value = 0
  for (let at = 0; at < token.length; at++) {
    const code = token.charCodeAt(at)
    if (code < zero || code > nine) return -1
    value = value * 10 + (code - zero)
  }
  return value
}

/**
 * A sample's value, with the grammar Prometheus accepts: Go's ParseFloat as it was before Go 1.13, so neither hex
 * floats nor underscores, and a number too large for a double is an error, not infinity.
 */
export const parseValue = (token: string): number | undefined => {
  if (token.length > 0 && token.length <= exactDigits) {
    const whole = wholeNumber(token)
    if (whole >= 0) return whole
  }
  if (!decimal.test(token)) return special.get(token.toLowerCase())
  const value = Number(token)
  return Number.isFinite(value) ? value : undefined
}

/** A sample's own time in milliseconds. */
export const parseTimestampMs = (token: string, form: ExpositionForm): number | undefined => {
  if (form === 'text') return /^-?\d{1,19}$/.test(token) ? Number(token) : undefined
  if (!decimal.test(token)) return undefined
  const ms = Math.round(Number(token) * 1000)
  return Number.isFinite(ms) ? ms : undefined
}
