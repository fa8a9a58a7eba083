import { deflateRawSync } from 'node:zlib'
import { afterAll, expect, test } from '@jest/globals'
import { countOutcome } from '../../functions/evaluate/counters.ts'
import { fitLocation, fitShard } from '../../functions/evaluate/fit.ts'
import { keptLocation, packLocation, unpackLocation } from '../../functions/location-packing.ts'
import { packShard, unpackShard } from '../../functions/shard-packing.ts'
import {
  type Alert,
  emptyShard,
  type LocationState,
  type MonitorState,
  type ShardState,
} from '../../functions/shard-state.ts'
import type { ProbeOutcome, Verdict } from '../../probes/contract.ts'
import { itemLimitBytes } from '../../stores/contract.ts'
import { outcome, period, start } from './builders.ts'

/** Deterministic noise. */
const noise = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state / 2 ** 32
  }
}

const names = ['checkout', 'catalogue', 'payments', 'search', 'login', 'emails', 'voting', 'images']
/** Ids of forty characters that differ as people's do. */
const ids = Array.from({ length: 330 }, (_, index) =>
  `${names[index % names.length]}-api-of-team-${names[(index * 7) % names.length]}-number-${index}-eu-production`.slice(
    0,
    40,
  ),
).map((id, index) => `${id.slice(0, 36)}-${String(index).padStart(3, '0')}`)

type Make = (at: { monitorId: string; tick: number; random: () => number }) => ProbeOutcome[]

/** The counters after 30 ticks of so many monitors. */
const played = (monitors: number, make: Make): LocationState => {
  const random = noise(7)
  const each = ids.slice(0, monitors).map((monitorId) => {
    let state: MonitorState | undefined
    for (let tick = 0; tick < 30; tick++) {
      for (const seen of make({ monitorId, tick, random })) state = countOutcome(state, seen, seen.scheduledAtMs)
    }
    return state ? [[monitorId, state] as const] : []
  })
  return { monitors: Object.fromEntries(each.flat()) }
}

const phases = (random: () => number) => {
  const [resolve, connect, tls, processing, transfer] = [3, 12, 25, 180, 4].map((ms) => ms * (0.5 + random()))
  return { resolve, connect, tls, processing, transfer, total: 230 * (0.5 + random()) }
}
const certificate = {
  subject: 'CN=shop.example',
  issuer: 'CN=R11,O=Authority',
  names: ['shop.example', 'www.shop.example'],
  notBeforeMs: start - 30 * 86_400_000,
  notAfterMs: start + 60 * 86_400_000,
}

const healthy: Make = ({ monitorId, tick, random }) => {
  const scheduledAtMs = start + tick * period
  const startedAtMs = scheduledAtMs + Math.floor(random() * 900)
  const [timingsMs, attempt] = [phases(random), { statusCode: 200, certificate }]
  // `as`: phases that are numbers, not undefined.
  return [outcome({ monitorId, verdict: 'pass', scheduledAtMs, startedAtMs, timingsMs, attempt } as ProbeOutcome)]
}

const failing =
  (detail: string): Make =>
  ({ monitorId, tick, random }) =>
    ['tick', 'recheck'].map((look) => ({
      ...outcome({ monitorId, verdict: 'fail', scheduledAtMs: start + tick * period, look }),
      startedAtMs: start + tick * period + Math.floor(random() * 900),
      cause: { phase: 'connect' as const, code: 'connection-timeout', detail: `${detail.slice(0, 340)} ${monitorId}` },
      timingsMs: { total: 10_000 + random(), resolve: 5 * random() },
    }))

/** Whatever can happen: each look of a random kind and verdict, at times that fit nothing. */
const wild: Make = ({ monitorId, tick, random }) => {
  const verdicts: readonly Verdict[] = ['pass', 'degraded', 'fail', 'unknown']
  const scheduledAtMs = start + tick * period + (random() < 0.3 ? Math.floor(random() * 50_000) : 0)
  return ['tick', 'recheck', `probe:0/1:${monitorId}:local:${scheduledAtMs}`]
    .filter(() => random() < 0.7)
    .map((look) => {
      const seen = outcome({ monitorId, verdict: verdicts[Math.floor(random() * 4)] ?? 'pass', scheduledAtMs, look })
      return {
        ...seen,
        startedAtMs: scheduledAtMs + Math.floor(random() * 70_000),
        timingsMs: { total: random() * 900 },
      }
    })
}

const long =
  'expected a page that says "welcome", saw 503 with "upstream connect error or disconnect/reset before headers. '
const sizes = (value: unknown) => {
  const json = Buffer.from(JSON.stringify(value))
  return { jsonBytes: json.byteLength, deflatedBytes: deflateRawSync(json).byteLength }
}

const table: { item: string; plainBytes: number; packedBytes: number; deflatedBytes: number }[] = []
afterAll(() => console.table(table))

