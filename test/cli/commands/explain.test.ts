import { expect, test } from '@jest/globals'
import { type Explained, explain, type Unknown } from '../../../cli/commands/explain.ts'
import { explainText } from '../../../cli/commands/explain-text.ts'
import { normalise } from '../../../config/normalise.ts'
import { type Config, configSchema } from '../../../config/schema.ts'
import { keys } from '../../../functions/contract.ts'
import { correlateStep } from '../../../functions/correlate/step.ts'
import { evaluateView } from '../../../functions/evaluate/config.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { historyKeeper } from '../../../functions/history-keeping.ts'
import { hubIndex } from '../../../functions/hub-state.ts'
import type { ProbeOutcome, Verdict } from '../../../probes/contract.ts'
import { memoryBlobs, memoryStore } from '../../../stores/memory.ts'
import { hubView, openIncident, outcome, period, seen, start } from '../../functions/builders.ts'

const places = ['eu-central-1', 'us-east-1', 'ap-southeast-2']
const configOf = (more: object = {}): Config =>
  normalise(
    configSchema.parse({
      services: { shop: {} },
      monitors: { front: { kind: 'http', service: 'shop', url: 'https://shop.example/' } },
      channels: { pager: { kind: 'console' } },
      routes: [{ channels: ['pager'] }],
      locations: places,
      ...more,
    }),
  )
const plain = configOf()

const verdicts: Readonly<Record<string, Verdict>> = { P: 'pass', F: 'fail', '?': 'unknown' }

/** A minute's looks: from each place a letter for the tick and for each re-check; `-` is silence. */
const minute = (nth: number, letters: readonly string[]): ProbeOutcome[] =>
  letters.flatMap((all, place) =>
    [...all].flatMap((letter, index) => {
      const verdict = verdicts[letter]
      if (!verdict) return []
      const scheduledAtMs = start + nth * period
      const look = ['tick', 'recheck', 'recheck-2'][index] ?? 'tick'
      return [
        outcome({
          verdict,
          look,
          scheduledAtMs,
          location: places[place] ?? '',
          startedAtMs: scheduledAtMs + 2000 * index,
          timingsMs: { total: 120, resolve: 4.2, connect: 80 },
        }),
      ]
    }),
  )

type Asked = { atMs?: number; hours?: number; known?: boolean; config?: Config }

const hub = (config = plain) => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const blobs = memoryBlobs()
  const keep = historyKeeper({
    blobs,
    lost: (key, cause) => {
      throw new Error(`${key}: ${cause}`)
    },
  })
  const world = { store, nowMs: () => clock.nowMs, nudge: async () => undefined }
  const evaluate = evaluateStep({ ...world, keep, ...evaluateView(config) })
  const correlate = correlateStep({ ...world, view: hubView([{ channels: ['pager'] }]) })
  const play = async (minutes: readonly (readonly string[])[]) => {
    for (const [nth, letters] of minutes.entries()) {
      clock.nowMs = start + nth * period + 5000
      for (const one of minute(nth, letters))
        await evaluate({ ...seen([one]), id: `${one.location}:${one.look}:${nth}` })
      const due = await store.due(clock.nowMs, 100)
      await correlate(due.flatMap(({ row }) => (row.to === 'correlate' ? [row.id] : [])))
    }
  }
  const ask = (name: string, more: Asked = {}): Promise<Explained | Unknown> =>
    explain(
      { store, blobs, nowMs: clock.nowMs, ...(more.known === false ? {} : { config: more.config ?? config }) },
      { name, hours: more.hours ?? 6, ...(more.atMs === undefined ? {} : { atMs: more.atMs }) },
    )
  const say = async (name: string, more: Asked & { columns?: number } = {}) => {
    const explained = await ask(name, more)
    if (explained.kind === 'unknown') throw new Error(explained.hint)
    return explainText(explained, clock.nowMs, { columns: more.columns })
  }
  const silence = () => {
    const endsAtMs = start + 24 * 60 * period
    const one = { id: 's-1', matchers: ['service=shop'], author: 'kim', reason: 'work', startsAtMs: start, endsAtMs }
    return store.commit([{ key: keys.silences, expect: 0, value: { silences: [{ ...one, hid: [], hidCount: 0 }] } }])
  }
  /** Everything that the hub's list held is behind so many newer ones. */
  const forget = async () => {
    const index = (await store.read([keys.hub])).get(keys.hub)
    const value = { ...hubIndex.parse(index?.value), recent: Array.from({ length: 50 }, (_, nth) => `newer-${nth}`) }
    const groups = [...(await store.list('group/', { limit: 10 }))]
    await store.commit([
      { key: keys.hub, expect: index?.version ?? 0, value },
      ...groups.map(([key, { version }]) => ({ key, expect: version })),
    ])
  }
  return { play, ask, say, silence, forget }
}

