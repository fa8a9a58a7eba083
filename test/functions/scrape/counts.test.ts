import { expect, test } from '@jest/globals'
import { loadConfig } from '../../../config/load.ts'
import type { Observation } from '../../../functions/contract.ts'
import { clusterView } from '../../../functions/scrape/config.ts'
import { type ClusterView, type ScrapeWorld, type SeriesTarget, scrapeStep } from '../../../functions/scrape/step.ts'
import type { SliCount } from '../../../rules/contract.ts'
import type { Labels, Reading, Sample, Scrape } from '../../../sources/contract.ts'
import { memoryBlobs } from '../../../stores/memory.ts'
import { start } from '../builders.ts'

const minuteMs = 60_000

const configText = (slo: string) => `
services: { shop: {} }
monitors: {}
clusters: { town: { scrapeIntervalSeconds: 60, sources: [{ kind: app, url: "http://a/metrics" }] } }
rules: { front-slo: { kind: slo, service: shop, objectivePercent: 99, series: { cluster: town, ${slo} } } }
channels: { terminal: { kind: console } }
routes: [{ channels: [terminal] }]
`
const byCode = 'total: requests_total, bad: \'requests_total{code=~"5.."}\''
const goodByCode = 'total: requests_total, good: \'requests_total{code!~"5.."}\''
const byBucket = 'total: took_seconds_count, good: \'took_seconds_bucket{le="0.3"}\''

type Values = Record<string, number>
/** `requests_total 500` is a counter with that code, `took_seconds_bucket 0.3` a bucket; others have no label. */
const samplesOf = (values: Values, labels: Labels): Sample[] =>
  Object.entries(values).map(([text, value]) => {
    const [name = '', one] = text.split(' ')
    const own = one === undefined ? {} : { [name.endsWith('_bucket') ? 'le' : 'code']: one }
    return { name, labels: { ...labels, ...own }, value }
  })

/** What a target says: its counters, nothing (it does not answer), or counters that were cut off. */
type Said = Values | 'down' | { cut: Values }

const readingOf = (said: Said, labels: Labels): Reading<Scrape> => {
  if (said === 'down') return { status: 'unreadable', why: 'connection refused' }
  const isCut = 'cut' in said && typeof said.cut === 'object'
  const samples = samplesOf((isCut ? said.cut : said) as Values, labels)
  const value = { atMs: start, samples, bytes: 1, seriesSeen: samples.length }
  return { status: 'read', value: isCut ? { ...value, incomplete: 'truncated' } : value }
}

const viewOf = async (slo: string): Promise<ClusterView> => {
  const loaded = await loadConfig('whodunit.yaml', { readFile: async () => configText(slo) })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues))
  const reader = { world: () => Promise.reject(new Error()), targets: () => Promise.reject(new Error()) }
  return clusterView(loaded.config, 'town', { reader, remembers: () => [] })
}

const world = async (slo: string) => {
  const view = await viewOf(slo)
  const blobs = memoryBlobs()
  const clock = { nowMs: start }
  const counts: SliCount[] = []
  let fence = 0
  const process = () =>
    scrapeStep({
      blobs,
      held: new Map() satisfies ScrapeWorld['held'],
      nowMs: () => clock.nowMs,
      lease: async () => ({ fence: ++fence * 2, release: async () => {} }),
      send: async (observation: Observation) => {
        if (observation.kind === 'sli-counts') counts.push(...observation.counts)
      },
    })
  const scrape = { now: process() }
  const at = async (minute: number, targets: readonly SeriesTarget[]) => {
    clock.nowMs = start + minute * minuteMs
    await scrape.now({ ...view, find: async () => ({ targets }) })
  }
  const read = (minute: number, said: readonly Said[]) => {
    const targets = said.map((one, nth) => {
      const labels = { job: 'app', instance: `a-${nth}` }
      return { kind: 'app', url: `http://a-${nth}`, labels, scrape: async () => readingOf(one, labels) }
    })
    return at(minute, targets)
  }
  /** The minutes as whoever joins all that was told knows them: good/bad/unknown. */
  const known = () => {
    const minutes = new Map<number, { good: number; bad: number; unknown: number }>()
    const events = (one: { good: number; bad: number; unknown: number }) => one.good + one.bad + one.unknown
    for (const { atMs, ...one } of counts.flatMap((count) => count.minutes)) {
      const before = minutes.get(atMs)
      if (!before || events(one) > events(before)) minutes.set(atMs, one)
    }
    return [...minutes]
      .sort(([a], [b]) => a - b)
      .map(([atMs, { good, bad, unknown }]) => `${(atMs - start) / minuteMs}: ${good}/${bad}/${unknown}`)
  }
  return { at, read, known, counts, restart: () => (scrape.now = process()) }
}

