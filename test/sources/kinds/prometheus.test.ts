import { expect, test } from '@jest/globals'
import type { Selector } from '../../../sources/contract.ts'
import { prometheusSource } from '../../../sources/kinds/prometheus.ts'
import { askPromql, kindsOf, scrapeSource, sourceGrants, sourceSpec } from '../../../sources/registry.ts'
import { nowMs, withServer, world } from '../loopback.ts'

const spec = { kind: 'prometheus', url: 'https://prometheus.example.com/prom' }
type Vector = { metric: Record<string, string>; value: [number, string] }[]

const success = (result: Vector, more: object = {}) =>
  JSON.stringify({ status: 'success', data: { resultType: 'vector', result }, ...more })

/** A server that answers each query from a table, with an error for others. */
const asking = <T>(
  answers: Readonly<Record<string, string>>,
  use: (at: { url: string; asked: () => URL[] }) => Promise<T>,
): Promise<T> =>
  withServer(
    (request, response) => {
      const query = new URL(request.url ?? '', 'http://here').searchParams.get('query') ?? ''
      const answer = answers[query]
      if (answer !== undefined) response.end(answer)
      else response.writeHead(422).end('{"status":"error","errorType":"execution","error":"no such query"}')
    },
    ({ url, requests }) => use({ url, asked: () => requests.map((request) => new URL(request.url ?? '', url)) }),
  )

const scrape = (answers: Readonly<Record<string, string>>, keep: readonly Selector[], input: object = {}) =>
  asking(answers, async ({ url, asked }) => {
    const reading = await scrapeSource(sourceSpec.parse({ ...spec, url: `${url}/prom/`, ...input }), world(), keep)
    return { reading: reading ?? { status: 'none' }, asked: asked() }
  })

const vector = (query: string, result: Vector) => ({ [query]: success(result) })

test('the least a config must say', () => {
  expect(prometheusSource.schema.parse(spec)).toEqual({ ...spec, labels: {}, holds: [] })
})

test.each<[object, string]>([
  [{ ...spec, auth: { sigv4: { region: 'nowhere' } } }, 'a region that is none'],
  [{ ...spec, holds: ['loki'] }, 'logs are no series'],
  [{ ...spec, tenant: 'a b' }, 'a tenant with a space'],
])('%j is refused: %s', (input) => {
  expect(prometheusSource.schema.safeParse(input).success).toBe(false)
})

test('names with the same matchers are one query, at our own time, and its series are samples', async () => {
  const labels = { namespace: 'shop', pod: 'web-1' }
  const { reading, asked } = await scrape(
    {
      ...vector('{__name__=~"up|kube_pod_info"}', [
        { metric: { __name__: 'up', ...labels }, value: [nowMs / 1000, '1'] },
        { metric: { __name__: 'kube_pod_info', ...labels, cluster: 'west' }, value: [nowMs / 1000, '+Inf'] },
      ]),
      ...vector('{__name__=~"kube_pod_status_phase",phase=~"Failed|Pending"}', []),
    },
    [
      { name: 'up' },
      { name: 'kube_pod_status_phase', matchers: [{ label: 'phase', op: '=~', value: 'Failed|Pending' }] },
      { name: 'kube_pod_info', matchers: [] },
    ],
    { labels: { cluster: 'east' } },
  )
  expect(asked.map(({ pathname }) => pathname)).toEqual(['/prom/api/v1/query', '/prom/api/v1/query'])
  expect(asked[0]?.searchParams.get('time')).toBe(String(nowMs / 1000))
  expect(reading).toMatchObject({
    status: 'read',
    value: {
      atMs: nowMs,
      seriesSeen: 2,
      samples: [
        { name: 'up', labels: { ...labels, cluster: 'east' }, value: 1 },
        { name: 'kube_pod_info', labels: { ...labels, cluster: 'west' }, value: Number.POSITIVE_INFINITY },
      ],
    },
  })
})

test.each<[string, Selector, object, string]>([
  ['quotes', { name: 'a', matchers: [{ label: 'b', op: '!=', value: '"\n' }] }, {}, '{__name__=~"a",b!="\\"\\n"}'],
  ['a name that is no word', { name: 'a.b' }, {}, '{__name__=~"a\\\\.b"}'],
  ['matchers of the config', { name: 'a' }, { selector: 'env="live"' }, '{__name__=~"a",env="live"}'],
])('a query with %s', async (_, selector, input, query) => {
  expect((await scrape(vector(query, []), [selector], input)).reading.status).toBe('read')
})

