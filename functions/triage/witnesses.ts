import type { Reading, Sample, Scrape } from '../../sources/contract.ts'
import type { Testimony } from '../../triage/contract.ts'
import { seriesKey, seriesOfKind, type Window, type WindowSeries } from '../window.ts'

/** An exposition that has a series twice is a mistake of its target: as in Prometheus the first one counts. */
const withoutRepeats = ({ samples }: Scrape): Map<string, Sample> => {
  const first = new Map<string, Sample>()
  for (const sample of samples) {
    const key = seriesKey(sample)
    if (!first.has(key)) first.set(key, sample)
  }
  return first
}

const combine = (scrapes: readonly Scrape[]): Scrape & { keys: ReadonlySet<string> } => {
  const each = scrapes.map(withoutRepeats)
  const incomplete = scrapes.map((scrape) => scrape.incomplete).find((why) => why !== undefined)
  return {
    atMs: Math.max(...scrapes.map(({ atMs }) => atMs)),
    samples: each.flatMap((samples) => [...samples.values()]),
    keys: new Set(each.flatMap((samples) => [...samples.keys()])),
    bytes: scrapes.reduce((sum, { bytes }) => sum + bytes, 0),
    seriesSeen: scrapes.reduce((sum, { seriesSeen }) => sum + seriesSeen, 0),
    ...(incomplete === undefined ? {} : { incomplete }),
  }
}

type Past = ReadonlyMap<string, WindowSeries>

/** Series the window knows and a whole reading of now lacks, each with its last value. */
const goneSince = (there: ReadonlySet<string>, past: Past): Sample[] =>
  [...past].flatMap(([id, { name, labels, atMs, values }]) => {
    const [timestampMs, value] = [atMs.at(-1), values.at(-1)]
    return there.has(id) || timestampMs === undefined || value === undefined
      ? []
      : [{ name, labels, value, timestampMs }]
  })

/** Earlier values that can be compared: neither a counter nor a state is NaN or infinite. */
const pointsBefore = (series: WindowSeries | undefined, nowMs: number) =>
  (series?.atMs ?? []).flatMap((atMs, nth) => {
    const value = series?.values[nth]
    return atMs < nowMs && value !== undefined && Number.isFinite(value) ? [{ atMs, value }] : []
  })

/**
 * What the sources of one kind say now, together with what the window remembers. One source of several that cannot be
 * read makes the testimony incomplete; all of them make it unreadable.
 */
export const testify = (
  kind: string,
  readings: readonly Reading<Scrape>[],
  context: {
    window: Window | undefined
    /** Why there may be sources of this kind that were not read at all. */
    unfound?: string | undefined
    /** Only some of the sources were read, by choice: what is missing is not gone. */
    isPart?: boolean
  },
): Reading<Testimony> => {
  const read = readings.flatMap((reading) => (reading.status === 'read' ? [reading.value] : []))
  const unread = readings.flatMap((reading) => (reading.status === 'unreadable' ? [reading.why] : []))
  const { window, unfound, isPart = false } = context
  if (readings.length === 0) {
    return { status: 'unreadable', why: unfound ?? `no ${kind} source is configured for this cluster` }
  }
  if (read.length === 0) return { status: 'unreadable', why: unread.join('; ') }
  const now = combine(read)
  const past = window && new Map(seriesOfKind(window, kind).map(({ id, series }) => [id, series]))
  const windowFromMs = window?.wholeAtMs.get(kind)?.[0]
  const incomplete = now.incomplete ?? unread[0] ?? unfound
  return {
    status: 'read',
    value: {
      atMs: now.atMs,
      samples: now.samples,
      before: (sample) => pointsBefore(past?.get(seriesKey(sample)), now.atMs),
      ...(past && incomplete === undefined && !isPart ? { gone: goneSince(now.keys, past) } : {}),
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
