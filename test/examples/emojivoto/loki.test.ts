import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { freePorts } from '../../../examples/emojivoto/ports.ts'
import { startTown, type Town } from '../../../examples/emojivoto/town.ts'
import { get, logLines, lokiUrl, streams, vote } from './reading.ts'

const answers = new URL('../../../../shared/fixtures/loki/api/', import.meta.url)
const withAnswers = existsSync(answers)
const read = (name: string): string => readFileSync(new URL(name, answers), 'utf8')
type Asked = { file: string; status: number; contentType: string; path: string; query: Record<string, string> }
const asked: Asked[] = withAnswers ? JSON.parse(read('index.json')) : []

let town: Town
beforeAll(async () => {
  town = await startTown({ ports: freePorts, requestsPerSecond: 0 })
  await vote(town, ':joy:')
  town.setFault(true)
  for (let index = 0; index < 3; index += 1) await vote(town, ':doughnut:')
  await vote(town, ':100:')
})
afterAll(() => town.close())

describe('answers and refuses as the real one', () => {
  const kept = new Set([
    'parse-error.txt',
    'no-matcher.txt',
    'range-too-long.txt',
    'end-before-start.txt',
    'limit-too-high.txt',
    'ready.txt',
    'not-found.txt',
  ])
  const cases = asked.filter(({ file }) => kept.has(file))
  const sharedTest = withAnswers ? test : test.skip
  sharedTest('there are cases', () => expect(cases).toHaveLength(kept.size))
  for (const { file, status, contentType, path, query } of cases) {
    test(`${file} is the same`, async () => {
      const reply = await get(`${town.urls.loki}${path}?${new URLSearchParams(query)}`)
      const type = reply.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1]
      expect({ status: reply.status, type, body: reply.body.trim() }).toEqual({
        status,
        type: contentType,
        body: read(file).trim(),
      })
    })
  }

  sharedTest('streams have the same labels', async () => {
    const real: { data: { result: { stream: Record<string, string> }[] } } = JSON.parse(read('limit-reached.json'))
    const ours = await streams(town, '{namespace="emojivoto",app="voting"}')
    const shape = (all: readonly { stream: Record<string, string> }[]) =>
      all.map(({ stream }) => ({ ...stream, pod: 'some' }))
    expect(shape(ours)).toEqual(shape(real.data.result))
    const labels: { data: string[] } = JSON.parse((await get(`${town.urls.loki}/loki/api/v1/labels`)).body)
    expect(labels).toEqual(JSON.parse(read('labels.json')))
    // Lines of emoji are older than the hour Loki looks at by itself.
    const apps = await get(`${town.urls.loki}/loki/api/v1/label/app/values`)
    expect(JSON.parse(apps.body)).toEqual({ status: 'success', data: ['voting', 'web'] })
  })
})

describe('log queries', () => {
  test.each([
    { query: '{app="voting"} |= "logging an error"', count: 3 },
    { query: '{app=~"vot.*"} |= "logging an error"', count: 3 },
    { query: '{app=~"vot"}', count: 0 },
    { query: '{namespace="emojivoto", app!="web"} |~ "error|Voted"', count: 5 },
    { query: '{namespace="emojivoto", app!~"web|emoji"} != "Voted"', count: 6 },
    { query: '{app="voting"} !~ "(?i)ERROR|probability"', count: 2 },
    { query: '{app="web"} |~ `code = \\w+ desc`', count: 3 },
    { query: '{app="voting"} |= "error" |= "doughnut" != "joy"', count: 3 },
    { query: '{namespace="emojivoto"} | detected_level="error"', count: 6 },
    { query: '{namespace="emojivoto"} | k8s_pod_name=~"voting.*" or detected_level="error"', count: 6 },
    { query: '{detected_level="error", app=~".*"}', count: 0 },
    { query: '{app="voting"} |= "\\u005b"', count: 0 },
    { query: '{app="a\\"b"}', count: 0 },
  ])('$query finds $count lines', async ({ query, count }) => {
    expect(await logLines(town, query)).toHaveLength(count)
  })

  test.each([
    { query: '', why: 'unexpected $end, expecting {' },
    { query: 'app="web"', why: 'unexpected IDENTIFIER, expecting {' },
    { query: '{app}', why: 'unexpected }, expecting =, !=, =~ or !~' },
    { query: '{app="web}', why: 'unexpected ", expecting STRING' },
    { query: '{app=~".*"}', why: 'at least one regexp or equality matcher' },
    { query: '{app=~"("}', why: 'error parsing regexp' },
    { query: '{app="web"} |= ', why: 'unexpected $end, expecting STRING' },
    { query: '{app="web"} nonsense', why: 'unexpected IDENTIFIER' },
    { query: 'sum(count_over_time({app="web"}[1m]))', why: 'syntax error' },
    { query: `{app="${'x'.repeat(5_000)}"}`, why: 'input size too long' },
  ])('$query is refused in plain text', async ({ query, why }) => {
    const reply = await get(lokiUrl(town, { query }))
    expect(reply.status).toBe(400)
    expect(reply.body).toContain(why)
    expect(reply.body.startsWith('{')).toBe(false)
  })

  test.each([
    { given: 'no number', params: { limit: 'many' } },
    { given: 'zero lines', params: { limit: '0' } },
    { given: 'a direction that is none', params: { direction: 'sideways' } },
    { given: 'a start that is no time', params: { start: 'yesterday' } },
  ])('$given is refused', async ({ params }) => {
    expect((await get(lokiUrl(town, { query: '{app="web"}', ...params }))).status).toBe(400)
  })

  test('a limit keeps the newest, newest first, or the oldest when asked', async () => {
    const read = async (params: Record<string, string>) =>
      (await streams(town, '{app="voting"} |~ "Voted|logging"', params)).map(({ values }) =>
        values.map(([, line]) => line.replace(/^\S+ \S+ /, '').slice(0, 17)),
      )
    const [error, joy, hundred] = ['logging an error ', 'Voted for [:joy:]', 'Voted for [:100:]']
    expect(await read({ limit: '3' })).toEqual([[error, error], [hundred]])
    expect(await read({ limit: '2', direction: 'forward' })).toEqual([[error], [joy]])
    expect(await read({})).toEqual([
      [error, error, error],
      [hundred, joy],
    ])
    expect(await read({ direction: 'FORWARD' })).toEqual([
      [error, error, error],
      [joy, hundred],
    ])
  })

  test('the start belongs to the range and the end does not, in every way to write a time', async () => {
    const [entry] = (await streams(town, '{app="voting"} |= ":100:"')).flatMap(({ values }) => values)
    const atNs = BigInt(entry?.[0] ?? '0')
    const between = (start: string, end: string) => logLines(town, '{app="voting"} |= ":100:"', { start, end })
    expect(await between(String(atNs), String(atNs + 1n))).toHaveLength(1)
    expect(await between(String(atNs - 1n), String(atNs))).toHaveLength(0)
    const atMs = Number(atNs / 1_000_000n)
    const rfc = (ms: number) => new Date(ms).toISOString()
    expect(await between(rfc(atMs), rfc(atMs + 1))).toHaveLength(1)
    const second = Math.floor(atMs / 1000)
    expect(await between(String(second), String(second + 1))).toHaveLength(1)
    expect(await between(`${second}.000`, `${second + 1}.000`)).toHaveLength(1)
  })
})
