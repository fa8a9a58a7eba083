import { existsSync, readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import type { Selector } from '../../../sources/contract.ts'
import { scrapeExposition } from '../../../sources/exposition/scrape.ts'
import { cutShort, nowMs, withServer, world } from '../loopback.ts'

const up: Selector[] = [{ name: 'up' }]

const scrape = (listener: RequestListener, keep: readonly Selector[] = up, target = {}) =>
  withServer(listener, ({ url }) => scrapeExposition({ url, labels: {}, bodyLimitMiB: 1, ...target }, world(), keep))

const body =
  (text: string, headers = {}): RequestListener =>
  (_request, response) =>
    response.writeHead(200, headers).end(text)

test('what was asked for is kept, everything is counted', async () => {
  const text = '# TYPE up gauge\nup{pod="a"} 1\nup{pod="b"} 0\nother 3\n'
  expect(await scrape(body(text, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }))).toEqual({
    status: 'read',
    value: {
      atMs: nowMs,
      bytes: text.length,
      seriesSeen: 3,
      samples: [
        { name: 'up', labels: { pod: 'a' }, value: 1 },
        { name: 'up', labels: { pod: 'b' }, value: 0 },
      ],
    },
  })
})

test('text is asked for before OpenMetrics', async () => {
  let accept: string | undefined
  await scrape((request, response) => {
    accept = request.headers.accept
    response.end('up 1\n')
  })
  expect(accept).toMatch(/^text\/plain;version=0\.0\.4, application\/openmetrics-text;version=1\.0\.0;q=0\.5/)
})

test('OpenMetrics is read with its times in seconds', async () => {
  const headers = { 'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8' }
  const reading = await scrape(body(`up 1 ${nowMs / 1000}\n# EOF\n`, headers))
  expect(reading).toMatchObject({ status: 'read', value: { samples: [{ timestampMs: nowMs }] } })
  expect(await scrape(body('up 1\n', headers))).toMatchObject({
    value: { incomplete: 'line 2, column 1: expected # EOF, found the end of the text' },
  })
})

test('a series asked for and not there leaves an empty, complete answer', async () => {
  const reading = await scrape(body('other 3\n'))
  expect(reading).toEqual({ status: 'read', value: { atMs: nowMs, bytes: 8, seriesSeen: 1, samples: [] } })
})

test.each<[string, string, Record<string, string>, RegExp]>([
  ['no series at all', '', {}, /answered with an exposition without a single series$/],
  ['only comments', '# TYPE up gauge\n', {}, /without a single series$/],
  [
    'a login page',
    '<html></html>',
    { 'content-type': 'text/html' },
    /answered with text\/html, which is no exposition$/,
  ],
  ['JSON', '{}', { 'content-type': 'application/json' }, /answered with application\/json/],
  [
    'a login page called text',
    '<html>\n',
    { 'content-type': 'text/plain' },
    /^line 1, column 1: expected a metric name/,
  ],
])('%s is unreadable', async (_, text, headers, why) => {
  expect(await scrape(body(text, headers))).toEqual({ status: 'unreadable', why: expect.stringMatching(why) })
})

test('a bad line makes the scrape incomplete, what stood before it is there', async () => {
  expect(await scrape(body('up{pod="a"} 1\nup{pod=b} 1\nup{pod="c"} 1\n'))).toMatchObject({
    status: 'read',
    value: {
      samples: [{ labels: { pod: 'a' } }],
      incomplete: 'line 2, column 8: expected a value in double quotes for the label pod, found "b} 1"',
    },
  })
})

test.each([false, true])('a connection that breaks makes the scrape incomplete (gzip: %s)', async (zipped) => {
  const text = Array.from({ length: 5000 }, (_, n) => `up{pod="web-${n}"} 1\n`).join('')
  const reading = await scrape((_request, response) => {
    if (zipped) response.setHeader('content-encoding', 'gzip')
    const whole = zipped ? gzipSync(text) : Buffer.from(text)
    cutShort(response, whole.subarray(0, whole.length - 500), whole.length)
  })
  expect(reading).toMatchObject({
    status: 'read',
    value: { incomplete: expect.stringMatching(/closed the connection early$/) },
  })
  if (reading.status === 'read') expect(reading.value.samples.length).toBeGreaterThan(1000)
})

