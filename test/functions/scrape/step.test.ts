import { expect, test } from '@jest/globals'
import type { Observation } from '../../../functions/contract.ts'
import { windowKey } from '../../../functions/contract.ts'
import { type ClusterView, scrapeStep } from '../../../functions/scrape/step.ts'
import { unpackWindow } from '../../../functions/window.ts'
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
  const clock = { nowMs: start }
  const blobs = memoryBlobs()
  const sent: Observation[] = []
  let released = 0
  const scrape = scrapeStep({
    blobs,
    nowMs: () => clock.nowMs,
    lease: async () =>
      options.free === false
        ? undefined
        : async () => {
            released++
          },
    send: async (observation) => {
      sent.push(observation)
    },
  })
  const window = async () => {
    const bytes = await blobs.get(windowKey('town'))
    return bytes && unpackWindow(bytes)
  }
  return { clock, sent, scrape, window, released: () => released }
}

const cluster = (readings: Reading<Scrape>[], more: Partial<ClusterView> = {}): ClusterView => ({
  cluster: 'town',
  windowMs: 60_000,
  rules: [{ ruleId: 'gone', shard: '0/1', matches: ({ name }) => name === 'wanted' }],
  targets: readings.map((reading, index) => ({
    kind: 'linkerd',
    url: `http://target-${index}`,
    remembers: ({ name }) => name.endsWith('_total'),
    scrape: async () => reading,
  })),
  ...more,
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
  const result = observation?.kind === 'rule-results' ? observation.results[0] : undefined
  expect([result?.status, result?.active.length]).toEqual([status, active])
})

test('the window keeps what questions compare with, for as long as it reaches', async () => {
  const { scrape, window, clock } = world()
  for (const [index, value] of [10, 20, 30].entries()) {
    clock.nowMs = start + index * 40_000
    await scrape(cluster([read([sample('a_total', value, { pod: 'x' }), sample('gauge', 1)])]))
  }
  const kind = (await window())?.kinds['linkerd']
  expect(Object.values(kind?.series ?? {})).toEqual([
    {
      name: 'a_total',
      labels: { pod: 'x' },
      points: [
        [start + 40_000, 20],
        [start + 80_000, 30],
      ],
    },
  ])
  expect(kind?.readAtMs).toEqual([start + 40_000, start + 80_000])
})

test('a scrape that could not read everything does not enter the window: absence there would be a lie', async () => {
  const { scrape, window } = world()
  await scrape(cluster([read([sample('a_total', 1)]), unreadable]))
  expect((await window())?.kinds['linkerd']).toBeUndefined()
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
    lease: async () => async () => undefined,
    send: async (observation) => {
      sent.push(observation)
    },
  })
  await expect(scrape(cluster([unreadable]))).rejects.toThrow('no room left')
  expect(sent).toMatchObject([{ kind: 'rule-results', results: [{ ruleId: 'gone', status: 'unknown' }] }])
})