test('many names are several queries, none of them long', async () => {
  const keep = Array.from({ length: 200 }, (_, n) => ({ name: `some_rather_long_name_of_a_series_${n}` }))
  const { asked } = await scrape({}, keep)
  const queries = asked.map((url) => url.searchParams.get('query') ?? '')
  expect(queries.length).toBeGreaterThan(2)
  expect(Math.max(...queries.map((query) => query.length))).toBeLessThan(2100)
  for (const { name } of keep) expect(queries.some((query) => query.includes(name))).toBe(true)
})

test('asked nothing, it still has to answer', async () => {
  const one = vector('vector(1)', [{ metric: {}, value: [nowMs / 1000, '1'] }])
  expect((await scrape(one, [])).reading).toMatchObject({ status: 'read', value: { samples: [] } })
  expect((await scrape({}, [])).reading).toMatchObject({ status: 'unreadable' })
})

const one = { metric: { __name__: 'a' }, value: [nowMs / 1000, 'NaN'] as [number, string] }

test.each<[string, Readonly<Record<string, string>>, object]>([
  [
    'one query of two fails',
    { '{__name__=~"a"}': success([one]) },
    {
      status: 'read',
      value: { samples: [{ value: Number.NaN }], incomplete: expect.stringContaining('no such query') },
    },
  ],
  ['all queries fail', {}, { status: 'unreadable', why: expect.stringContaining('answered 422') }],
  [
    'the other side warns that something is missing',
    {
      '{__name__=~"a"}': success([one], { warnings: ['store 3 does not answer'] }),
      '{__name__=~"b",c="d"}': success([], { infos: ['metric might not be a counter'] }),
    },
    { status: 'read', value: { incomplete: 'store 3 does not answer' } },
  ],
  ['it is no JSON', { '{__name__=~"a"}': '<html>', '{__name__=~"b",c="d"}': '' }, { status: 'unreadable' }],
  ['it is another API', { '{__name__=~"a"}': '{"ok":1}', '{__name__=~"b",c="d"}': '{}' }, { status: 'unreadable' }],
])('%s', async (_, answers, expected) => {
  const keep = [{ name: 'a' }, { name: 'b', matchers: [{ label: 'c', op: '=' as const, value: 'd' }] }]
  expect((await scrape(answers, keep)).reading).toMatchObject(expected)
})

test('a range is asked in steps, and a tenant is named', async () => {
  const result = [
    {
      metric: { job: 'web' },
      values: [
        [1_795_406_380, '1'],
        [1_795_406_390, '2.5'],
      ],
    },
  ]
  const matrix = JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } })
  await withServer(
    (_request, response) => response.end(matrix),
    async ({ url, requests }) => {
      const range = { sinceMs: 1_795_406_380_000, untilMs: 1_795_406_390_500, stepSeconds: 10 }
      const query = { query: 'sum by (job) (rate(x[1m]))', range }
      const reading = await askPromql(sourceSpec.parse({ ...spec, url, tenant: 'shop' }), world(), query)
      expect(reading).toMatchObject({
        value: {
          series: [
            {
              labels: { job: 'web' },
              points: [
                { atMs: 1_795_406_380_000, value: 1 },
                { atMs: 1_795_406_390_000, value: 2.5 },
              ],
            },
          ],
        },
      })
      const asked = new URL(requests[0]?.url ?? '', url)
      expect(`${asked.pathname} ${asked.searchParams.get('start')} ${asked.searchParams.get('end')}`).toBe(
        '/api/v1/query_range 1795406380 1795406390.5',
      )
      expect(requests[0]?.headers['x-scope-orgid']).toBe('shop')
    },
  )
})

test('it speaks for what it holds, and only a role that signs needs a permission', () => {
  const amp = {
    kind: 'prometheus',
    url: 'https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1',
    auth: { sigv4: { region: 'eu-west-1' } },
    holds: ['node', 'linkerd'],
  }
  expect(kindsOf(sourceSpec.parse(amp))).toEqual(['prometheus', 'node', 'linkerd'])
  expect(sourceGrants(sourceSpec.parse(amp))).toEqual([
    { action: 'aps:QueryMetrics', resource: 'arn:aws:aps:eu-west-1:*:workspace/ws-1' },
  ])
  expect(sourceGrants(sourceSpec.parse(spec))).toEqual([])
})
