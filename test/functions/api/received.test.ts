import { describe, expect, test } from '@jest/globals'
import { alertmanager, service } from '../../../config/contract.ts'
import { endRow, firingOf, meaningOf, type Received, serviceOf } from '../../../functions/api/received.ts'
import { alertChange } from '../../../functions/contract.ts'
import { jsonBytes } from '../../../functions/json-bytes.ts'
import { start } from '../builders.ts'
import { worstLetters } from './worst-letters.ts'

const runsIn = (workload: string) => service.parse({ runsIn: { cluster: 'main', namespace: 'shop', workload } })
const view = {
  alertmanager: alertmanager.parse({}),
  services: { shop: runsIn('frontend'), cart: runsIn('cart'), 'cart-db': runsIn('cart-db'), mail: service.parse({}) },
}
const received = (labels: Record<string, string>, more: Partial<Received> = {}): Received => ({
  fingerprint: '0123456789abcdef',
  labels,
  annotations: {},
  startsAtMs: start,
  endsAtMs: start + 240_000,
  ...more,
})

describe('whose an alert is', () => {
  test.each<[string, Record<string, string>, string]>([
    ['its label names a service', { service: 'mail' }, 'mail'],
    [
      'the label names the exporter, the pod tells',
      { service: 'kube-state-metrics', namespace: 'shop', pod: 'cart-7c9d8f5b6c-x2x9q' },
      'cart',
    ],
    ['the pod of a StatefulSet', { namespace: 'shop', pod: 'cart-db-0' }, 'cart-db'],
    ['the name of a workload', { namespace: 'shop', deployment: 'frontend', pod: 'kube-state-metrics-1' }, 'shop'],
    ['a pod of another namespace', { namespace: 'other', pod: 'cart-7c9d8f5b6c-x2x9q' }, 'unknown'],
    ['a pod of another workload', { namespace: 'shop', pod: 'cart-worker-7c9d8f5b6c-x2x9q' }, 'unknown'],
    ['the pod of a DaemonSet', { namespace: 'shop', pod: 'cart-db-x2x9q' }, 'cart-db'],
    ['nothing says', { alertname: 'Watchdog' }, 'unknown'],
    ['a name that every object has', { service: 'constructor' }, 'unknown'],
  ])('%s', (_, labels, expected) => {
    expect(serviceOf(received(labels), view)).toBe(expected)
  })

  test('the config may say whose all others are', () => {
    const given = { ...view, alertmanager: alertmanager.parse({ defaultService: 'mail' }) }
    expect(serviceOf(received({}), given)).toBe('mail')
  })
})

test.each<[string | undefined, string]>([
  ['critical', 'page'],
  ['Warning', 'ticket'],
  ['info', 'advisory'],
  ['none', 'advisory'],
  ['odd', 'page'],
  ['constructor', 'page'],
  [undefined, 'page'],
])('severity %s is a %s', (severity, expected) => {
  const labels = { alertname: 'A', ...(severity && { severity }) }
  expect(firingOf(received(labels), view, start).severity).toBe(expected)
})

test('an alert keeps its labels, its beginning and what it says', () => {
  const labels = { alertname: 'HighErrors', service: 'shop', severity: 'warning', instance: '10.0.0.1:80' }
  const change = firingOf(received(labels, { annotations: { summary: 'shop fails' } }), view, start + 1000)
  expect(alertChange.parse(change)).toEqual({
    alertId: 'alertmanager:0123456789abcdef',
    ruleId: 'HighErrors',
    service: 'shop',
    severity: 'ticket',
    labels,
    from: 'inactive',
    to: 'firing',
    reason: 'reported',
    atMs: start + 1000,
    sinceMs: start,
    summary: 'shop fails',
  })
})

test.each<[string, Partial<Received>, string]>([
  ['its description', { annotations: { description: 'long' } }, 'long'],
  ['its name and place', { labels: { alertname: 'A', namespace: 'shop', pod: 'cart-1' } }, 'A: shop, cart-1'],
  ['at least something', { labels: { job: 'x' } }, 'an alert without a name: x'],
])('without a summary it says %s', (_, more, expected) => {
  expect(firingOf(received({}, more), view, start).summary).toBe(expected)
})