const locations = [
  { given: '250 healthy monitors', state: played(250, healthy), json: 40 * 1024, deflated: 15 * 1024 },
  { given: '330 healthy monitors', state: played(330, healthy), json: 54 * 1024, deflated: 20 * 1024 },
  { given: '250 failing, long causes', state: played(250, failing(long.repeat(4))), json: 60_000, deflated: 30_000 },
  { given: '330 failing, long causes', state: played(330, failing(long.repeat(4))), json: 60_000, deflated: 30_000 },
  {
    given: '330 failing, causes of nothing but escapes',
    state: played(330, failing('\u0001'.repeat(500))),
    json: 60_000,
    deflated: 30_000,
  },
  {
    given: '330 failing, Chinese causes',
    state: played(330, failing('请求超时'.repeat(100))),
    json: 60_000,
    deflated: 30_000,
  },
  { given: '250 behaving wildly', state: played(250, wild), json: 60_000, deflated: 40_000 },
]

test.each(locations)('counters of $given fit their item', ({ given, state, json, deflated }) => {
  const { packed } = fitLocation(state)
  const { jsonBytes, deflatedBytes } = sizes(packed)
  table.push({ item: given, plainBytes: sizes(state).jsonBytes, packedBytes: jsonBytes, deflatedBytes })
  expect(jsonBytes).toBeLessThanOrEqual(json)
  expect(deflatedBytes).toBeLessThanOrEqual(deflated)
  expect(Object.keys(unpackLocation(packed).monitors)).toHaveLength(Object.keys(state.monitors).length)
})

test('however full an item is, every monitor keeps more looks than any threshold and its last verdict', () => {
  const kept = unpackLocation(fitLocation(played(330, failing(long.repeat(4)))).packed).monitors
  for (const { looks, last } of Object.values(kept)) {
    expect(looks.length).toBeGreaterThanOrEqual(10)
    expect([last.verdict, last.look, last.cause?.code]).toEqual(['fail', 'recheck', 'connection-timeout'])
  }
})

const tenths = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(ms * 10) / 10)

/** What is documented to be lost is taken from the original too. */
const withLoss = ({ monitors }: LocationState): LocationState => ({
  monitors: Object.fromEntries(
    Object.entries(monitors).map(([id, { looks, last }]) => {
      const failure = looks.findLastIndex(({ verdict }) => verdict === 'fail')
      const timings = Object.entries(last.timingsMs).map(([phase, ms]) => [phase, tenths(ms)])
      return [
        id,
        {
          looks: looks.map(({ detail, ...look }, index) => (index === failure && detail ? { ...look, detail } : look)),
          // `as`: the same phases, rounded.
          last: { ...last, timingsMs: Object.fromEntries(timings) as typeof last.timingsMs },
        },
      ]
    }),
  ),
})

test.each([
  { given: 'healthy', make: healthy },
  { given: 'failing', make: failing('no answer') },
  { given: 'wild', make: wild },
])('what was packed comes back: $given', ({ make }) => {
  const state = played(40, make)
  const packed: unknown = JSON.parse(JSON.stringify(packLocation(state)))
  expect(unpackLocation(packed)).toEqual(withLoss(state))
})

test.each([
  { given: 'healthy', make: healthy },
  { given: 'failing', make: failing('no answer') },
  { given: 'wild', make: wild },
])('what a process remembers is what it would read again: $given', ({ make }) => {
  const [state, nothing] = [played(40, make), { monitors: {} }]
  const packed: unknown = JSON.parse(JSON.stringify(packLocation(state)))
  const kept = keptLocation(state, nothing)
  expect(kept).toEqual(unpackLocation(packed))
  expect(keptLocation(kept, kept)).toEqual(kept)
})

test('looks that began in another order than they were scheduled in stay in it', () => {
  const at = (look: string, afterMs: number, beganMs = afterMs) =>
    outcome({ verdict: 'fail', look, scheduledAtMs: start + afterMs, startedAtMs: start + beganMs })
  const began = [
    at('probe:a', 600),
    at('tick', 0, 2700),
    at('recheck', 0, 9000),
    at('probe:b', 9000),
    at('tick', -60_000, 9500),
  ]
  const front = began.reduce<MonitorState | undefined>((so, one) => countOutcome(so, one, start + 10_000), undefined)
  const state = { monitors: front ? { front } : {} }
  const back = unpackLocation(JSON.parse(JSON.stringify(packLocation(state))))
  expect(back).toEqual(withLoss(state))
})

test('packing what was unpacked changes nothing any more', () => {
  const once = packLocation(played(40, wild))
  expect(packLocation(unpackLocation(once))).toEqual(once)
})

test('an item that the version before wrote is read', () => {
  const last = { ...outcome({ verdict: 'fail' }), statusCode: 500, certificate }
  const { monitorId: _, location: __, ...rest } = last
  const looks = [{ scheduledAtMs: start, look: 'tick', verdict: 'fail', detail: 'saw 500' }]
  const { monitors } = unpackLocation({ monitors: { front: { looks, last: rest } } })
  expect(monitors['front']).toMatchObject({
    looks,
    last: { statusCode: 500, certificate: { notAfterMs: certificate.notAfterMs } },
  })
  expect(unpackLocation(packLocation({ monitors })).monitors).toEqual(monitors)
})