type Case = { given: string; slo: string; said: readonly (readonly Said[] | undefined)[]; then: string[]; why?: RegExp }
const cases: readonly Case[] = [
  {
    given: 'counters grow',
    slo: byCode,
    said: [
      [{ 'requests_total 200': 100, 'requests_total 500': 5 }],
      [{ 'requests_total 200': 190, 'requests_total 500': 15 }],
    ],
    then: ['1: 90/10/0'],
  },
  {
    given: 'nothing happens',
    slo: byCode,
    said: [[{ 'requests_total 200': 100 }], [{ 'requests_total 200': 100 }]],
    then: ['1: 0/0/0'],
  },
  {
    given: 'a counter begins anew',
    slo: goodByCode,
    said: [
      [{ 'requests_total 200': 100, 'requests_total 500': 50 }],
      [{ 'requests_total 200': 30, 'requests_total 500': 1 }],
    ],
    then: ['1: 30/1/0'],
  },
  {
    given: 'a code is seen for the first time',
    slo: byCode,
    said: [[{ 'requests_total 200': 100 }], [{ 'requests_total 200': 110, 'requests_total 500': 7 }]],
    then: ['1: 10/7/0'],
  },
  {
    given: 'a series is gone and comes back',
    slo: byCode,
    said: [
      [{ 'requests_total 200': 100, 'requests_total 500': 5 }],
      [{ 'requests_total 200': 110 }],
      [{ 'requests_total 200': 120, 'requests_total 500': 9 }],
    ],
    then: ['1: 10/0/0', '2: 10/9/0'],
  },
  {
    given: 'a new process says when it began',
    slo: byCode,
    said: [
      [{ 'requests_total 200': 100 }],
      [{ 'requests_total 200': 110 }, { 'requests_total 200': 40, process_start_time_seconds: start / 1000 + 30 }],
    ],
    then: ['1: 50/0/0'],
  },
  {
    given: 'a target is there that has counted for long',
    slo: byCode,
    said: [
      [{ 'requests_total 200': 100 }],
      [{ 'requests_total 200': 110 }, { 'requests_total 200': 4000, process_start_time_seconds: start / 1000 - 9000 }],
    ],
    then: ['1: 10/0/0'],
  },
  {
    given: 'a restart went past the old value and the creation tells',
    slo: byCode,
    said: [
      [{ 'requests_total 200': 100, 'requests_created 200': start / 1000 - 500 }],
      [{ 'requests_total 200': 130, 'requests_created 200': start / 1000 + 10 }],
    ],
    then: ['1: 130/0/0'],
  },
  {
    given: 'a target does not answer for a minute',
    slo: byCode,
    said: [
      [{ 'requests_total 200': 100 }, { 'requests_total 200': 500 }],
      [{ 'requests_total 200': 110 }, 'down'],
      [{ 'requests_total 200': 120 }, { 'requests_total 200': 560 }],
    ],
    then: ['1: 10/0/1', '2: 70/0/0'],
    why: /http:\/\/a-1: connection refused/,
  },
  {
    given: 'nobody answers',
    slo: byCode,
    said: [['down'], ['down']],
    then: ['0: 0/0/1', '1: 0/0/1'],
    why: /connection refused/,
  },
  {
    given: 'a reading was cut off before the errors',
    slo: byCode,
    said: [
      [{ 'requests_total 200': 100, 'requests_total 500': 0 }],
      [{ cut: { 'requests_total 200': 150 } }],
      [{ 'requests_total 200': 180, 'requests_total 500': 30 }],
    ],
    then: ['1: 0/0/1', '2: 80/30/0'],
    why: /truncated/,
  },
  {
    given: 'nothing was read for longer than can be said of a minute',
    slo: byCode,
    said: [
      [{ 'requests_total 200': 100 }],
      ...Array.from({ length: 7 }, () => undefined),
      [{ 'requests_total 200': 900 }],
    ],
    then: ['8: 0/0/800'],
    why: /nothing was read for 480 s/,
  },
  {
    given: 'a histogram has the bucket',
    slo: byBucket,
    said: [
      [{ took_seconds_count: 10, 'took_seconds_bucket 0.3': 9, 'took_seconds_bucket +Inf': 10 }],
      [{ took_seconds_count: 30, 'took_seconds_bucket 0.3': 24, 'took_seconds_bucket +Inf': 30 }],
    ],
    then: ['1: 15/5/0'],
  },
  {
    given: 'one of two histograms lacks the bucket',
    slo: byBucket,
    said: [
      [
        { took_seconds_count: 10, 'took_seconds_bucket 0.3': 9 },
        { took_seconds_count: 10, 'took_seconds_bucket 0.30': 9 },
      ],
      [
        { took_seconds_count: 30, 'took_seconds_bucket 0.3': 24 },
        { took_seconds_count: 50, 'took_seconds_bucket 0.30': 49 },
      ],
    ],
    then: ['1: 15/5/40'],
    why: /there is no bucket took_seconds_bucket\{le="0.3"\} beside took_seconds_count\{job="app",instance="a-1"\}/,
  },
  {
    given: 'no series has the label that tells bad from good',
    slo: 'total: requests_total, bad: \'requests_total{status="500"}\'',
    said: [[{ 'requests_total 200': 100 }], [{ 'requests_total 200': 110 }]],
    then: ['1: 0/0/10'],
    why: /requests_total\{.*\} has no label status/,
  },
  {
    given: 'what is named is no counter',
    slo: byCode,
    said: [[{ 'requests_total 200': 5 }], [{ 'requests_total 200': -3 }], [{ 'requests_total 200': 4 }]],
    then: ['1: 0/0/1', '2: 7/0/0'],
    why: /it is no counter: it is below 0/,
  },
  {
    given: 'a counter says as many as there can be',
    slo: byCode,
    said: [[{ 'requests_total 200': 5 }], [{ 'requests_total 200': Number.MAX_VALUE }], [{ 'requests_total 200': 4 }]],
    then: ['1: 0/0/1', '2: 4/0/0'],
    why: /it is no counter: it grew by 1.79\d*e\+308/,
  },
  {
    given: 'there is no such series at all',
    slo: byCode,
    said: [[{ other_total: 1 }], [{ other_total: 2 }]],
    then: ['0: 0/0/1', '1: 0/0/1'],
    why: /no series requests_total/,
  },
]