test('an alert from a clock that is ahead began now', () => {
  expect(firingOf(received({ a: 'b' }, { startsAtMs: start + 60_000 }), view, start).sinceMs).toBe(start)
})

test('labels are bounded, those that name the alert come first', () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`a${n}`, 'x'.repeat(300)]))
  const { labels } = firingOf(received({ ...many, alertname: 'A', severity: 'critical', pod: 'p' }), view, start)
  expect(labels).toMatchObject({ alertname: 'A', severity: 'critical', pod: 'p' })
  expect(JSON.stringify(labels).length).toBeLessThan(1800)
  expect(labels['a0']).toHaveLength(200)
})

const times = (text: string) => Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`l${n}`, text]))

describe.each(worstLetters)('whatever its letters take: %s', (_, letter) => {
  const text = letter.repeat(1000)
  const hostile = received(
    { alertname: text, service: text, severity: text, namespace: text, pod: text, [text]: text, ...times(text) },
    { annotations: { summary: text } },
  )

  test('an alert takes a tenth of a part, and so does its end', () => {
    expect(jsonBytes(firingOf(hostile, view, start))).toBeLessThan(4800)
    expect(jsonBytes(endRow(hostile, { view, nowMs: start, after: 'received:1' }))).toBeLessThan(4800)
  })

  test('what is cut is still text, and says that it was', () => {
    const { summary, ruleId } = firingOf(hostile, view, start)
    expect([summary.isWellFormed(), ruleId.isWellFormed()]).toEqual([true, true])
    expect([summary.at(-1), ruleId.at(-1)]).toEqual(['…', '…'])
  })
})

test('300 tiny labels take no more than a few long ones', () => {
  expect(jsonBytes(firingOf(received(times('v')), view, start).labels)).toBeLessThan(1800)
})

test.each<[string, string]>([
  ['latin', 'x'],
  ['cyrillic', 'ж'],
  ['chinese', '障'],
])('a summary keeps 400 characters of %s', (_, letter) => {
  const { summary } = firingOf(received({}, { annotations: { summary: letter.repeat(400) } }), view, start)
  expect(summary).toBe(letter.repeat(400))
})

test('a label that has no room leaves it to those after it', () => {
  const labels = { alertname: 'A', ['n'.repeat(5000)]: 'long', zone: 'a' }
  expect(firingOf(received(labels), view, start).labels).toEqual({ alertname: 'A', zone: 'a' })
})

const known = (endsAtMs: number, reason: 'not-repeated' | 'reported-over' = 'not-repeated', dueAtMs = endsAtMs) => {
  const began = firingOf(received({}, { startsAtMs: 5000 }), view, 5000)
  const end = { ...began, to: 'inactive' as const, reason, atMs: endsAtMs }
  return { end, dueAtMs }
}

test.each<[string, number, ReturnType<typeof known> | undefined, string]>([
  ['it is new', 60_000, undefined, 'begins'],
  ['it is repeated', 60_000, known(30_000), 'goes-on'],
  ['it is repeated after its end was put off', 60_000, known(30_000, 'not-repeated', 90_000), 'goes-on'],
  ['an old repeat', 20_000, known(30_000), 'nothing'],
  ['the same again', 30_000, known(30_000), 'nothing'],
  ['it is over', 9000, known(30_000), 'ends'],
  ['it was over before it began', 4000, known(30_000), 'nothing'],
  ['it is over, again', 9000, known(9000, 'reported-over', 70_000), 'nothing'],
  ['it is over, and was by a clock that was ahead', 9000, known(9000, 'reported-over', 3_600_000), 'ends'],
  ['it is not over', 20_000, known(9000, 'reported-over', 70_000), 'goes-on'],
  ['the end of what was never heard of', 0, undefined, 'nothing'],
])('%s', (_, endsAtMs, before, expected) => {
  expect(meaningOf({ endsAtMs }, before, 10_000)).toBe(expected)
})
