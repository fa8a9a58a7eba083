import { atEnd, codeAt, fault, follows, type LineCursor, readPlainName, readQuoted } from './line-cursor.ts'
import type { ExpositionForm } from './number.ts'
import type { LineFault } from './problem.ts'

const metricTypes = [
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
  'unknown',
] as const
export type MetricType = (typeof metricTypes)[number]

/** What a line beginning with # says. `other`: a comment for people. */
export type CommentLine =
  | { says: 'help'; name: string; text: string }
  | { says: 'type'; name: string; type: MetricType }
  | { says: 'unit'; name: string; unit: string }
  | { says: 'end' }
  | { says: 'other' }

const quote = 0x22
const keywords = { HELP: 'help', TYPE: 'type', UNIT: 'unit' } as const

const typeOf = (word: string, form: ExpositionForm): MetricType | undefined => {
  if (form === 'text' && word === 'untyped') return 'unknown'
  return metricTypes.find((type) => type === word)
}

const unescapeHelp = (text: string, form: ExpositionForm): string =>
  text.replace(form === 'text' ? /\\([\\n])/g : /\\([\\n"])/g, (_, character: string) =>
    character === 'n' ? '\n' : character,
  )

const isUnit = (name: string, unit: string): boolean =>
  unit === '' || (/^[a-zA-Z0-9_:]+$/.test(unit) && name.endsWith(`_${unit}`))

/** Behind the keyword: the family's name, a space, the text. */
const readHeader = (cursor: LineCursor, says: 'help' | 'type' | 'unit'): CommentLine | undefined => {
  const name = codeAt(cursor) === quote ? readQuoted(cursor, 'a quoted name') : readPlainName(cursor, 'metric')
  if (name === undefined || name === '') return fault(cursor, 'a metric name')
  const isText = cursor.form === 'text'
  if (!(isText && atEnd(cursor)) && !follows(cursor, ' ') && !(isText && follows(cursor, '\t'))) {
    return fault(cursor, `a space and the ${says} after the name`)
  }
  const start = Math.min(cursor.at + 1, cursor.text.length)
  const rest = cursor.text.slice(start)
  if (says === 'help') return { says, name, text: unescapeHelp(rest, cursor.form) }
  if (says === 'unit') {
    if (!isUnit(name, rest)) return fault(cursor, 'a unit that ends the name, behind a "_"', start)
    return { says, name, unit: rest }
  }
  const type = typeOf(isText ? rest.replace(/^[ \t]+/, '') : rest, cursor.form)
  if (type === undefined) return fault(cursor, 'a metric type', start)
  return { says, name, type }
}

const textHeader = /^#[ \t]+(HELP|TYPE)[ \t]+/
const openMetricsHeader = /^# (HELP|TYPE|UNIT) /

/**
 * Reads a line that begins with #. In the text format everything but HELP and TYPE is a comment; OpenMetrics knows no
 * comments, and its quoted names may hold UTF-8.
 */
export const parseComment = (text: string, form: ExpositionForm): CommentLine | LineFault => {
  if (form === 'openmetrics' && text === '# EOF') return { says: 'end' }
  const header = (form === 'text' ? textHeader : openMetricsHeader).exec(text)
  const keyword = header?.[1]
  if (header === null || (keyword !== 'HELP' && keyword !== 'TYPE' && keyword !== 'UNIT')) {
    if (form === 'text') return { says: 'other' }
    return { at: 0, expected: '"# HELP ", "# TYPE ", "# UNIT " or "# EOF"' }
  }
  const cursor: LineCursor = { text, at: header[0].length, form, fault: undefined }
  const comment = readHeader(cursor, keywords[keyword])
  return comment ?? cursor.fault ?? { says: 'other' }
}
