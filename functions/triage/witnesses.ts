import type { Reading, Sample, Scrape } from '../../sources/contract.ts'
import type { Testimony } from '../../triage/contract.ts'
import { type KindWindow, seriesKey, type Window } from '../window.ts'

const combine = (scrapes: readonly Scrape[]): Scrape => {
  const incomplete = scrapes.map((scrape) => scrape.incomplete).find((why) => why !== undefined)
  return {
    atMs: Math.max(...scrapes.map(({ atMs }) => atMs)),
    samples: scrapes.flatMap(({ samples }) => samples),
    bytes: scrapes.reduce((sum, { bytes }) => sum + bytes, 0),
    seriesSeen: scrapes.reduce((sum, { seriesSeen }) => sum + seriesSeen, 0),
    ...(incomplete === undefined ? {} : { incomplete }),
  }
}

/** Series the window knows and a whole reading of now lacks, each with its last value. */
const goneSince = (now: Scrape, past: KindWindow): Sample[] => {
  const there = new Set(now.samples.map(seriesKey))
  return Object.entries(past.series).flatMap(([key, { name, labels, points }]) => {
    const last = points.at(-1)
    return there.has(key) || !last ? [] : [{ name, labels, value: last[1], timestampMs: last[0] }]
  })
}

/**
 * What the sources of one kind say now, together with what the window remembers. One source of several that cannot be
 * read makes the testimony incomplete; all of them make it unreadable.
 */
export const testify = (
  kind: string,
  readings: readonly Reading<Scrape>[],
  window: Window | undefined,
): Reading<Testimony> => {
  const read = readings.flatMap((reading) => (reading.status === 'read' ? [reading.value] : []))
  const unread = readings.flatMap((reading) => (reading.status === 'unreadable' ? [reading.why] : []))
  if (readings.length === 0) return { status: 'unreadable', why: `no ${kind} source is configured for this cluster` }
  if (read.length === 0) return { status: 'unreadable', why: unread.join('; ') }
  const now = combine(read)
  const past = window?.kinds[kind]
  const before = (sample: Sample) =>
    (past?.series[seriesKey(sample)]?.points ?? [])
      .filter(([atMs]) => atMs < now.atMs)
      .map(([atMs, value]) => ({ atMs, value }))
  const windowFromMs = past?.readAtMs[0]
  const incomplete = now.incomplete ?? unread[0]
  return {
    status: 'read',
    value: {
      atMs: now.atMs,
      samples: now.samples,
      before,
      ...(past && incomplete === undefined ? { gone: goneSince(now, past) } : {}),
      ...(incomplete === undefined ? {} : { incomplete }),
      ...(windowFromMs === undefined ? {} : { windowFromMs }),
    },
  }
}

/** Asks once, whoever asks: questions that run side by side share the answer. */
export const once = <T>(ask: (key: string) => Promise<T>): ((key: string) => Promise<T>) => {
  const asked = new Map<string, Promise<T>>()
  return (key) => {
    const known = asked.get(key)
    if (known) return known
    const answer = ask(key)
    asked.set(key, answer)
    return answer
  }
}
