/** Where a history comes from: the objects that `evaluate` keeps, or a file with an outcome a line. */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import * as z from 'zod'
import { keysOf } from '../../functions/blob-keys.ts'
import { historyPrefix } from '../../functions/contract.ts'
import { historyKey, historyOfKey, type KeptOutcome, minuteOf } from '../../functions/history.ts'
import { readMinutes } from '../../functions/history-reading.ts'
import { lookKind } from '../../functions/shard-state.ts'
import { cause, timingsMs, verdict } from '../../probes/contract.ts'
import type { Blobs } from '../../stores/contract.ts'
import { fileBlobs } from '../../stores/files.ts'
import { UsageError } from '../surroundings.ts'
import { type Arrival, arrivalsOfLines, arrivalsOfMinutes, type Line } from './arrivals.ts'

export type Span = { fromMs?: number | undefined; toMs?: number | undefined }
/** `unreadable`: objects that are there and cannot be read, so far. */
export type History = { arrivals: AsyncIterable<Arrival>; unreadable: () => number }

/** Every minute of every shard, the oldest first: keys are in the order of time. What somebody else put there is no end of it. */
async function* storedKeys(
  blobs: Pick<Blobs, 'list'>,
  { fromMs, toMs = Number.POSITIVE_INFINITY }: Span,
): AsyncGenerator<string> {
  // No shard is called so, and all that are come behind it.
  const before = fromMs === undefined ? undefined : historyKey(minuteOf(fromMs), '').slice(0, -'.gz'.length)
  for await (const key of keysOf(blobs, historyPrefix, before)) {
    const minuteMs = historyOfKey(key)?.minuteMs
    if (minuteMs !== undefined && minuteMs >= toMs) return
    if (minuteMs !== undefined) yield key
  }
}

const when = z.union([z.number(), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))])

/** One outcome of a file; what is left out is what an ordinary look would have. */
export const outcomeLine = z
  .strictObject({
    monitorId: z.string().min(1),
    location: z.string().min(1).default('local'),
    scheduledAtMs: when,
    startedAtMs: when.optional(),
    arrivedAtMs: when.optional(),
    look: lookKind.default('tick'),
    verdict,
    timingsMs: timingsMs.default({ total: 0 }),
    cause: cause.optional(),
    statusCode: z.number().optional(),
    address: z.string().optional(),
    bodyStart: z.string().optional(),
  })
  .transform(({ arrivedAtMs, startedAtMs, ...rest }) => {
    const outcome: KeptOutcome = { ...rest, startedAtMs: startedAtMs ?? rest.scheduledAtMs } as KeptOutcome // Absent keys are absent.
    return { outcome, arrivedAtMs }
  })

/** A line as it is exported. */
export const lineOf = ({ atMs }: Arrival, outcome: KeptOutcome): string =>
  JSON.stringify({ ...outcome, arrivedAtMs: atMs })

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A look that long is no look, and a line that long no outcome. */
const lineLimit = 65_536

/** The first line that is too long is the last: it is refused, so nobody needs the rest of it. */
async function* textLines(input: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of input) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
    if (rest.length > lineLimit) break
  }
  yield rest
}

async function* linesOf(path: string, { fromMs = Number.NEGATIVE_INFINITY, toMs }: Span): AsyncGenerator<Line> {
  const bytes = createReadStream(path)
  const input = path.endsWith('.gz') ? pipeline(bytes, createGunzip(), () => undefined) : bytes
  let line = 0
  try {
    for await (const text of textLines(input.setEncoding('utf8'))) {
      line++
      if (text.trim() === '') continue
      const read = outcomeLine.safeParse(text.length > lineLimit ? undefined : parsed(text))
      if (!read.success) {
        const [issue] = read.error.issues
        const what = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : 'no outcome as JSON'
        throw new UsageError(`${path}:${line}: ${what}\n  hint: ${lineHint}`)
      }
      const { scheduledAtMs } = read.data.outcome
      if (scheduledAtMs >= fromMs && scheduledAtMs < (toMs ?? Number.POSITIVE_INFINITY)) yield { ...read.data, line }
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const lineHint =
  'a line is {"monitorId":"front","location":"local","scheduledAtMs":1795413600000,"verdict":"fail","timingsMs":{"total":12}}'

const isDay = (name: string) => /^\d{4}-\d\d-\d\d$/.test(name)

/** The folder whose `history/` a path means: the state of `serve`, its blobs, a copy of them, or the history itself. */
const rootOf = (path: string): string | undefined => {
  const full = resolve(path)
  const above = isDay(basename(full)) ? dirname(dirname(full)) : dirname(full)
  const roots = [join(full, 'blobs'), full, ...(basename(full) === 'history' || isDay(basename(full)) ? [above] : [])]
  return roots.find((root) => existsSync(join(root, 'history')))
}

/** Opens a history. Throws {@link UsageError} when there is none. */
export const openHistory = (path: string, span: Span): History => {
  if (!existsSync(path)) throw new UsageError(`there is no ${path}\n  hint: ${historyHint}`)
  if (statSync(path).isFile()) return { arrivals: arrivalsOfLines(linesOf(path, span)), unreadable: () => 0 }
  const directory = rootOf(path)
  if (directory === undefined) throw new UsageError(`${path} holds no history\n  hint: ${historyHint}`)
  let unreadable = 0
  const blobs = fileBlobs({ directory })
  const minutes = readMinutes(blobs, storedKeys(blobs, span), () => unreadable++)
  return { arrivals: arrivalsOfMinutes(minutes), unreadable: () => unreadable }
}

const historyHint =
  '--history is the folder of `whodunit serve` (.whodunit), a folder with a copy of its blobs/history, or a file with an outcome a line'
