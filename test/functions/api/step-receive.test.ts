import { beforeEach, expect, test } from '@jest/globals'
import { alertmanager, type Severity, service } from '../../../config/contract.ts'
import type { ReceivedView } from '../../../functions/api/received.ts'
import { receiveStep } from '../../../functions/api/step-receive.ts'
import type { Nudge } from '../../../functions/contract.ts'
import { correlateStep } from '../../../functions/correlate/step.ts'
import { incident } from '../../../functions/hub-state.ts'
import { type Store, StoreError } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { hubView, start } from '../builders.ts'
import { worstLetters } from './worst-letters.ts'

const clock = { nowMs: start }
const nowMs = () => clock.nowMs
let store: Store = memoryStore({ nowMs })
let nudged: Nudge[] = []
let warnings: string[] = []

beforeEach(() => {
  clock.nowMs = start
  store = memoryStore({ nowMs })
  nudged = []
  warnings = []
})

const receive = (body: unknown, config: Partial<ReceivedView> = {}) =>
  receiveStep({
    store,
    nowMs,
    nudge: async (nudges) => {
      nudged.push(...nudges)
    },
    warn: (text) => warnings.push(text),
    view: { alertmanager: alertmanager.parse({}), services: { shop: service.parse({}) }, ...config },
  })(body)

/** While the hub runs, a due row is brought to `correlate` so soon. */
const sweptWithinMs = 10_000

const correlate = async (rowIds?: string[]) => {
  const view = hubView([{ channels: ['pager'] }])
  const step = correlateStep({ store, nowMs, nudge: async () => undefined, view, sweptWithinMs })
  const due = (await store.due(nowMs(), 100)).map(({ row }) => row)
  await step(rowIds ?? due.filter(({ to }) => to === 'correlate').map(({ id }) => id))
}

const incidents = async () =>
  [...(await store.list('incident/', { limit: 100 })).values()].map(({ value }) => incident.parse(value))
const states = async () => (await incidents()).map(({ service, status }) => `${service} ${status}`)

const iso = (ms: number) => new Date(ms).toISOString()
const alert = (more: { labels?: object; startsAt?: string | undefined; endsAt?: string } = {}) => ({
  labels: { alertname: 'HighErrors', service: 'shop', severity: 'critical' },
  annotations: { summary: 'shop fails' },
  startsAt: iso(start - 30_000),
  endsAt: iso(nowMs() + 240_000),
  generatorURL: 'http://prometheus/graph',
  ...more,
})

test('an alert opens an incident at once, a repeat changes nothing but its end', async () => {
  expect(await receive([alert()])).toEqual({ status: 'accepted', alerts: 1, unmapped: [] })
  expect(nudged).toHaveLength(1)
  await correlate()
  expect(await states()).toEqual(['shop open'])
  const [before] = await incidents()
  expect(before).toMatchObject({
    sinceMs: start - 30_000,
    alerts: { [Object.keys(before?.alerts ?? {})[0] ?? '']: { firing: true } },
  })
  clock.nowMs += 180_000
  nudged = []
  await receive([alert()])
  await correlate()
  expect(nudged).toEqual([])
  expect(await incidents()).toEqual([before])
  // Its first end has passed, the repeat's has not.
  clock.nowMs = start + 300_000
  await correlate()
  expect(await states()).toEqual(['shop open'])
})

test('an alert that nobody repeats is over when its end has passed', async () => {
  await receive([alert()])
  await correlate()
  clock.nowMs += 240_000
  await correlate()
  expect(await states()).toEqual(['shop resolved'])
  const [over] = await incidents()
  expect(JSON.stringify(over?.timeline)).toContain('not-repeated')
})

const acknowledge = async () => {
  const [one] = await incidents()
  const body = { kind: 'acknowledge' as const, incidentId: one?.id ?? '', by: 'lena', atMs: nowMs() }
  const row = { id: 'acknowledge', to: 'correlate' as const, dueAtMs: nowMs(), nudges: 0, body }
  await store.commit([], [{ id: row.id, expect: 0, row }])
  await correlate()
}