const well = ['P', 'P', 'P']

test.each([
  {
    given: 'nothing failed',
    minutes: [well],
    then: 'no page: nothing failed; 3 looks, 0 unknown',
  },
  {
    given: 'a first failure',
    minutes: [well, ['FP', 'P', 'P']],
    then: 'no page: 1 of 3 locations failed, none often enough yet for its failureThreshold (first-failure); the re-check from eu-central-1 passed 2 s later',
  },
  {
    given: 'too few locations',
    minutes: [well, ['FFF', 'P', 'P']],
    then: 'no page: 1 of 3 locations failed often enough, quorum is 2 (quorum-not-met)',
  },
  {
    given: 'locations that stopped reporting',
    minutes: [well, ['FF', '-', 'P'], ['P', '-', 'P'], ['P', '-', 'P'], ['FF', '-', 'P']],
    then: 'no page: 1 of 2 locations failed, none often enough yet for its failureThreshold (first-failure); 1 of 3 locations could not look or had stopped reporting and counted as unknown: us-east-1',
  },
  {
    given: 'nobody could look',
    minutes: [['?', '?', '?']],
    then: 'no page: too few could look, so nothing was decided: unknown neither pages nor resolves (input-unknown)',
  },
  {
    given: 'an outage',
    minutes: [well, ['FFF', 'FFF', 'P']],
    then: 'alert front-availability fired at 06:01:05: 2 of 3 locations failed, quorum is 2 (threshold-met: enough locations saw it fail often enough)',
  },
  {
    given: 'an outage that goes on',
    minutes: [
      ['FFF', 'FFF', 'P'],
      ['FFF', 'FFF', 'P'],
    ],
    then: 'no new page: alert front-availability fires already, since 2026-11-23 06:00:05 UTC',
  },
])('a monitor at its last look says why or why not: $given', async ({ minutes, then }) => {
  const { play, say } = hub()
  await play(minutes)
  expect(await say('front')).toContain(`\n${then}\n`)
})

test('a monitor at a minute shows every look, the steps, the alerts after it and the incident', async () => {
  const { play, say } = hub()
  await play([well, ['FFF', 'FFF', '-'], well])
  expect(await say('front', { atMs: start + period })).toBe(`front in the minute of 2026-11-23 06:01:00 UTC

  06:01:00  eu-central-1 tick: fail after 120 ms (resolve 4 ms, connect 80 ms), assert: expected 2xx, saw 500 (assert-status)
  06:01:00  us-east-1 tick: fail after 120 ms (resolve 4 ms, connect 80 ms), assert: expected 2xx, saw 500 (assert-status)
  06:01:02  eu-central-1 re-check: fail after 120 ms (resolve 4 ms, connect 80 ms), assert: expected 2xx, saw 500 (assert-status)
  06:01:02  us-east-1 re-check: fail after 120 ms (resolve 4 ms, connect 80 ms), assert: expected 2xx, saw 500 (assert-status)
  06:01:04  eu-central-1 2nd re-check: fail after 120 ms (resolve 4 ms, connect 80 ms), assert: expected 2xx, saw 500 (assert-status)
  06:01:04  us-east-1 2nd re-check: fail after 120 ms (resolve 4 ms, connect 80 ms), assert: expected 2xx, saw 500 (assert-status)
  --:--:--  ap-southeast-2: no look in this minute; the last was scheduled at 06:00:00

alert front-availability fired at 06:01:05: 2 of 3 locations failed, quorum is 2 (threshold-met: enough locations saw it fail often enough)
  06:01:05  front-availability: inactive → pending (first-failure: it failed, but no location often enough yet (failureThreshold))
  06:01:05  front-availability:advisory: inactive → firing (quorum-not-met: too few locations agree (quorum))
  06:01:05  front-availability: pending → firing (threshold-met: enough locations saw it fail often enough)
  06:01:05  front-availability:advisory: firing → inactive (quorum-met: enough locations agree now, so the page takes over)

alert front-availability after it: firing since 2026-11-23 06:01:05 UTC
alert front-blind after it: inactive
incident shop-20261123-060100: whodunit explain shop-20261123-060100
`)
})

