import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import * as z from 'zod'
import { ByteReader, ByteWriter } from './bytes.ts'
import { seriesKey, type TargetWindow, type Window, type WindowSeries } from './window.ts'

/**
 * A chunk holds a cluster's points of one span of time, column by column: label texts once, then which series there are,
 * then their times as positions among the readings of their target, then their values. Constant series, the most by far,
 * cost a few bits; whole numbers are differences, others stand as they are. Zstandard does the rest.
 */
const version = 2

const header = z.strictObject({
  version: z.literal(version),
  cluster: z.string(),
  fromMs: z.number(),
  untilMs: z.number(),
  targets: z.array(
    z.strictObject({
      key: z.string(),
      kind: z.string(),
      readAtMs: z.array(z.number()),
      pointsAtMs: z.array(z.number()),
      series: z.int(),
    }),
  ),
  wholeAtMs: z.record(z.string(), z.array(z.number())),
  texts: z.array(z.string()),
  leftOut: z.number(),
})
type Header = z.output<typeof header>

/** Larger than any chunk of a window that fits its budget. */
const chunkLimitBytes = 512 * 1024 * 1024

export type Span = { fromMs: number; untilMs: number }

const within =
  ({ fromMs, untilMs }: Span) =>
  (atMs: number) =>
    atMs >= fromMs && atMs < untilMs

const firstAt = (list: readonly number[], fromMs: number): number => {
  let at = list.length
  while (at > 0 && (list[at - 1] ?? 0) >= fromMs) at--
  return at
}

type Columns = { names: ByteWriter; places: ByteWriter; values: ByteWriter }

const form = { constant: 0, integers: 1, floats: 2 } as const

/** Differences of these are exact, and so is twice a difference. */
const isSafe = (value: number) => Number.isInteger(value) && Math.abs(value) <= 2 ** 50 && !Object.is(value, -0)

const writeValues = (to: ByteWriter, values: readonly number[]): void => {
  const [first = 0] = values
  if (values.every((value) => Object.is(value, first))) {
    to.varint(form.constant)
    to.float(first)
  } else if (values.every(isSafe)) {
    to.varint(form.integers)
    let before = 0
    for (const value of values) {
      to.zigzag(value - before)
      before = value
    }
  } else {
    to.varint(form.floats)
    for (const value of values) to.float(value)
  }
}

/** Times as positions among the target's: mostly all of them, said in one number. */
const writePlaces = (to: ByteWriter, places: readonly number[], total: number): void => {
  const all = places.length === total
  to.varint(all ? 0 : places.length)
  if (all) return
  let before = -1
  for (const place of places) {
    to.varint(place - before)
    before = place
  }
}

const pointTimes = (target: TargetWindow, span: Span): number[] => {
  const times = new Set<number>()
  for (const { atMs } of target.series.values())
    for (let at = firstAt(atMs, span.fromMs); at < atMs.length && (atMs[at] ?? 0) < span.untilMs; at++)
      times.add(atMs[at] ?? 0)
  return [...times].sort((a, b) => a - b)
}

const createTexts = () => {
  const all: string[] = []
  const known = new Map<string, number>()
  const place = (text: string): number => {
    const at = known.get(text) ?? all.length
    if (at === all.length) {
      known.set(text, at)
      all.push(text)
    }
    return at
  }
  return { all, place }
}

const writeSeries = (
  to: Columns,
  series: WindowSeries,
  { span, places, texts }: { span: Span; places: ReadonlyMap<number, number>; texts: ReturnType<typeof createTexts> },
): boolean => {
  const from = firstAt(series.atMs, span.fromMs)
  const until = firstAt(series.atMs, span.untilMs)
  if (from === until) return false
  const labels = Object.entries(series.labels)
  to.names.varint(texts.place(series.name))
  to.names.varint(series.keepMs / 1000)
  to.names.varint(labels.length)
  for (const [label, value] of labels) {
    to.names.varint(texts.place(label))
    to.names.varint(texts.place(value))
  }
  const own = series.atMs.slice(from, until).map((atMs) => places.get(atMs) ?? 0)
  writePlaces(to.places, own, places.size)
  writeValues(to.values, series.values.slice(from, until))
  return true
}

