import { stripVTControlCharacters } from 'node:util'

export type Row = { monitor: string; verdict: string; took: string; cause: string }

const marks: Record<string, string> = { pass: '✓', degraded: '▲', fail: '✕', unknown: '?' }
const colours: Record<string, string> = { pass: '32', degraded: '33', fail: '31', unknown: '90' }

const cut = (text: string, width: number) => {
  const plain = stripVTControlCharacters(text).replaceAll(/\p{Cc}/gu, ' ')
  return plain.length <= width ? plain.padEnd(width) : `${plain.slice(0, Math.max(0, width - 1))}…`
}

/** The table as lines that fit the terminal; colour only where asked for, and never the only sign. */
export const tableLines = (rows: readonly Row[], options: { width: number; colour: boolean }): string[] => {
  const nameWidth = Math.min(
    28,
    Math.max(1, options.width - 22),
    Math.max(8, ...rows.map(({ monitor }) => monitor.length)),
  )
  const causeWidth = Math.max(0, options.width - nameWidth - 24)
  return rows.map(({ monitor, verdict, took, cause }) => {
    const sign = `${marks[verdict] ?? '·'} ${verdict.padEnd(8)}`
    const shown = options.colour ? `\u001b[${colours[verdict] ?? '90'}m${sign}\u001b[0m` : sign
    return `${cut(monitor, nameWidth)}  ${shown}  ${took.padStart(8)}${causeWidth < 4 ? '' : `  ${cut(cause, causeWidth)}`}`.trimEnd()
  })
}

/**
 * A table that is redrawn in place at the bottom of a terminal; what is printed meanwhile scrolls by above it. On
 * anything but a terminal only what is printed appears.
 */
export const liveTable = (out: NodeJS.WriteStream, rows: () => readonly string[]) => {
  let drawn = 0
  const clear = () => {
    if (drawn > 0) out.write(`\u001b[${drawn}A\u001b[0J`)
    drawn = 0
  }
  const draw = () => {
    if (!out.isTTY) return
    clear()
    const lines = rows().slice(0, Math.max(1, (out.rows ?? 24) - 2))
    out.write(lines.map((line) => `${line}\n`).join(''))
    drawn = lines.length
  }
  return {
    draw,
    clear,
    print: (text: string) => {
      clear()
      out.write(text.endsWith('\n') ? text : `${text}\n`)
      draw()
    },
  }
}
