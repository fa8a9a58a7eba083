import { expect, test } from '@jest/globals'
import { type Config, configSchema } from '../../../config/schema.ts'
import { judgeAcknowledgeToken, linkKeepMs } from '../../../functions/api/links.ts'
import { type DeliveryOrder, keys } from '../../../functions/contract.ts'
import { deliverChannels, deployedTopics, linksOf, withoutTopic } from '../../../functions/deliver/config.ts'
import { attemptTimeoutMs, deliverStep, leaseMs, overdue } from '../../../functions/deliver/step.ts'
import { knownSigner } from '../../../functions/link-key.ts'
import type { Store } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { start } from '../builders.ts'
import { rowOf } from './delivery.ts'

const arn = 'arn:aws:sns:eu-central-1:123456789012:on-call'
const config: Config = configSchema.parse({
  services: { shop: {} },
  monitors: {},
  channels: { screen: { kind: 'console' }, pager: { kind: 'sns' }, theirs: { kind: 'sns', topicArn: arn } },
  routes: [{ channels: ['screen'] }],
})
const order: DeliveryOrder = {
  id: 'shop-1:screen:1',
  incidentId: 'shop-1',
  channel: 'screen',
  sequence: 1,
  event: 'opened',
  service: 'shop',
  severity: 'page',
  sinceMs: start,
  openedAtMs: start,
  summaries: ['front fails'],
  affects: [],
  fallbackFor: [],
}

const world = (at: { baseUrl?: string; broken?: boolean; pauses?: number[] } = {}) => {
  const clock = { nowMs: start }
  const nowMs = () => clock.nowMs
  const store = memoryStore({ nowMs })
  const printed: string[] = []
  const warnings: string[] = []
  const print = async (text: string) => {
    printed.push(text)
    if (printed.length === 1) throw new Error('the terminal is away')
  }
  const links = linksOf({
    store: at.broken ? { ...store, read: () => Promise.reject(new Error('no table')) } : store,
    baseUrl: at.baseUrl,
    nowMs,
    randomBytes: (length) => new Uint8Array(length).fill(5),
    warn: (text) => warnings.push(text),
  })
  const channels = deliverChannels(config, {
    nowMs,
    secret: () => '',
    print,
    links,
    statusPageUrl: undefined,
    worst: async () => undefined,
  })
  const paused: Store = {
    ...store,
    commit: async (...written) => {
      const answer = await store.commit(...written)
      clock.nowMs += at.pauses?.shift() ?? 0
      return answer
    },
  }
  const deliver = deliverStep({ store: paused, nowMs, random: () => 0, nudge: async () => undefined, ...channels })
  const put = async (event: DeliveryOrder['event']) => {
    const row = rowOf({ ...order, event })
    await store.commit([], [{ id: row.id, expect: 0, row }])
    return row.id
  }
  return { clock, store, printed, warnings, deliver, put }
}

test('who stood still after the claim sends nothing: somebody else may have sent it, and its end', async () => {
  const { deliver, put, printed, clock } = world({ pauses: [leaseMs - attemptTimeoutMs + 1] })
  const rowId = await put('updated')
  expect(await deliver(rowId)).toMatchObject(overdue)
  expect(printed).toEqual([])
  clock.nowMs += 60_000
  await deliver(rowId)
  expect(printed).toHaveLength(1)
})

const linkIn = (page = '') => /\| ack +https:\/\/hub\.example\/acknowledge\/(\S+)/.exec(page)?.[1]

test('a page carries links that this hub’s key signed, and every attempt carries the same', async () => {
  const { store, deliver, put, printed, clock } = world({ baseUrl: 'https://hub.example' })
  const rowId = await put('opened')
  expect(await deliver(rowId)).toMatchObject({ status: 'retry' })
  clock.nowMs += 120_000
  expect(await deliver(rowId)).toMatchObject({ status: 'final', result: 'delivered' })
  expect(new Set(printed).size).toBe(1)
  const signer = await knownSigner(store)
  const token = linkIn(printed[0]) ?? ''
  expect(signer && judgeAcknowledgeToken(signer, { token, nowMs: clock.nowMs })).toEqual({
    status: 'valid',
    incidentId: 'shop-1',
    channel: 'screen',
    expiresAtMs: start + linkKeepMs,
  })
  expect(printed[0]).toContain('https://hub.example/incidents/shop-1?token=')
})

test('a resolve leads to the incident and has nothing to press', async () => {
  const { deliver, put, printed } = world({ baseUrl: 'https://hub.example' })
  await deliver(await put('resolved'))
  expect(printed[0]).toContain('https://hub.example/incidents/shop-1?token=')
  expect(printed[0]).not.toContain('acknowledge')
})

test('where nobody can reach us a page has no links, and no key is made', async () => {
  const { store, deliver, put, printed } = world()
  await deliver(await put('opened'))
  expect(printed[0]).not.toContain('http')
  expect((await store.read([keys.linkKey])).size).toBe(0)
})

test('a page goes out without links rather than not at all', async () => {
  const { deliver, put, printed, warnings } = world({ baseUrl: 'https://hub.example', broken: true })
  await deliver(await put('opened'))
  expect(printed[0]).toContain('front fails')
  expect(linkIn(printed[0])).toBeUndefined()
  expect(warnings).toEqual(['shop-1:screen:1 has no links: no table'])
})

test('topics that were deployed go to the channels that have none of their own', () => {
  const made = deployedTopics(config, { pager: `${arn}-ours`, theirs: `${arn}-ours`, screen: arn, gone: arn })
  expect(made.channels).toMatchObject({ pager: { topicArn: `${arn}-ours` }, theirs: { topicArn: arn } })
  expect(made.channels['screen']).toEqual({ kind: 'console' })
  expect(Object.keys(made.channels)).toEqual(Object.keys(config.channels))
  expect(deployedTopics(config, {}).channels).toEqual(config.channels)
  expect([withoutTopic(config), withoutTopic(made)]).toEqual([['pager'], []])
})

test('what goes over a network is sent at most 60 a minute, a terminal takes everything', () => {
  const nothing = { nowMs: () => start, secret: () => '', print: async () => undefined, statusPageUrl: undefined }
  const { ratePerMinute } = deliverChannels(config, {
    ...nothing,
    links: async () => ({}),
    worst: async () => undefined,
  })
  expect(['screen', 'pager', 'gone'].map(ratePerMinute)).toEqual([undefined, 60, undefined])
})