const without = configOf({
  services: { shop: {}, cart: {} },
  monitors: { cart: { kind: 'http', service: 'cart', url: 'https://cart.example/' } },
})

test.each([
  { given: 'the rule that it surely had', rules: {}, rule: 'front-availability' },
  { given: 'a rule of a name of its own', rules: { gone: { kind: 'availability', monitor: 'front' } }, rule: 'gone' },
])('a monitor that left the config paged all the same: by $given', async ({ rules, rule }) => {
  const { play, say } = hub(configOf({ rules }))
  await play([well, ['FFF', 'FFF', 'P'], well])
  for (const more of [{ config: without }, { known: false }]) {
    const text = await say('front', { atMs: start + period, ...more })
    expect(text).toContain(`alert ${rule} fired at 06:01:05: 2 of 3 locations failed, quorum is 2 (threshold-met`)
    expect(text).toContain('incident shop-20261123-060100: whodunit explain shop-20261123-060100')
  }
  expect(await say('front', { atMs: start + period, config: without })).toContain('front is in the config no more')
})

test('a rule that the config gives to another monitor is not said of one that left', async () => {
  const { play, say } = hub(configOf({ rules: { taken: { kind: 'availability', monitor: 'front' } } }))
  await play([well, ['FFF', 'FFF', 'P']])
  const now = configOf({
    monitors: { back: { kind: 'http', service: 'shop', url: 'https://shop.example/back' } },
    rules: { taken: { kind: 'availability', monitor: 'back' } },
  })
  expect(await say('front', { atMs: start + period, config: now })).not.toContain('taken')
})

test.each([
  { given: 'is found by its service', config: plain, then: 'incident shop-20261123-060100: whodunit explain' },
  { given: 'is not called none when its service is unknown', config: without, then: 'its incident was not found' },
])('an incident behind fifty newer ones $given', async ({ config, then }) => {
  const { play, say, forget } = hub()
  await play([well, ['FFF', 'FFF', 'P'], well])
  await forget()
  const text = await say('front', { atMs: start + period, config })
  expect(text).toContain(then)
  expect(text).not.toContain('no incident')
  expect(await say('front', { atMs: start, config })).toContain('\nno incident\n')
})

test('what happened on several days says where the next begins', async () => {
  const day = 24 * 60
  const [first, last] = ['2026-11-23', '2026-11-25']
  const incident = openIncident({
    timeline: [0, 1, 2 * day, 2 * day + 1].map((nth) => ({ atMs: start + nth * period, what: `entry ${nth}` })),
  })
  expect(explainText({ kind: 'incident', incident }, start, { columns: undefined })).toContain(
    `what happened, ${first} UTC
  06:00:00  entry 0
  06:01:00  entry 1
  ${last} UTC
  06:00:00  entry 2880
  06:01:00  entry 2881
`,
  )
})

