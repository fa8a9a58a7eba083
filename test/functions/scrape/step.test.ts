import { expect, test } from '@jest/globals'
import type { Observation } from '../../../functions/contract.ts'
import { type ClusterView, type ScrapeWorld, scrapeStep } from '../../../functions/scrape/step.ts'
import { emptyWindow } from '../../../functions/window.ts'
import { loadWindow } from '../../../functions/window-blobs.ts'
import type { Reading, Sample, Scrape } from '../../../sources/contract.ts'
import { memoryBlobs } from '../../../stores/memory.ts'
import { start } from '../builders.ts'

const sample = (name: string, value: number, labels = {}): Sample => ({ name, value, labels })
const read = (samples: Sample[], incomplete?: string): Reading<Scrape> => ({
  status: 'read',
  value: {
    atMs: start,
    samples,
    bytes: 1,
    seriesSeen: samples.length,
    ...(incomplete === undefined ? {} : { incomplete }),
  },
})
const unreadable: Reading<Scrape> = { status: 'unreadable', why: 'connection refused' }

const world = (options: { free?: boolean } = {}) => {
  const held: ScrapeWorld['held'] = new Map()
  const clock = { nowMs: start }
  const blobs = memoryBlobs()
  const sent: Observation[] = []
  let released = 0
  let fence = 0
  const scrape = scrapeStep({
    blobs,
    held,
    nowMs: () => clock.nowMs,
    lease: async () =>
      options.free === false
        ? undefined
        : {
            fence: ++fence * 2,
            release: async () => {
              released++
            },
          },
    send: async (observation) => {
      sent.push(observation)
    },
  })
  const window = async () => {
    const { window: loaded } = await loadWindow(blobs, { cluster: 'town', longestMs: 60_000, nowMs: clock.nowMs })
    return [...loaded.targets.values()]
  }
  return { clock, sent, scrape, window, held, released: () => released }
}

const resultOf = (observation: Observation | undefined, rule: string) =>
  observation?.kind === 'rule-results' ? observation.results.find(({ ruleId }) => ruleId === rule) : undefined

const target = (reading: Reading<Scrape>, index: number) => ({
  kind: 'linkerd',
  url: `http://target-${index}`,
  labels: { job: 'linkerd', instance: `target-${index}` },
  scrape: async () => reading,
})

const cluster = (readings: Reading<Scrape>[], incomplete?: string): ClusterView => ({
  cluster: 'town',
  find: async () => ({ targets: readings.map(target), incomplete }),
  rules: [
    { ruleId: 'gone', shard: '0/1', aboutTargets: false, matches: ({ name }) => name === 'wanted' },
    {
      ruleId: 'up',
      shard: '0/1',
      aboutTargets: true,
      matches: ({ name, labels }) => name === 'up' && labels['job'] === 'linkerd',
    },
  ],
  longestMs: 60_000,
  seriesLimit: 1000,
  keepMs: (_, { name }) => (name.endsWith('_total') || name === 'up' ? 60_000 : 0),
})

test.each([
  { given: 'the series is there', readings: [read([sample('wanted', 1)])], status: 'ok', active: 0 },
  { given: 'it is gone', readings: [read([])], status: 'ok', active: 1 },
  { given: 'a source cannot be read', readings: [read([]), unreadable], status: 'unknown', active: 0 },
  { given: 'a source was cut off', readings: [read([], 'truncated')], status: 'unknown', active: 0 },
  {
    given: 'it is there though another source cannot be read',
    readings: [read([sample('wanted', 1)]), unreadable],
    status: 'ok',
    active: 0,
  },
])('an absence rule when $given is $status with $active alerts', async ({ readings, status, active }) => {
  const { scrape, sent } = world()
  await scrape(cluster(readings))
  const [observation] = sent
  const result = resultOf(observation, 'gone')
  expect([result?.status, result?.active.length]).toEqual([status, active])
})

test('without knowing all targets nothing is absent, and a rule about targets needs no more than that', async () => {
  const one = world()
  await one.scrape(cluster([read([])], 'pods is forbidden'))
  expect(resultOf(one.sent[0], 'gone')?.status).toBe('unknown')
  const two = world()
  await two.scrape(cluster([unreadable]))
  expect(resultOf(two.sent[0], 'up')).toMatchObject({ status: 'ok', active: [] })
  const none = world()
  await none.scrape(cluster([]))
  expect(resultOf(none.sent[0], 'up')).toMatchObject({ status: 'ok', active: [{ value: 1 }] })
})

