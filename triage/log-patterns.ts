/**
 * Groups log lines that one statement of the program printed. Values that look like values (numbers, addresses, ids,
 * times) are masked first; then lines of equal length are split by the words they have in common, in the manner of
 * frequency trees: words that occur equally often in a position belong to one template, words much rarer than their
 * template are its values. No order of the lines changes the result.
 */
export type LogGroup = {
  /** The lines' common text with `<*>` where they differ. */
  template: string
  /** Indexes into the lines that were given, ascending. */
  members: number[]
}

/** More lines are not looked at; the caller gives the newest first. */
export const maxLines = 5_000
const maxLineLength = 1_000
const maxTokens = 120
/** A position with more different words than this, in lines otherwise alike, holds values. */
const maxBranches = 4

const any = '<*>'

const masks: readonly (readonly [RegExp, string])[] = [
  // Terminal colours.
  [new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), ''],
  // Dates and times, with or without a zone.
  [/\b\d{4}[-/]\d{2}[-/]\d{2}(?:[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?/g, any],
  [
    /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?: \d{1,2})? (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ \d:]*\d(?: [A-Z]{3,4})?(?: \d{4})?/g,
    any,
  ],
  [/\b\d{2}:\d{2}:\d{2}(?:[.,]\d+)?\b/g, any],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, any],
  [
    /(?<![a-z0-9.-])(?:[a-z0-9-]+\.)+(?:com|net|org|edu|gov|io|dev|local|internal|svc)(?:\.[a-z]{2})?(?::\d+)?\b/gi,
    any,
  ],
  [/(?<![a-z0-9+.-])(?:[a-z][a-z0-9+.-]*):\/\/[^\s"'<>)\]}]+/gi, any],
  [/(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?![\w.]*\w)/g, any],
  [/(?<![a-z0-9.-])(?=[a-z-]*\d)[a-z0-9-]+(?:\.[a-z0-9-]+){2,}(?::\d+)?\b/gi, any],
  [/(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?![\w:])/gi, any],
  [/\b0x[0-9a-f]+\b/gi, any],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b/gi, any],
]

/** Keys whose value says what happened; every other unquoted value after `=` is only a value. */
const tellingKeys = /^(?:level|lvl|severity|msg|message|err|error|reason|code|status|event|type)$/i
const keyAndValue = /(?<![\w.-])([A-Za-z_][\w.-]*)=([^\s"',;()[\]{}]+)/g
const numberWithUnit =
  /(?<![\w.-])[-+]?\d+(?:[.,]\d+){0,4}\s?(?:ns|us|µs|ms|s|m|min|h|d|B|bytes|[kKMGT]i?B|%)?(?![\w.])/g
const namedUser = /\b(for|invalid) user [^\s,;:]+/g

const separators = /[\s=,;()[\]{}"'|]+|:(?=\s|$)/
const holdsDigit = /\d/

const mask = (line: string): string =>
  masks
    .reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line.slice(0, maxLineLength))
    .replace(keyAndValue, (all, key: string) => (tellingKeys.test(key) ? all : `${key} ${any}`))
    .replace(namedUser, `$1 user ${any}`)
    .replace(numberWithUnit, any)

/** The line's words; what looks like a value is `<*>`, several in a row are one. */
const tokensOf = (line: string): string[] => {
  const tokens: string[] = []
  for (const word of mask(line).split(separators)) {
    if (word === '') continue
    const token = holdsDigit.test(word) || word.includes(any) ? any : word
    if (token !== any || tokens.at(-1) !== any) tokens.push(token)
    if (tokens.length >= maxTokens) break
  }
  return tokens
}

type Row = { index: number; tokens: readonly string[] }

const spot = (column: number, word: string) => `${column} ${word}`

const countSpots = (rows: readonly Row[]): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const { tokens } of rows)
    tokens.forEach((word, column) => {
      if (word !== any) counts.set(spot(column, word), (counts.get(spot(column, word)) ?? 0) + 1)
    })
  return counts
}

/** The columns of the largest set of this line's words that occur equally often; of equals the commoner ones. */
const rootColumns = ({ tokens }: Row, counts: ReadonlyMap<string, number>): number[] => {
  const byCount = new Map<number, number[]>()
  tokens.forEach((word, column) => {
    const count = counts.get(spot(column, word))
    if (count === undefined) return
    const columns = byCount.get(count)
    if (columns) columns.push(column)
    else byCount.set(count, [column])
  })
  const [best] = [...byCount].sort((a, b) => b[1].length - a[1].length || b[0] - a[0])
  return best?.[1] ?? []
}

const groupBy = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}

/** Splits rows by columns that hold few different words; a column with many holds values. */
const splitByBranches = (rows: readonly Row[], settled: ReadonlySet<number>): Row[][] => {
  const width = rows[0]?.tokens.length ?? 0
  let narrowest: { column: number; words: number } | undefined
  for (let column = 0; column < width; column += 1) {
    if (settled.has(column)) continue
    const words = new Set(rows.map(({ tokens }) => tokens[column])).size
    if (words > 1 && words <= maxBranches && words < (narrowest?.words ?? Infinity)) narrowest = { column, words }
  }
  if (!narrowest) return [[...rows]]
  const { column } = narrowest
  const next = new Set([...settled, column])
  return [...groupBy(rows, ({ tokens }) => tokens[column] ?? '').values()].flatMap((part) =>
    splitByBranches(part, next),
  )
}

const templateOf = (rows: readonly Row[]): string => {
  const [first, ...rest] = rows
  const words = (first?.tokens ?? []).map((word, column) =>
    rest.every(({ tokens }) => tokens[column] === word) ? word : any,
  )
  return words.join(' ').replaceAll(/<\*>(?: <\*>)+/g, any)
}

const splitByRoot = (rows: readonly Row[]): Row[][] => {
  const counts = countSpots(rows)
  const groups = groupBy(rows, (row) =>
    rootColumns(row, counts)
      .map((column) => spot(column, row.tokens[column] ?? ''))
      .join(' '),
  )
  return [...groups.values()].flatMap((group) => splitByBranches(group, new Set()))
}

/** Groups lines by template, the largest group first, of equals the one seen first. */
export const groupLines = (lines: readonly string[]): LogGroup[] => {
  const rows = lines.slice(0, maxLines).map((line, index): Row => ({ index, tokens: tokensOf(line) }))
  const byTemplate = new Map<string, number[]>()
  for (const sameLength of groupBy(rows, ({ tokens }) => String(tokens.length)).values())
    for (const group of splitByRoot(sameLength)) {
      const template = templateOf(group)
      const members = byTemplate.get(template) ?? []
      members.push(...group.map(({ index }) => index))
      byTemplate.set(template, members)
    }
  return [...byTemplate]
    .map(([template, members]) => ({ template, members: members.sort((a, b) => a - b) }))
    .sort((a, b) => b.members.length - a.members.length || (a.members[0] ?? 0) - (b.members[0] ?? 0))
}