test('the steps of an alert on another day than the one asked for say their day', async () => {
  const { play, say } = hub()
  await play([well, ['FFF', 'FFF', 'P'], well])
  const text = await say('front-availability', { atMs: Date.UTC(2026, 10, 24, 1), hours: 24 })
  expect(text).toContain('the 24 hours before 2026-11-24 01:00:00 UTC\n  2026-11-23 UTC\n  06:01:05  inactive')
})

test('a minute in which nobody looked says so, and never what was seen before', async () => {
  const { play, say } = hub()
  await play([['FFF', 'FFF', 'FFF'], []])
  const text = await say('front', { atMs: start + 30 * period })
  expect(text).toContain('eu-central-1: no look in this minute; the last was scheduled at 06:00:00')
  expect(text).not.toContain('fail after')
})

test('an alert tells what it is in and every step with its reason, also with no config', async () => {
  const { play, say } = hub()
  await play([well, ['FFF', 'FFF', 'P'], ['PP', 'PP', 'P']])
  for (const known of [true, false]) {
    const text = await say('front-availability', { known })
    expect(text).toContain('front-availability is inactive')
    expect(text).toContain('06:01:05  pending → firing: enough locations saw it fail often enough (threshold-met)')
    expect(text).toContain('06:02:05  firing → inactive: it passed again, as often as the rule asks (successThreshold)')
    expect(text).toContain('incidents: shop-20261123-060100')
  }
})

test('an alert to which nothing happened says so', async () => {
  const { play, say } = hub()
  await play([well])
  expect(await say('front-blind')).toContain('nothing happened to it in the 6 hours before 2026-11-23 06:00:05 UTC')
})

test('an alert that fires and an incident say what keeps them quiet, and nothing does once it is over', async () => {
  const { play, say, ask, silence } = hub()
  await silence()
  await play([well, ['FFF', 'FFF', 'P']])
  expect(await say('front-availability')).toContain('since 2026-11-23 06:01:05 UTC, kept quiet by silence s-1: front')
  const explained = await ask('front-availability')
  const id = explained.kind === 'alert' ? (explained.incidents[0] ?? '') : ''
  expect(await say(id)).toContain('fires, kept quiet by silence s-1: front')
  await play([well, ['FFF', 'FFF', 'P'], well, well])
  expect(await say('front-availability')).not.toContain('kept quiet')
  expect(await say(id)).not.toContain('kept quiet by')
})

test('a channel whose last message was the end is told so', async () => {
  const channel = { sequence: 3, inFlight: false, reached: true, doubtful: false, blind: false, waiting: [] }
  const incident = openIncident({ channels: { pager: { ...channel, event: 'resolved' } } })
  const text = explainText({ kind: 'incident', incident }, start, { columns: undefined })
  expect(text).toContain('pager: has the page (3 messages sent; the last one says that it is over)')
})

test('an incident tells its timeline with reasons, and who was told', async () => {
  const { play, say } = hub()
  await play([['FFF', 'FFF', 'P']])
  const text = await say('shop-20261123-060000')
  expect(text).toContain('  - pager: the page is on its way (1 message sent)')
  expect(text).toContain('pages pager (first-alert: its first alert fired)')
})

test('whatever the terminal, no line is wider', async () => {
  const { play, say } = hub()
  await play([well, ['FFF', 'FFF', 'P']])
  for (const name of ['front', 'front-availability', 'shop-20261123-060100']) {
    const text = await say(name, { columns: 44 })
    expect(text.split('\n').filter((line) => line.length > 44)).toEqual([])
  }
})

test.each([
  { name: 'frnt', hint: 'did you mean front?' },
  { name: 'front-availabilty', hint: 'did you mean front-availability?' },
  { name: 'shop-20261123-060001', hint: 'did you mean shop-20261123-060000?' },
  { name: 'x'.repeat(200), hint: /whodunit incidents/ },
])('what has no such name is answered with the nearest: $name', async ({ name, hint }) => {
  const { play, ask } = hub()
  await play([['FFF', 'FFF', 'P']])
  expect(await ask(name)).toEqual({ kind: 'unknown', name, hint: expect.stringMatching(hint) })
})
