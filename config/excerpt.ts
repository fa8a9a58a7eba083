import { mayShow } from './secrecy.ts'

const cut = '…'

/** The part of a line around `column` that fits `width`, and where the caret then stands (from 0). */
const window = (line: string, column: number, width: number) => {
  const at = column - 1
  if (line.length <= width) return { text: line, caret: at }
  const start = Math.max(0, Math.min(at - Math.floor(width / 2), line.length - width))
  const text = line.slice(start, start + width)
  const left = start > 0 ? `${cut}${text.slice(1)}` : text
  const both = start + width < line.length ? `${left.slice(0, -1)}${cut}` : left
  return { text: both, caret: at - start }
}

/** One column each: the caret must stand below what it means. */
const flat = (line: string) => line.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ').trimEnd()

/**
 * The source line an issue points at, with a caret under the column where that is known; undefined when there is no
 * such line or when it may hold a secret. `columns` is the width of the terminal.
 */
export const excerpt = (
  issue: { code: string; line?: number; column?: number },
  source: string,
  columns: number,
): string | undefined => {
  const { code, line, column } = issue
  if (line === undefined || code === 'literal-secret') return undefined
  const lines = source.split(/\r?\n/, line + 3)
  const raw = lines[line - 1]
  if (raw === undefined || raw.trim() === '' || !mayShow(lines, line - 1)) return undefined
  const gutter = `    ${line} | `
  const { text, caret } = window(flat(raw), column ?? 1, Math.max(columns - gutter.length, 12))
  if (column === undefined) return `${gutter}${text}`
  return `${gutter}${text}\n${' '.repeat(gutter.length - 2)}| ${' '.repeat(Math.max(caret, 0))}^`
}
