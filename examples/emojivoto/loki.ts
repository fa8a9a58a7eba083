// Loki's HTTP API as far as log lines go, with the refusals of the real one.
import type { RequestListener } from 'node:http'
import type { LogEntry } from './log-store.ts'
import { parseLogQuery } from './logql.ts'
import { type Answer, answer, answerCompressed, notFound, targetOf } from './serving.ts'
import type { World } from './world.ts'

const hourNs = 3_600_000_000_000n
const limitRangeNs = 30n * 24n * hourNs + hourNs
const limitEntries = 5_000
const refused = (why: string): Answer => ({ status: 400, contentType: 'text/plain; charset=utf-8', body: why })

/** Loki's time formats: seconds with a fraction, seconds (ten digits), nanoseconds, RFC 3339. */
const parseTime = (text: string): bigint | undefined => {
  if (/^\d+\.\d+$/.test(text)) return BigInt(Math.round(Number(text) * 1_000_000)) * 1_000n
  if (/^\d{1,19}$/.test(text)) return text.length <= 10 ? BigInt(text) * 1_000_000_000n : BigInt(text)
  const atMs = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(atMs) ? undefined : BigInt(atMs) * 1_000_000n
}

/** `2160h0m5s`, as Go prints a duration. */
const goDuration = (ns: bigint): string => {
  const totalSeconds = Number(ns) / 1e9
  const hours = Math.floor(totalSeconds / 3600)
  const minutes = Math.floor((totalSeconds % 3600) / 60)
  return `${hours}h${minutes}m${Number((totalSeconds % 60).toFixed(9))}s`
}

type Range = { startNs: bigint; endNs: bigint; limit: number; forward: boolean }

const parseRange = (params: URLSearchParams, nowMs: number): Range | Answer => {
  const nowNs = BigInt(Math.floor(nowMs)) * 1_000_000n
  const time = (name: string, absent: bigint): bigint | undefined => {
    const text = params.get(name)
    return text === null || text === '' ? absent : parseTime(text)
  }
  const endNs = time('end', nowNs)
  if (endNs === undefined) return refused(`could not parse '${params.get('end')}' as a timestamp`)
  const startNs = time('start', endNs - hourNs)
  if (startNs === undefined) return refused(`could not parse '${params.get('start')}' as a timestamp`)
  if (endNs <= startNs) return refused('end timestamp must not be before or equal to start time')
  const limitText = params.get('limit') ?? '100'
  const limit = Number(limitText)
  if (!Number.isInteger(limit)) return refused(`strconv.ParseUint: parsing "${limitText}": invalid syntax`)
  if (limit <= 0) return refused('limit must be a positive value')
  if (limit > limitEntries) {
    const sizes = `(${limit} > ${limitEntries})`
    return refused(`max entries limit per query exceeded, limit > max_entries_limit_per_query ${sizes}`)
  }
  const direction = (params.get('direction') ?? 'backward').toLowerCase()
  if (direction !== 'forward' && direction !== 'backward') return refused(`invalid direction '${direction}'`)
  return { startNs, endNs, limit, forward: direction === 'forward' }
}

type Stream = { stream: Record<string, string>; values: [string, string][] }

/** Entries in their order, grouped by labels and level; streams in the order of their labels. */
const streamsOf = (entries: readonly LogEntry[]): Stream[] => {
  const streams = new Map<string, Stream>()
  for (const { labels, level, atNs, line } of entries) {
    const pairs = Object.entries({ ...labels, detected_level: level }).sort(([a], [b]) => (a < b ? -1 : 1))
    const key = JSON.stringify(pairs)
    const stream = streams.get(key) ?? { stream: Object.fromEntries(pairs), values: [] }
    stream.values.push([String(atNs), line])
    streams.set(key, stream)
  }
  return [...streams].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, stream]) => stream)
}

// Go's encoder writes these three as escapes.
const goJson = (value: unknown): string =>
  `${JSON.stringify(value).replace(/[<>&]/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`)}\n`

const success = (data: unknown): Answer => ({
  status: 200,
  contentType: 'application/json; charset=UTF-8',
  body: goJson({ status: 'success', data }),
})

const queryRange = (world: World, params: URLSearchParams): Answer => {
  const query = parseLogQuery(params.get('query') ?? '')
  if (query.status === 'refused') return refused(query.why)
  const range = parseRange(params, world.nowMs())
  if ('status' in range) return range
  const { startNs, endNs, limit, forward } = range
  if (endNs - startNs > limitRangeNs) {
    const length = goDuration(endNs - startNs)
    return refused(`the query time range exceeds the limit (query length: ${length}, limit: 30d1h)`)
  }
  const inRange = world.logs.between(startNs, endNs)
  const found = inRange.filter(query.value)
  const kept = forward ? found.slice(0, limit) : found.slice(-limit).reverse()
  const summary = {
    totalLinesProcessed: inRange.length,
    totalEntriesReturned: kept.length,
    totalPostFilterLines: found.length,
  }
  return success({ resultType: 'streams', result: streamsOf(kept), stats: { summary } })
}

const labelValues = (world: World, params: URLSearchParams, name: string | undefined): Answer => {
  const range = parseRange(params, world.nowMs())
  if ('status' in range) return range
  const entries = world.logs.between(range.startNs, range.endNs)
  const found = entries.flatMap(({ labels }) => (name === undefined ? Object.keys(labels) : [labels[name] ?? '']))
  const distinct = [...new Set(found)].filter((value) => value !== '').sort()
  return { ...success(distinct.length === 0 ? undefined : distinct) }
}

const reply = (world: World, target: URL): Answer => {
  const { pathname, searchParams } = target
  if (pathname === '/ready') return { status: 200, contentType: 'text/plain; charset=utf-8', body: 'ready\n' }
  if (pathname === '/loki/api/v1/query_range') return queryRange(world, searchParams)
  if (pathname === '/loki/api/v1/labels') return labelValues(world, searchParams, undefined)
  const label = /^\/loki\/api\/v1\/label\/([A-Za-z_]\w*)\/values$/.exec(pathname)?.[1]
  return label === undefined ? notFound : labelValues(world, searchParams, label)
}

/** Serves the lines the town's programs logged. */
export const loki =
  (world: World): RequestListener =>
  (request, response) => {
    world.catchUp()
    const target = targetOf(request)
    const what = target === undefined ? refused('400 Bad Request') : reply(world, target)
    if (what.status === 200) answerCompressed(request, response, what)
    else answer(request, response, what)
  }