test('a connection that breaks before the first whole line leaves nothing to read', async () => {
  const reading = await scrape((_request, response) => cutShort(response, 'up{pod="a', 5000))
  expect(reading).toEqual({ status: 'unreadable', why: expect.stringMatching(/closed the connection early$/) })
})

test('a last line without its break is not believed', async () => {
  const reading = await scrape(body('up{pod="a"} 1\nup{pod="b"} 1'))
  expect(reading).toMatchObject({ value: { samples: [{ labels: { pod: 'a' } }] } })
  expect(reading).toMatchObject({ value: { incomplete: expect.stringMatching(/a line break after the last line/) } })
})

test('an exposition over its limit is incomplete', async () => {
  const reading = await scrape(body('up 1\n'.repeat(300_000)), [{ name: 'none' }])
  expect(reading).toMatchObject({ value: { bytes: 1024 * 1024, incomplete: 'the body is larger than 1048576 bytes' } })
})

test('the labels of the target are added, those scraped win', async () => {
  const reading = await scrape(
    body('up{pod="a"} 1\nup{pod="b",cluster="west"} 1\n'),
    [{ name: 'up', matchers: [{ label: 'cluster', op: '!=', value: '' }] }],
    { labels: { cluster: 'east' } },
  )
  expect(reading).toMatchObject({
    value: { samples: [{ labels: { pod: 'a', cluster: 'east' } }, { labels: { pod: 'b', cluster: 'west' } }] },
  })
})

test('samples five minutes old by their own time, or more than ten minutes ahead, are left out and counted', async () => {
  const at = (ageMs: number) => String(nowMs - ageMs)
  const ages = [299_999, 300_000, -600_000, -600_001]
  const text = [...ages.map((ageMs, n) => `up{n="${n + 1}"} 1 ${at(ageMs)}`), 'up{n="5"} 1', ''].join('\n')
  const reading = await scrape(body(text))
  expect(reading).toMatchObject({ value: { staleDropped: 2, seriesSeen: 5 } })
  if (reading.status !== 'read') return
  expect(reading.value.samples.map((sample) => sample.labels['n'])).toEqual(['1', '3', '5'])
  expect(reading.value.incomplete).toBeUndefined()
})

test('when everything asked for is stale, its absence proves nothing', async () => {
  expect(await scrape(body(`up 1 ${nowMs - 3_600_000}\nother 1\n`))).toMatchObject({
    value: {
      samples: [],
      incomplete: expect.stringMatching(/^all 1 series asked for are not of now by their own time/),
    },
  })
})

test('a selector that cannot be used is an answer with its reason, and nothing is asked', async () => {
  let asked = 0
  const keep: Selector[] = [{ name: 'up', matchers: [{ label: 'pod', op: '=~', value: '(' }] }]
  const reading = await scrape((_request, response) => {
    asked += 1
    response.end('up 1\n')
  }, keep)
  expect(reading).toMatchObject({
    status: 'unreadable',
    why: expect.stringMatching(/^Prometheus would refuse the regular expression/),
  })
  expect(asked).toBe(0)
})

const recorded = fileURLToPath(
  new URL('../../../../shared/fixtures/kube/real-cluster/s01/kube-state-metrics/1795406503.prom.gz', import.meta.url),
)
const sharedTest = existsSync(recorded) ? test : test.skip

sharedTest('a recorded kube-state-metrics answer is filtered as it streams', async () => {
  const zipped = readFileSync(recorded)
  const keep: Selector[] = [
    { name: 'kube_pod_status_phase', matchers: [{ label: 'phase', op: '=', value: 'Running' }] },
    { name: 'kube_deployment_spec_replicas' },
  ]
  const reading = await scrape(
    (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(zipped),
    keep,
    { bodyLimitMiB: 64 },
  )
  if (reading.status !== 'read') throw new Error(reading.why)
  expect(reading.value.incomplete).toBeUndefined()
  expect(new Set(reading.value.samples.map((sample) => sample.name)).size).toBe(2)
  expect(
    reading.value.samples.filter((sample) => sample.name === 'kube_pod_status_phase' && sample.value === 1).length,
  ).toBeGreaterThan(5)
  expect(reading.value.seriesSeen).toBeGreaterThan(1000)
})
