import type { Labels } from './exposition-writer.ts'

export type LogEntry = {
  /** Nanoseconds since 1970, unique and rising in the order of writing for the same millisecond. */
  atNs: bigint
  line: string
  /** What streams are selected by. */
  labels: Labels
  /** Loki finds this by itself and adds it to what it answers. */
  level: 'error' | 'warn' | 'unknown'
}

export type LogStore = {
  write: (entry: { atMs: number; line: string; labels: Labels }) => void
  /** Entries with `startNs <= atNs < endNs`, oldest first. */
  between: (startNs: bigint, endNs: bigint) => LogEntry[]
}

const limitLines = 50_000
const limitLineLength = 8_192

const levelOf = (line: string): LogEntry['level'] => {
  if (/\b(error|err)\b/i.test(line)) return 'error'
  return /\bwarn(ing)?\b/i.test(line) ? 'warn' : 'unknown'
}

/** Keeps the newest lines that were written. */
export const logStore = (): LogStore => {
  let entries: LogEntry[] = []
  let sequence = 0n
  let latestMs = Number.NaN
  return {
    write: ({ atMs, line, labels }) => {
      const wholeMs = Math.floor(atMs)
      sequence = wholeMs === latestMs ? sequence + 1n : 0n
      latestMs = wholeMs
      const atNs = BigInt(wholeMs) * 1_000_000n + sequence
      entries.push({ atNs, line: line.slice(0, limitLineLength), labels, level: levelOf(line) })
      if (entries.length > limitLines * 1.1) entries = entries.slice(-limitLines)
    },
    between: (startNs, endNs) =>
      entries
        .filter(({ atNs }) => atNs >= startNs && atNs < endNs)
        .sort((a, b) => (a.atNs < b.atNs ? -1 : a.atNs > b.atNs ? 1 : 0)),
  }
}