const minuteMs = 60_000
const endDueAtMs = async () => {
  const due = await store.due(Number.MAX_SAFE_INTEGER, 100)
  return due.find(({ row }) => row.id.startsWith('received-end:'))?.row.dueAtMs
}

test('a hub that was off ends nothing that nobody could repeat to it, and who has taken it on still has it', async () => {
  await receive([alert()])
  await correlate()
  await acknowledge()
  clock.nowMs += 6 * minuteMs
  await correlate()
  clock.nowMs += 30_000
  await receive([alert()])
  await correlate()
  expect(await states()).toEqual(['shop acknowledged'])
  clock.nowMs += 4 * minuteMs
  await correlate()
  expect(await states()).toEqual(['shop resolved'])
})

test('what nobody repeats to a hub that is back is over five minutes later', async () => {
  await receive([alert()])
  clock.nowMs += 60 * minuteMs
  await correlate()
  expect(await states()).toEqual(['shop open'])
  clock.nowMs += 5 * minuteMs - 1
  await correlate()
  expect(await states()).toEqual(['shop open'])
  clock.nowMs += 1 + sweptWithinMs
  await correlate()
  expect(await states()).toEqual(['shop resolved'])
})

test('an end that is put off is a row nobody has tried yet', async () => {
  await receive([alert()])
  const [end] = (await store.due(Number.MAX_SAFE_INTEGER, 100)).filter(({ row }) => row.id.startsWith('received-end:'))
  if (!end) throw new Error('it has no end')
  clock.nowMs += 60 * minuteMs
  await store.commit([], [{ id: end.row.id, expect: end.version, row: { ...end.row, nudges: 9, nudgedAtMs: nowMs() } }])
  await correlate()
  expect((await store.row(end.row.id))?.row).toEqual({ ...end.row, dueAtMs: nowMs() + 5 * minuteMs })
})

const goesOn = () => alert()
const isOver = () => alert({ endsAt: iso(start + minuteMs) })

test.each<[string, (() => object)[], number]>([
  ['nobody says more: five minutes later', [], 300],
  ['it is said again: when the pair had its time', [isOver], 135],
  ['the other server of the pair goes on: as that says', [goesOn], 240],
  ['it goes on and the end is repeated: when the pair had its time', [goesOn, isOver], 135],
])(
  'an alert that was said to be over before the hub was off ends after it is back, and %s',
  async (_, posts, seconds) => {
    await receive([alert()])
    await correlate()
    clock.nowMs = start + minuteMs
    await receive([isOver()])
    clock.nowMs += 5 * minuteMs
    await correlate()
    expect(await states()).toEqual(['shop open'])
    for (const post of posts) await receive([post()])
    expect(await endDueAtMs()).toBe(nowMs() + seconds * 1000)
    clock.nowMs += seconds * 1000
    await correlate()
    expect(await states()).toEqual(['shop resolved'])
  },
)

test('a clock that was set ahead and back puts no end off for long', async () => {
  await receive([alert()])
  clock.nowMs += 60 * minuteMs
  await correlate()
  clock.nowMs = start + minuteMs
  await receive([alert()])
  expect(await endDueAtMs()).toBe(start + 5 * minuteMs)
})

/** Plays what is posted at which second, and tells what becomes of the incident at which. */
const play = async (posts: Readonly<Record<number, object>>, seconds: number) => {
  const seen: string[] = []
  for (let second = 0; second <= seconds; second += 5) {
    clock.nowMs = start + second * 1000
    if (posts[second]) await receive([alert(posts[second])])
    await correlate()
    const now = (await states()).join()
    if (!seen.at(-1)?.endsWith(now)) seen.push(`${second} ${now}`)
  }
  return seen
}
const firesUntil = (second: number) => ({ startsAt: iso(start), endsAt: iso(start + second * 1000) })
const overAt = firesUntil

