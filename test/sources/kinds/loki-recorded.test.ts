import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import * as z from 'zod'
import type { LogQuery } from '../../../sources/contract.ts'
import { lokiSource } from '../../../sources/kinds/loki.ts'
import { errorLinePattern } from '../../../sources/log-error-pattern.ts'
import { withServer, world } from '../loopback.ts'

const folder = fileURLToPath(new URL('../../../../shared/fixtures/loki/api/', import.meta.url))
const sharedTest = existsSync(folder) ? test : test.skip

const recording = z.object({
  file: z.string(),
  status: z.number(),
  contentType: z.string(),
  path: z.string(),
  query: z.record(z.string(), z.string()).default({}),
})
const recorded = (file: string) =>
  z
    .array(recording)
    .parse(JSON.parse(readFileSync(`${folder}index.json`, 'utf8')))
    .find((entry) => entry.file === file) ?? { file, status: 0, contentType: '', path: '', query: {} }

const msOf = (nanoseconds = '0') => Math.ceil(Number(BigInt(nanoseconds) / 1000n) / 1000)

/** Asks our way what was asked when `file` was recorded, from a server that answers with it. */
const replay = (file: string, changes: Partial<LogQuery>) => {
  const entry = recorded(file)
  const query: LogQuery = {
    labels: {},
    sinceMs: msOf(entry.query['start']),
    untilMs: msOf(entry.query['end']),
    errorsOnly: false,
    limit: Number(entry.query['limit'] ?? 100),
    ...changes,
  }
  return withServer(
    (_request, response) =>
      response.writeHead(entry.status, { 'content-type': entry.contentType }).end(readFileSync(folder + file)),
    async ({ url, requests }) => {
      const reading = await lokiSource.logs(lokiSource.schema.parse({ kind: 'loki', url }), world(), query)
      return { reading, entry, asked: requests.map((request) => new URL(request.url ?? '', url)) }
    },
  )
}

sharedTest.each<[string, Record<string, string>]>([
  ['limit-reached.json', { namespace: 'emojivoto', app: 'voting' }],
  ['empty.json', { namespace: 'nowhere' }],
  ['no-matcher.txt', {}],
])('our request for %s means what was asked then', async (file, labels) => {
  const { entry, asked } = await replay(file, { labels })
  expect(asked).toHaveLength(1)
  const params = asked[0]?.searchParams
  expect(asked[0]?.pathname).toBe(entry.path)
  expect(params?.get('query')).toBe(entry.query['query'])
  expect(params?.get('limit')).toBe(entry.query['limit'] ?? '100')
  // Backward is also what Loki does unasked. Their times had fractions of a millisecond, ours are whole.
  expect(params?.get('direction')).toBe('backward')
  for (const bound of ['start', 'end']) {
    const apart = BigInt(params?.get(bound) ?? 0) - BigInt(entry.query[bound] ?? 0)
    expect(apart >= 0n && apart < 1_000_000n).toBe(true)
  }
})

sharedTest('errors of two streams come merged, the newest first, and all look like errors to us', async () => {
  const { reading, asked } = await replay('errors-backward.json', {
    labels: { namespace: 'emojivoto' },
    errorsOnly: true,
  })
  expect(asked[0]?.searchParams.get('query')).toMatch(/^\{namespace="emojivoto"\} \|~ "/)
  if (reading.status !== 'read') throw new Error(reading.why)
  const { lines, truncated } = reading.value
  expect(lines).toHaveLength(50)
  expect(truncated).toBe(true)
  expect(new Set(lines.map((line) => line.labels['app']))).toEqual(new Set(['voting', 'web']))
  expect(lines.map((line) => line.atMs)).toEqual(lines.map((line) => line.atMs).toSorted((a, b) => b - a))
  expect(lines[0]).toMatchObject({ atMs: 1795405876445, line: '2026/11/23 03:41:14 logging an error for doughnut' })
  for (const { line } of lines) expect(line).toMatch(new RegExp(errorLinePattern.replace(/^\(\?i\)/, ''), 'i'))
})

sharedTest('an answer as long as its limit is truncated, an empty one is not', async () => {
  const full = await replay('limit-reached.json', { labels: { namespace: 'emojivoto', app: 'voting' } })
  expect(full.reading).toMatchObject({ status: 'read', value: { truncated: true } })
  if (full.reading.status === 'read') expect(full.reading.value.lines).toHaveLength(5)
  const empty = await replay('empty.json', { labels: { namespace: 'nowhere' } })
  expect(empty.reading).toEqual({ status: 'read', value: { lines: [], truncated: false } })
})

sharedTest('structured metadata apart from the labels are read as labels', async () => {
  const { reading } = await replay('categorized.json', { labels: { app: 'web' } })
  expect(reading).toMatchObject({ value: { lines: [{ labels: { app: 'web', detected_level: 'error' } }, {}, {}] } })
})

sharedTest.each([
  'no-matcher.txt',
  'parse-error.txt',
  'range-too-long.txt',
  'limit-too-high.txt',
  'end-before-start.txt',
  'not-found.txt',
])('the plain text of %s is the reason', async (file) => {
  const { reading, entry } = await replay(file, { sinceMs: 0, untilMs: 1000, labels: { namespace: 'emojivoto' } })
  const said = readFileSync(folder + file, 'utf8')
    .trim()
    .slice(0, 150)
  expect(reading).toMatchObject({
    status: 'unreadable',
    why: expect.stringContaining(`answered ${entry.status}: ${said}`),
  })
})

sharedTest.each(['count-by-app.json', 'labels.json', 'ready.txt'])(
  '%s is no answer to a query for lines',
  async (file) => {
    const { reading } = await replay(file, { sinceMs: 0, untilMs: 1000, labels: { namespace: 'emojivoto' } })
    expect(reading.status).toBe('unreadable')
  },
)

/** What each recorded answer is to us when it comes instead of log lines. */
const meanings: Readonly<Record<string, 'lines' | 'refused' | 'no-lines'>> = {
  'errors-backward.json': 'lines',
  'errors-forward.json': 'lines',
  'limit-reached.json': 'lines',
  'categorized.json': 'lines',
  'empty.json': 'lines',
  'pattern-parser.json': 'lines',
  'parse-error.txt': 'refused',
  'no-matcher.txt': 'refused',
  'range-too-long.txt': 'refused',
  'end-before-start.txt': 'refused',
  'limit-too-high.txt': 'refused',
  'not-found.txt': 'refused',
}

sharedTest('every recorded answer is lines, a refusal with its reason, or said to be no lines', async () => {
  const files = readdirSync(folder).filter((file) => file !== 'index.json')
  expect(files).toEqual(expect.arrayContaining(Object.keys(meanings)))
  for (const file of files) {
    const { reading, entry } = await replay(file, { sinceMs: 0, untilMs: 1000, labels: { namespace: 'emojivoto' } })
    const why = reading.status === 'unreadable' ? reading.why : ''
    const refused = entry.status === 200 ? 'no-lines' : 'refused'
    if (refused === 'refused') expect(why).toContain(`answered ${entry.status}`)
    const meaning = reading.status === 'read' ? 'lines' : refused
    expect([file, meaning]).toEqual([file, meanings[file] ?? 'no-lines'])
    expect(why).toBe(why.replace(/\s+/g, ' ').slice(0, 400))
  }
})
