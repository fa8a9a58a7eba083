import { stripVTControlCharacters } from 'node:util'
import { isUnread, type Output, OutputLost, writeLines } from './terminal.ts'

/** `since`: how long it has been so; left out where a single look was taken. */
export type Row = { monitor: string; verdict: string; took: string; since?: string; cause: string }
export type Screen = { width: number; colour: boolean }

const marks: Record<string, string> = { pass: '✓', degraded: '▲', fail: '✕', unknown: '?' }
const colours: Record<string, string> = { pass: '32', degraded: '33', fail: '31', unknown: '90' }

/** Narrower than this, a row has room for one thing behind the verdict: the cause, or how long a good look took. */
const roomyColumns = 64

const plain = (text: string) => stripVTControlCharacters(text).replaceAll(/\p{Cc}/gu, ' ')

/** One harmless line of at most `width` characters. */
export const cut = (text: string, width: number): string => {
  const line = plain(text)
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`
}

const painted = (text: string, verdict: string, { colour }: Screen) =>
  colour ? `\u001b[${colours[verdict] ?? '90'}m${text}\u001b[0m` : text

type Columns = { name: number; since: number; roomy: boolean }

const columnsFor = (rows: readonly Row[], { width }: Screen): Columns => ({
  name: Math.min(28, Math.max(1, width - 22), Math.max(8, ...rows.map(({ monitor }) => monitor.length))),
  since: Math.max(0, ...rows.map(({ since }) => since?.length ?? 0)),
  roomy: width >= roomyColumns,
})

const rowLine = (row: Row, columns: Columns, screen: Screen): string => {
  const { verdict, took, since = '', cause } = row
  const sign = `${marks[verdict] ?? '·'} ${verdict.padEnd(8)}`
  const start = `${cut(row.monitor, columns.name).padEnd(columns.name)}  `
  const cells = columns.roomy
    ? [took.padStart(8), ...(columns.since > 0 ? [since.padEnd(columns.since)] : []), cause]
    : [cause === '' ? took : cause]
  const room = screen.width - start.length - sign.length - 2
  const detail = room < 4 ? '' : `  ${cut(cells.join('  '), room)}`
  return `${start}${painted(sign, verdict, screen)}${detail}`.trimEnd()
}

/** The table as lines that fit the terminal; colour only where asked for, and never the only sign. */
export const tableLines = (rows: readonly Row[], screen: Screen): string[] => {
  const columns = columnsFor(rows, screen)
  return rows.map((row) => rowLine(row, columns, screen))
}

const passes = ({ verdict }: Row) => verdict === 'pass'

/** The live table: what is wrong right now at a glance, in at most `height` lines; what passes gives way first. */
export const liveLines = (
  seen: { rows: readonly Row[]; incidents: readonly string[] },
  screen: Screen & { height: number },
): string[] => {
  const columns = columnsFor(seen.rows, screen)
  const shownIncidents = seen.incidents.slice(0, Math.max(1, Math.floor(screen.height / 3)))
  const unshown = seen.incidents.length - shownIncidents.length
  const incidents = [
    ...shownIncidents.map((text) => painted(cut(`✕ ${text}`, screen.width), 'fail', screen)),
    ...(unshown > 0 ? [cut(`… and ${unshown} more incidents`, screen.width)] : []),
  ]
  const room = Math.max(1, screen.height - incidents.length - 2)
  const fits = seen.rows.length <= room
  const sorted = fits ? seen.rows : [...seen.rows].sort((a, b) => Number(passes(a)) - Number(passes(b)))
  const rows = fits ? sorted : sorted.slice(0, Math.max(1, room - 1))
  return [
    '',
    ...rows.map((row) => rowLine(row, columns, screen)),
    ...(fits ? [] : [`… and ${seen.rows.length - rows.length} more monitors`]),
    ...(incidents.length > 0 ? incidents : ['no open incidents']),
  ].slice(0, Math.max(1, screen.height))
}

/** Pages that wait for their turn, each with what it says. */
const waitingLimit = 50

/**
 * A table that is redrawn in place at the bottom of a terminal; what is printed meanwhile scrolls by above it. On
 * anything but a terminal only what is printed appears. While nobody reads, nothing is drawn, and what is printed waits.
 */
export const liveTable = (out: Output, rows: () => readonly string[]) => {
  let drawn = 0
  let waiting = 0
  let turn: Promise<unknown> = Promise.resolve()
  /** What removes the table that is there. */
  const erasure = () => {
    const lines = drawn
    drawn = 0
    return lines > 0 ? `\u001b[${lines}A\u001b[0J` : ''
  }
  const frame = () => {
    const lines = out.isTTY ? rows().slice(0, Math.max(1, (out.rows ?? 24) - 2)) : []
    drawn = lines.length
    return lines.map((line) => `${line}\n`).join('')
  }
  const clear = () => {
    if (drawn > 0 && !isUnread(out)) out.write(erasure())
  }
  const draw = () => {
    if (out.isTTY && !isUnread(out)) out.write(erasure() + frame())
  }
  const printInTurn = async (text: string, signal: AbortSignal | undefined) => {
    signal?.throwIfAborted()
    await writeLines(out, `${erasure()}${text.trimEnd()}\n${frame()}`)
  }
  return {
    draw,
    clear,
    /** Resolves when the system has taken the text; throws {@link OutputLost}, or what `signal` says when it fires. */
    print: async (text: string, signal?: AbortSignal): Promise<void> => {
      if (waiting >= waitingLimit) throw new OutputLost('nobody reads the output')
      const begin = () => printInTurn(text, signal)
      const begun = waiting === 0 ? begin() : turn.then(begin)
      waiting++
      const printed = begun.finally(() => waiting--)
      turn = printed.catch(() => undefined)
      const { promise: over, reject } = Promise.withResolvers<never>()
      const onAbort = () => reject(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      try {
        await Promise.race([printed, over])
      } finally {
        signal?.removeEventListener('abort', onAbort)
      }
    },
  }
}