test.each<[string, Parameters<typeof play>[0], string]>([
  ['is over then', { 0: firesUntil(240), 60: overAt(60) }, '195'],
  ['also before its beginning is applied', { 0: firesUntil(240), 5: overAt(5) }, '140'],
  ['whoever repeats that it is over', { 0: firesUntil(240), 60: overAt(60), 120: overAt(60), 180: overAt(60) }, '195'],
  [
    'unless another server of a pair goes on, which sees its end a little later',
    { 0: firesUntil(240), 60: overAt(60), 70: firesUntil(310), 85: overAt(80), 120: overAt(60) },
    '220',
  ],
  [
    'or does not see it',
    { 0: firesUntil(240), 60: overAt(60), 90: firesUntil(330), 120: overAt(60), 150: firesUntil(390), 180: overAt(60) },
    '315',
  ],
  ['or goes on to a shorter end', { 0: firesUntil(240), 60: overAt(60), 70: firesUntil(100) }, '100'],
])('an alert that is said to be over has 135 seconds to go on: %s', async (_, posts, resolved) => {
  expect(await play(posts, 500)).toEqual(['0 shop open', `${resolved} shop resolved`])
})

/** Prometheus repeats an alert with the first evaluation that is more than a minute after it did so last. */
test.each([
  ['15 s', 75],
  ['30 s', 90],
  ['1 min', 120],
  ['2 min', 120],
])(
  'of a pair that evaluates every %s, one goes on as long as it likes while the other repeats the end',
  async (_, every) => {
    const rounds = Array.from({ length: 8 }, (_, nth) => 60 + nth * every)
    const posts = rounds.flatMap((second) => [
      [second - 5, firesUntil(second + 235)],
      [second, overAt(60)],
    ])
    expect(await play({ 0: firesUntil(240), ...Object.fromEntries(posts) }, 60 + 7 * every)).toEqual(['0 shop open'])
  },
)

test('an alert of a sender that never says since when it fires is over when that says so, however late it went on', async () => {
  for (const second of [0, 30, 60, 75]) {
    clock.nowMs = start + second * 1000
    await receive([alert({ startsAt: undefined, ...(second === 75 && { endsAt: iso(nowMs() - 20_000) }) })])
    await correlate()
  }
  expect(await endDueAtMs()).toBe(nowMs() + 135_000)
  clock.nowMs += 135_000
  await correlate()
  expect(await states()).toEqual(['shop resolved'])
})

test('what the config calls otherwise fires since it was heard first, where its sender does not say', async () => {
  await receive([alert({ startsAt: undefined })], calls('ticket'))
  await correlate()
  clock.nowMs += minuteMs
  await receive([alert({ startsAt: undefined })], calls('page'))
  await correlate()
  const [one] = await incidents()
  expect(Object.values(one?.alerts ?? {})).toMatchObject([{ severity: 'page', sinceMs: start }])
})

test('a server that still repeats the end of the time before ends nothing that another says fires again', async () => {
  const again = (untilSecond: number) => ({ startsAt: iso(start + 420_000), endsAt: iso(start + untilSecond * 1000) })
  const posts = {
    ...{ 0: firesUntil(240), 100: overAt(100), 160: overAt(100) },
    ...{ 420: again(660), 450: overAt(100), 480: again(720), 510: overAt(100), 540: overAt(100) },
    ...{ 600: { startsAt: iso(start + 420_000), endsAt: iso(start + 600_000) } },
  }
  expect(await play(posts, 800)).toEqual([
    '0 shop open',
    '235 shop resolved',
    '420 shop resolved,shop open',
    '735 shop resolved,shop resolved',
  ])
})

test('an end that is told by a clock that was set ahead waits no longer when that is set back', async () => {
  await receive([alert()])
  await correlate()
  clock.nowMs = start + 60 * minuteMs
  await receive([alert({ endsAt: iso(start) })])
  clock.nowMs = start + minuteMs
  await receive([alert({ endsAt: iso(start) })])
  expect(await endDueAtMs()).toBe(start + minuteMs + 135_000)
})

test('an alert that comes again after its end fires again', async () => {
  await receive([alert()])
  await correlate()
  clock.nowMs += 240_000
  await correlate()
  await receive([alert()])
  await correlate()
  expect((await states()).sort()).toEqual(['shop open', 'shop resolved'])
})

