import { excerpt } from './excerpt.ts'
import { showsSecret } from './secrecy.ts'

/** Where something stands in a config: keys and list indexes from the top. */
export type ConfigPath = readonly (string | number)[]

/** One thing wrong with a config, or worth a second look. It never holds the value of anything that looks secret. */
export type ConfigIssue = {
  severity: 'error' | 'warning'
  /** Stable, for scripts: `unknown-key`, `missing-key`, `unknown-monitor`, … */
  code: string
  /** As the path was given. */
  file: string
  /** From 1; absent for a config written as a module, and for what concerns the whole file. */
  line?: number
  /** From 1, in UTF-16 units. */
  column?: number
  /** Like `monitors.vote.assert.status`; empty for the whole file. */
  path: string
  /** What is wrong and what was expected. */
  message: string
  hint?: string
}

/** An issue before it has a place. `at` says what the caret should point at. */
export type Finding = Pick<ConfigIssue, 'severity' | 'code' | 'message' | 'hint'> & {
  path: ConfigPath
  at: 'key' | 'value'
  /** Where it stands, when the path alone does not say so. */
  place?: { line: number; column?: number }
}

/** Where a path stands in its file; undefined when the file has no lines to speak of. */
export type Locate = (path: ConfigPath, at: Finding['at']) => { line: number; column: number } | undefined

/** Beyond this a list of mistakes helps nobody. */
export const issueLimit = 500

const plainKey = /^[\p{L}\p{N}_$][\p{L}\p{N}_$/-]*$/u

/** `['routes', 0, 'channels']` → `routes[0].channels`. */
export const pathText = (path: ConfigPath): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    // `{ token:abc }` without a space makes a key of both.
    if (showsSecret(part)) return `${text}["…"]`
    if (!plainKey.test(part)) return `${text}[${JSON.stringify(part)}]`
    return text === '' ? part : `${text}.${part}`
  }, '')

/** Gives findings their places: sorted by position, each one once, at most {@link issueLimit}. */
export const placeFindings = (findings: readonly Finding[], file: string, locate: Locate): ConfigIssue[] => {
  const issues = findings.map(
    ({ severity, code, message, path, at, hint, place }): ConfigIssue => ({
      severity,
      code,
      file,
      ...(place ?? locate(path, at)),
      path: pathText(path),
      message,
      ...(hint === undefined ? {} : { hint }),
    }),
  )
  const once = new Map(issues.map((issue) => [`${issue.line}:${issue.column} ${issue.path} ${issue.message}`, issue]))
  const sorted = [...once.values()].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0) || a.path.localeCompare(b.path, 'en'),
  )
  if (sorted.length <= issueLimit) return sorted
  const message = `${sorted.length - issueLimit} more issues are not listed`
  const more: ConfigIssue = { severity: 'error', code: 'too-many-issues', file, path: '', message }
  return [...sorted.slice(0, issueLimit), more]
}

/** A config is hostile until read: no escape sequence of it may reach a terminal. */
const printable = (text: string) =>
  text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the point.
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** Breaks a text at spaces; the first line keeps what it is indented by, the others get `indent`. */
const wrap = (text: string, columns: number, indent: string): string => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/(?<=\S) +/)) {
    if (line.trim() !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = `${indent}${word}`
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}

/**
 * An issue as every command prints it: place, path and message on the first line, then hint and source line with a
 * caret. Given `columns`, text wraps and the source line is cut to that width; without them nothing wraps.
 */
export const issueText = (issue: ConfigIssue, source?: string, columns?: number): string => {
  const place = [issue.file, issue.line, issue.column].filter((part) => part !== undefined).join(':')
  const subject = issue.path === '' ? place : `${place} ${issue.path}`
  const sign = issue.severity === 'warning' ? 'warning: ' : ''
  const width = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(columns, 20)
  const head = wrap(printable(`${subject}: ${sign}${issue.message}`), width, '    ')
  const hint = issue.hint === undefined ? [] : [wrap(printable(`    hint: ${issue.hint}`), width, '      ')]
  const shown = source === undefined ? undefined : excerpt(issue, source, Math.min(width, 120))
  return [head, ...hint, ...(shown === undefined ? [] : [printable(shown)])].join('\n')
}