test('steady ticks are one short token, whatever came before them', () => {
  const passes = played(1, healthy)
  const packed = packLocation(passes).monitors[ids[0] ?? '']
  expect(packed?.looks).toMatch(/^[0-9a-z]+Po\*1aao$/)
})

test('what is no state of ours is refused rather than guessed at', () => {
  expect(() => unpackLocation({ form: 'packed-9', monitors: {} })).toThrow()
  expect(() => unpackShard({ form: 'packed-1' })).toThrow()
})

const alertOf = (ruleId: string, index: number): Alert => ({
  ruleId,
  service: names[index % names.length] ?? '',
  labels: { service: names[index % names.length] ?? '', severity: 'page' },
  state: index % 3 === 0 ? 'pending' : 'firing',
  activeAtMs: start + index,
  sinceMs: start - 60_000,
  ...(index % 3 === 0 ? {} : { firedAtMs: start + 5000 }),
  ...(index % 5 === 0 ? { heldSinceMs: start + 9000 } : {}),
  reason: index % 3 === 0 ? 'first-failure' : 'threshold-met',
  summary: `${ruleId} fails from eu-central-1, us-east-1: ${long}`.repeat(3).slice(0, 400),
})

const ruleIds = (monitors: number) => ids.slice(0, monitors).flatMap((id) => [`${id}-availability`, `${id}-blind`])
const alertsOf = (rules: readonly string[]): ShardState => ({
  ...emptyShard,
  told: 'alerts:0/1:7',
  alerts: Object.fromEntries(rules.map((id, index) => [id, alertOf(id, index)])),
})

const shards = [
  { given: 'all well', state: emptyShard, json: 200 },
  {
    given: '500 rules of monitors nobody has looked at yet',
    state: { ...emptyShard, knownSinceMs: Object.fromEntries(ruleIds(250).map((id) => [id, start])) },
    json: 30_000,
  },
  {
    given: '250 firing',
    state: alertsOf(
      ruleIds(330)
        .filter((id) => id.endsWith('y'))
        .slice(0, 250),
    ),
    json: 60_000,
  },
  { given: '330 firing', state: alertsOf(ruleIds(330).filter((id) => id.endsWith('y'))), json: 60_000 },
  { given: '250 firing and all of them blind', state: alertsOf(ruleIds(250)), json: 60_000 },
  {
    given: '330 firing, each for the thirteenth time within the hour',
    state: {
      ...alertsOf(ruleIds(330).filter((id) => id.endsWith('y'))),
      fired: Object.fromEntries(
        ruleIds(330).map((id) => [id, Array.from({ length: 12 }, (_, n) => start + n * 97_531)]),
      ),
    },
    json: itemLimitBytes,
  },
  { given: '330 firing and all of them blind', state: alertsOf(ruleIds(330)), json: itemLimitBytes },
]

test.each(shards)('alerts of a shard with $given fit their item, and none is lost', ({ given, state, json }) => {
  const packed = packShard(fitShard(state))
  const { jsonBytes, deflatedBytes } = sizes(packed)
  table.push({ item: given, plainBytes: sizes(state).jsonBytes, packedBytes: jsonBytes, deflatedBytes })
  expect(jsonBytes).toBeLessThanOrEqual(json)
  const back = unpackShard(JSON.parse(JSON.stringify(packed)))
  const bare = ({ alerts, fired: _, ...rest }: ShardState) => ({
    ...rest,
    alerts: Object.values(alerts).map(({ summary: _, ...alert }) => alert),
  })
  expect(bare(back)).toEqual(bare(state))
})

test('a shard that has room keeps everything, and comes back the same', () => {
  const state: ShardState = {
    ...alertsOf(ruleIds(20)),
    knownSinceMs: { 'front-blind': start, 'cart-blind': start, 'pay-blind': start + 1 },
    results: { absent: { ruleId: 'absent', atMs: start, status: 'ok', active: [{ labels: { pod: 'a' }, value: 1 }] } },
    fired: { 'front-down': [start - 50_000, start, start + 1], 'pay-down': [start] },
    moved: ['3/4'],
  }
  const odd = { ...alertOf('odd', 1), labels: { service: 'voting', severity: 'page', team: 'blue' } }
  const whole = { ...state, alerts: { ...state.alerts, odd } }
  expect(unpackShard(packShard(fitShard(whole)))).toEqual(whole)
})

test('a shard that the version before wrote is read', () => {
  const old = { ...alertsOf(ruleIds(3)), knownSinceMs: { a: start } }
  expect(unpackShard(JSON.parse(JSON.stringify(old)))).toEqual(old)
})