const calls = (severity: Severity) => ({ alertmanager: alertmanager.parse({ severities: { critical: severity } }) })
const standing = async () =>
  (await incidents()).map(({ status, severity, alerts }) => {
    const [told] = Object.values(alerts)
    return `${status} ${severity} of ${told?.service}`
  })

test.each<[Severity, Severity, string[]]>([
  ['ticket', 'page', ['open page of shop']],
  ['page', 'ticket', ['open ticket of shop']],
  ['advisory', 'page', ['resolved advisory of shop', 'open page of shop']],
  ['page', 'advisory', ['open advisory of shop', 'resolved page of shop']],
])('an alert that fires as %s and that the config calls %s since is told once more, once', async (was, is, then) => {
  await receive([alert()], calls(was))
  await correlate()
  for (let nth = 0; nth < 3; nth++) {
    clock.nowMs += minuteMs
    nudged = []
    await receive([alert()], calls(is))
    expect(nudged).toHaveLength(nth === 0 ? 1 : 0)
    await correlate()
    expect((await standing()).sort()).toEqual(then.toSorted())
  }
  await receive([alert({ endsAt: iso(nowMs()) })], calls(was))
  clock.nowMs += 135_000
  await correlate()
  expect((await standing()).sort()).toEqual(then.map((one) => one.replace('open', 'resolved')).sort())
})

test('an alert whose service the config finds since is told as its own', async () => {
  const odd = { alertname: 'HighErrors', service: 'cart' }
  await receive([alert({ labels: odd })])
  await correlate()
  expect(await standing()).toEqual(['open page of unknown'])
  clock.nowMs += minuteMs
  await receive([alert({ labels: odd })], { services: { cart: service.parse({}) } })
  await correlate()
  expect(await standing()).toEqual(['open page of cart'])
})

test('what the config calls otherwise twice before anybody applies it is what it called it last', async () => {
  for (const severity of ['ticket', 'page', 'ticket', 'page', 'page'] as const) {
    await receive([alert()], calls(severity))
    clock.nowMs += 1000
  }
  await receive([alert({ endsAt: iso(nowMs()) })], calls('ticket'))
  await receive([alert()], calls('page'))
  const due = (await store.due(nowMs(), 100)).map(({ row }) => row.id)
  expect(due).toHaveLength(4)
  await correlate(due.toReversed())
  expect(await standing()).toEqual(['open page of shop'])
})

test('the identity of an alert is its labels, whatever their order; empty ones are none', async () => {
  await receive([alert({ labels: { b: '1', a: '2' } }), alert({ labels: { a: '2', b: '1', c: '' } })])
  await receive([alert({ labels: { a: '2', b: '2' } })])
  await correlate()
  const [one] = await incidents()
  expect(one?.counts).toMatchObject({ alerts: 2, firing: 2, audible: 2 })
})

test('an alert of no known service pages all the same, and both sides are told', async () => {
  const labels = { alertname: 'Odd', service: 'kube-state-metrics' }
  expect(await receive([alert({ labels })])).toEqual({ status: 'accepted', alerts: 1, unmapped: ['Odd'] })
  await correlate()
  expect(await states()).toEqual(['unknown open'])
  expect(warnings).toEqual(['received alerts of no known service: Odd'])
  await receive([alert({ labels })])
  expect(warnings).toHaveLength(1)
})

test('times may be left out, as Go does with its zero time too', async () => {
  await receive([{ labels: { alertname: 'A' }, endsAt: '0001-01-01T00:00:00.000Z' }, { labels: { alertname: 'B' } }])
  await correlate()
  expect((await incidents())[0]).toMatchObject({ sinceMs: start, counts: { firing: 2 } })
  clock.nowMs += 300_000
  await correlate()
  expect(await states()).toEqual(['unknown resolved'])
})