/** The points of one span of a window, as bytes for the blob store. */
export const packChunk = (window: Window, span: Span): Uint8Array => {
  const texts = createTexts()
  const columns: Columns = { names: new ByteWriter(), places: new ByteWriter(), values: new ByteWriter() }
  const targets = [...window.targets].map(([key, target]) => {
    const pointsAtMs = pointTimes(target, span)
    const places = new Map(pointsAtMs.map((atMs, place) => [atMs, place]))
    let series = 0
    for (const one of target.series.values()) if (writeSeries(columns, one, { span, places, texts })) series++
    return { key, kind: target.kind, readAtMs: target.readAtMs.filter(within(span)), pointsAtMs, series }
  })
  const wholeAtMs = Object.fromEntries([...window.wholeAtMs].map(([kind, times]) => [kind, times.filter(within(span))]))
  const { cluster, leftOut } = window
  const head: Header = { version, cluster, ...span, targets, wholeAtMs, texts: texts.all, leftOut }
  const parts = [
    Buffer.from(JSON.stringify(head)),
    columns.names.bytes(),
    columns.places.bytes(),
    columns.values.bytes(),
  ]
  const sizes = new ByteWriter()
  for (const part of parts) sizes.varint(part.length)
  const body = Buffer.concat([sizes.bytes(), ...parts])
  return zstdCompressSync(body, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
}

const readValues = (from: ByteReader, count: number): number[] => {
  switch (from.varint()) {
    case form.constant:
      return Array<number>(count).fill(from.float())
    case form.integers: {
      let before = 0
      return Array.from({ length: count }, () => {
        before += from.zigzag()
        return before
      })
    }
    default:
      return Array.from({ length: count }, () => from.float())
  }
}

const readPlaces = (from: ByteReader, times: readonly number[]): number[] => {
  const count = from.varint()
  if (count === 0) return [...times]
  let place = -1
  return Array.from({ length: count }, () => {
    place += from.varint()
    const atMs = times[place]
    if (atMs === undefined) throw new RangeError('a point without a time')
    return atMs
  })
}

type ReadColumns = { names: ByteReader; places: ByteReader; values: ByteReader }

const readSeries = (
  from: ReadColumns,
  texts: readonly string[],
  times: readonly number[],
): WindowSeries & { id: string } => {
  const text = () => texts[from.names.varint()] ?? ''
  const name = text()
  const keepMs = from.names.varint() * 1000
  const pairs = Array.from({ length: from.names.varint() }, () => [text(), text()] as const)
  const atMs = readPlaces(from.places, times)
  const labels = Object.fromEntries(pairs)
  return { id: seriesKey({ name, labels }), name, labels, keepMs, atMs, values: readValues(from.values, atMs.length) }
}

export type Chunk = Pick<Header, 'cluster' | 'fromMs' | 'untilMs' | 'wholeAtMs' | 'leftOut'> & {
  targets: { key: string; kind: string; readAtMs: number[]; series: (WindowSeries & { id: string })[] }[]
}

/** Reads a chunk back; undefined when the bytes are not one (an older format starts over). */
export const unpackChunk = (bytes: Uint8Array): Chunk | undefined => {
  try {
    const body = zstdDecompressSync(bytes, { maxOutputLength: chunkLimitBytes })
    const sizes = new ByteReader(body)
    const lengths = Array.from({ length: 4 }, () => sizes.varint())
    let at = sizes.at
    const [head, names, places, values] = lengths.map((length) => {
      at += length
      return body.subarray(at - length, at)
    })
    if (!head || !names || !places || !values) return undefined
    const { texts, targets, ...rest } = header.parse(JSON.parse(head.toString('utf8')))
    const columns = { names: new ByteReader(names), places: new ByteReader(places), values: new ByteReader(values) }
    return {
      ...rest,
      targets: targets.map(({ key, kind, readAtMs, pointsAtMs, series }) => ({
        key,
        kind,
        readAtMs,
        series: Array.from({ length: series }, () => readSeries(columns, texts, pointsAtMs)),
      })),
    }
  } catch {
    return undefined
  }
}