const seriesIn = async (window: ReturnType<typeof world>['window'], name: string) =>
  (await window()).flatMap(({ series }) => [...series.values()].filter((one) => one.name === name))

test('the window keeps what somebody looks back to, for as long as that', async () => {
  const { scrape, window, clock } = world()
  for (const [index, value] of [10, 20, 30].entries()) {
    clock.nowMs = start + index * 40_000
    await scrape(cluster([read([sample('a_total', value, { pod: 'x' }), sample('gauge', 1)])]))
  }
  expect(await seriesIn(window, 'a_total')).toMatchObject([
    { labels: { pod: 'x' }, atMs: [start + 40_000, start + 80_000], values: [20, 30] },
  ])
  expect(await seriesIn(window, 'gauge')).toEqual([])
  expect((await window())[0]?.readAtMs).toEqual([start + 40_000, start + 80_000])
})

test('a target that cannot be read keeps the others’ past going; it is down, and the kind was not read whole', async () => {
  const { scrape, clock, held } = world()
  await scrape(cluster([read([sample('a_total', 1)]), unreadable]))
  const kept = held.get('town')?.window
  expect(kept?.wholeAtMs.get('linkerd')).toBeUndefined()
  const up = [...(kept?.targets.values() ?? [])].flatMap(({ series }) =>
    [...series.values()]
      .filter(({ name }) => name === 'up')
      .map(({ labels, values }) => [labels['instance'], ...values]),
  )
  expect(up).toEqual([
    ['target-0', 1],
    ['target-1', 0],
  ])
  clock.nowMs += 1000
  await scrape(cluster([read([sample('a_total', 1)]), read([])]))
  expect(kept?.wholeAtMs.get('linkerd')).toEqual([clock.nowMs])
})

test('a process that kept the window reads it anew when somebody else held the lease in between', async () => {
  const { scrape, held, clock } = world()
  await scrape(cluster([read([sample('a_total', 1)])]))
  const first = held.get('town')?.window
  clock.nowMs += 1000
  await scrape(cluster([read([sample('a_total', 2)])]))
  expect(held.get('town')?.window).toBe(first)
  held.set('town', { window: first ?? emptyWindow('town'), fence: -5 })
  clock.nowMs += 1000
  await scrape(cluster([read([sample('a_total', 3)])]))
  const again = held.get('town')?.window
  expect(again).not.toBe(first)
  expect(
    [...(again?.targets.values() ?? [])]
      .flatMap(({ series }) => [...series.values()])
      .find(({ name }) => name === 'a_total')?.values,
  ).toEqual([1, 2, 3])
})

test('without the lease nothing is read, with it it is given back', async () => {
  const taken = world({ free: false })
  expect(await taken.scrape(cluster([read([])]))).toEqual({ status: 'lease-taken' })
  expect(taken.sent).toEqual([])
  const free = world()
  await free.scrape(cluster([read([])]))
  expect(free.released()).toBe(1)
})

test('a window that cannot be kept leaves no rule with its last good result', async () => {
  const sent: Observation[] = []
  const scrape = scrapeStep({
    blobs: { ...memoryBlobs(), put: () => Promise.reject(new Error('no room left')) },
    nowMs: () => start,
    held: new Map(),
    lease: async () => ({ fence: 1, release: async () => undefined }),
    send: async (observation) => {
      sent.push(observation)
    },
  })
  await expect(scrape(cluster([unreadable]))).rejects.toThrow('no room left')
  expect(sent).toMatchObject([
    { kind: 'rule-results', results: [{ ruleId: 'gone', status: 'unknown' }, { ruleId: 'up' }] },
  ])
})

test('of two sources at one place the window keeps both, whole when both are', async () => {
  const { scrape, window } = world()
  const view = cluster([read([sample('a_total', 1)]), read([sample('b_total', 1)], 'broke off')])
  const { targets } = await view.find()
  const samePlace = targets.map((one) => ({ ...one, url: 'https://prometheus' }))
  await scrape({ ...view, find: async () => ({ targets: samePlace }) })
  const [only, ...rest] = await window()
  expect(rest).toEqual([])
  expect([...(only?.series.values() ?? [])].map(({ name }) => name)).toEqual(
    expect.arrayContaining(['a_total', 'b_total']),
  )
  expect(only?.readAtMs).toEqual([])
})