test.each(cases)(
  'when $given, what is told of an objective is good/bad/unknown $then',
  async ({ slo, said, then, why }) => {
    const { read, known, counts } = await world(slo)
    for (const [minute, targets] of said.entries()) if (targets) await read(minute, targets)
    expect(known()).toEqual(then)
    if (why) expect(counts.map(({ unknownWhy }) => unknownWhy ?? '').join('\n')).toMatch(why)
    else expect(counts.flatMap(({ unknownWhy }) => unknownWhy ?? [])).toEqual([])
  },
)

test('a process that goes on from a window tells again what the one before may not have told, and no event twice', async () => {
  const { read, known, counts, restart } = await world(byCode)
  await read(0, [{ 'requests_total 200': 100, 'requests_total 500': 0 }])
  await read(1, [{ 'requests_total 200': 110, 'requests_total 500': 1 }])
  await read(2, [{ 'requests_total 200': 120, 'requests_total 500': 1 }])
  counts.length = 0
  restart()
  await read(3, [{ 'requests_total 200': 135, 'requests_total 500': 3 }])
  expect(known()).toEqual(['1: 10/1/0', '2: 10/0/0', '3: 15/2/0'])
})

/** What CloudWatch has said of these minutes by then: all events, and the bad ones where there were any. */
const summed = (minutes: Record<number, [number, number?]>, incomplete?: string): Reading<Scrape> => {
  const sums = Object.entries(minutes).flatMap(([minute, [total, bad]]) => {
    const atMs = start + Number(minute) * minuteMs
    const one = (name: string, value: number) => ({ name, labels: {}, atMs, value })
    return [one('all_sum', total), ...(bad === undefined ? [] : [one('bad_sum', bad)])]
  })
  const samples = sums.map(({ name, value }) => ({ name, labels: {}, value }))
  const value = { atMs: start, samples, bytes: 0, seriesSeen: 2, sums }
  return { status: 'read', value: incomplete === undefined ? value : { ...value, incomplete } }
}

test('what CloudWatch adds up later takes the place of what it said before, and an answer that failed is unknown', async () => {
  const { at, known, counts } = await world('total: all_sum, bad: bad_sum')
  const read = (minute: number, reading: Reading<Scrape>) =>
    at(minute, [{ kind: 'cloudwatch', url: 'CloudWatch', labels: {}, scrape: async () => reading }])
  await read(3, summed({ 0: [100, 1], 1: [60] }))
  await read(4, summed({ 0: [100, 1], 1: [90, 4], 2: [80] }))
  await read(5, summed({ 2: [80] }, 'InternalError'))
  await read(6, { status: 'unreadable', why: 'AccessDenied' })
  // An older answer that comes late changes nothing.
  counts.push(...counts.slice(0, 1))
  expect(known()).toEqual(['0: 99/1/0', '1: 86/4/0', '2: 80/0/0', '5: 0/0/1', '6: 0/0/1'])
  expect(counts.at(-2)?.unknownWhy).toBe('CloudWatch: AccessDenied')
})

test('a sum that is no number of events is unknown', async () => {
  const { at, known, counts } = await world('total: all_sum, bad: bad_sum')
  const scrape = async () => summed({ 0: [100, 1], 1: [Number.MAX_VALUE] })
  await at(3, [{ kind: 'cloudwatch', url: 'CloudWatch', labels: {}, scrape }])
  expect(known()).toEqual(['0: 99/1/0', '1: 0/0/1'])
  expect(counts[0]?.unknownWhy).toMatch(/it is no number of events: 1.79/)
})

test('the counters of an objective are among what the window keeps, and so is what tells when they began', async () => {
  const { keepMs } = await viewOf(byBucket)
  const kept = (name: string, labels: Labels = {}) => keepMs('app', { name, labels, value: 1 })
  expect(kept('took_seconds_count')).toBe(1_200_000)
  expect(kept('took_seconds_bucket', { le: '0.3' })).toBe(1_200_000)
  expect(kept('took_seconds_created')).toBe(1_200_000)
  expect(kept('process_start_time_seconds')).toBe(1_200_000)
  expect(kept('took_seconds_bucket', { le: '0.5' })).toBe(0)
})