test.each<[string, unknown, string]>([
  ['no list', { alerts: [] }, 'not a list'],
  ['no labels', [{ annotations: {} }], 'alert 1: labels'],
  ['only empty labels', [{ labels: { a: '' } }], 'at least one label'],
  ['a label that is no text', [{ labels: { a: 1 } }], 'alert 1: labels.a'],
  ['no time', [{ labels: { a: 'b' }, startsAt: 'yesterday' }], 'alert 1: startsAt'],
  [
    'an end before its start',
    [{ labels: { a: 'b' }, startsAt: iso(start), endsAt: iso(start - 1) }],
    'ends before it starts',
  ],
])('%s is refused with the reason', async (_, body, why) => {
  const result = await receive(body)
  expect(result).toMatchObject({ status: 'refused', accepted: 0 })
  expect(result.status === 'refused' && result.why.join()).toContain(why)
  expect(await store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([])
})

test('of several alerts those that can be read are taken', async () => {
  expect(await receive([{ labels: {} }, alert()])).toMatchObject({ status: 'refused', accepted: 1 })
  await correlate()
  expect(await states()).toEqual(['shop open'])
})

test('a storm of alerts goes in parts that a transaction and a row can hold', async () => {
  const labels = (n: number) => ({
    alertname: `A${n}`,
    service: 'shop',
    note: 'x'.repeat(2000),
    more: 'y'.repeat(2000),
  })
  const many = Array.from({ length: 256 }, (_, n) => alert({ labels: labels(n) }))
  expect(await receive(many)).toMatchObject({ status: 'accepted', alerts: 256 })
  for (let round = 0; round < 20; round++) await correlate()
  expect((await incidents())[0]?.counts.firing).toBe(256)
})

test.each([...worstLetters, ['tiny labels', '']])(
  'a storm of %s fits as well, and all of it pages',
  async (_, letter) => {
    const long = letter.repeat(300)
    const labels = (n: number) => ({
      alertname: `A${n}`,
      service: 'shop',
      ...Object.fromEntries(Array.from({ length: letter ? 8 : 300 }, (_, k) => [`l${k}`, long || 'v'])),
    })
    const many = Array.from({ length: 60 }, (_, n) => ({
      ...alert({ labels: labels(n) }),
      annotations: { summary: long },
    }))
    expect(await receive(many)).toMatchObject({ status: 'accepted', alerts: 60 })
    for (let round = 0; round < 20; round++) await correlate()
    expect((await incidents())[0]?.counts.firing).toBe(60)
  },
)

const many = () =>
  Array.from({ length: 60 }, (_, n) => alert({ labels: { alertname: `A${n}`, service: 'shop', severity: 'critical' } }))

test.each<[string, Error, number]>([
  ['is too large: the others are kept', new StoreError('too-large', 'a row is too large', { hint: '' }), 40],
  ['meets an error nobody knows: the others are kept', new Error('odd'), 40],
  ['finds the store away: nobody asks it again', new StoreError('unreachable', 'no answer', { hint: '' }), 20],
])('one part of a body %s, and the sender is told', async (_, error, kept) => {
  const whole = store
  let parts = 0
  store = { ...whole, commit: async (...written) => (++parts === 2 ? Promise.reject(error) : whole.commit(...written)) }
  await expect(receive(many())).rejects.toBe(error)
  store = whole
  await correlate()
  await correlate()
  expect((await incidents())[0]?.counts.firing).toBe(kept)
})

test('one part that others keep writing takes none of the rest along', async () => {
  const whole = store
  const contended = async (...[changes, rows]: Parameters<Store['commit']>) =>
    JSON.stringify(rows).includes('"A25"') ? ('conflict' as const) : whole.commit(changes, rows)
  store = { ...whole, commit: contended }
  expect(await receive(many())).toEqual({ status: 'busy' })
  store = whole
  await correlate()
  await correlate()
  expect((await incidents())[0]?.counts.firing).toBe(40)
})

test('two servers that post the same at once begin it once', async () => {
  const results = await Promise.all([receive([alert()]), receive([alert()])])
  expect(results.map(({ status }) => status)).toEqual(['accepted', 'accepted'])
  await correlate()
  const [one] = await incidents()
  expect(one?.timeline.filter(({ reason }) => reason === 'reported')).toHaveLength(1)
})
