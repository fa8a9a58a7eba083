import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { keys } from '../../functions/contract.ts'
import type { Store } from '../../stores/contract.ts'
import { memoryStore } from '../../stores/memory.ts'
import { type Access, everyone } from '../../web/access.ts'
import { apiApp } from '../../web/api.ts'
import { putIncidents, sinceMs, storedIncident } from '../functions/stored-incidents.ts'

const nowMs = () => sinceMs + 60_000
const apiToken = 'correct-horse-battery-staple'
let access: Access = everyone
let store: Store = memoryStore({ nowMs })
let warnings: string[] = []

const app = () =>
  apiApp({ store, nowMs, access, nudge: async () => undefined, warn: (text) => void warnings.push(text) })
const server = serve({ fetch: (incoming) => app().fetch(incoming), hostname: '127.0.0.1', port: 0 })

let base = ''
beforeAll(async () => {
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server has one
  base = `http://127.0.0.1:${port}`
})
afterAll(() => {
  server.close()
})
beforeEach(async () => {
  access = everyone
  warnings = []
  store = memoryStore({ nowMs })
  await putIncidents(store, [storedIncident('shop'), storedIncident('cart', { status: 'resolved' })])
})

const wish = { matchers: ['service=shop'], author: 'kim', reason: 'a new database', forSeconds: 7200 }
const json = { 'content-type': 'application/json' }
const ask = async (method: string, path: string, init: { body?: unknown; headers?: Record<string, string> } = {}) => {
  const { body, headers = {} } = init
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : json), ...headers },
    ...sent,
  })
  return { code: response.status, answer: await response.json() }
}
const rows = async () => (await store.due(sinceMs + 1e9, 10)).map(({ row }) => row.id)

test('a silence is asked for and answered with what it hides', async () => {
  const { code, answer } = await ask('POST', '/silences', { body: wish })
  expect(code).toBe(202)
  expect(answer).toMatchObject({
    silence: { id: expect.stringMatching(/^s-/), author: 'kim', startsAtMs: nowMs(), endsAtMs: nowMs() + 7_200_000 },
    hides: [{ id: 'shop-20261123-060000', service: 'shop', status: 'open' }],
  })
  expect(await rows()).toEqual([expect.stringMatching(/^silence:s-/)])
})

test('silences are listed and ended', async () => {
  expect(await ask('GET', '/silences')).toEqual({ code: 200, answer: { silences: [] } })
  const { forSeconds: _, ...rest } = wish
  const kept = { ...rest, id: 's-abcdef', startsAtMs: sinceMs, endsAtMs: sinceMs + 1e7, hid: [], hidCount: 0 }
  await store.commit([{ key: keys.silences, expect: 0, value: { silences: [kept] } }])
  expect(await ask('GET', '/silences')).toEqual({ code: 200, answer: { silences: [{ ...kept, state: 'in-force' }] } })
  expect(await ask('DELETE', '/silences/s-abcdef?by=kim')).toEqual({
    code: 202,
    answer: { silence: { ...kept, state: 'in-force' } },
  })
  expect((await store.row('silence:s-abcdef:end'))?.row.body).toMatchObject({ by: 'kim' })
  expect(await ask('DELETE', '/silences/nobody')).toMatchObject({
    code: 404,
    answer: { error: { code: 'unknown-silence' } },
  })
})

test('an incident is acknowledged by name, and whoever comes later is told', async () => {
  const acknowledge = (id: string, by = 'kim') => ask('POST', `/incidents/${id}/acknowledge`, { body: { by } })
  expect(await acknowledge('shop-20261123-060000')).toMatchObject({ code: 202, answer: { status: 'pending' } })
  expect(await rows()).toEqual(['ack:shop-20261123-060000:@'])
  expect(await acknowledge('cart-20261123-060000')).toMatchObject({ code: 200, answer: { status: 'resolved' } })
  expect(await acknowledge('shop-20261123-060001')).toMatchObject({
    code: 404,
    answer: { error: { code: 'unknown-incident', hint: 'did you mean shop-20261123-060000?' } },
  })
  const taken = storedIncident('web', { status: 'acknowledged', acknowledged: { by: 'lee', atMs: sinceMs } })
  await store.commit([{ key: keys.incident(taken.id), expect: 0, value: taken }])
  expect(await acknowledge(taken.id)).toMatchObject({
    code: 200,
    answer: { status: 'acknowledged', by: 'lee', atMs: sinceMs },
  })
})

test.each([
  { given: 'no reason', body: { ...wish, reason: ' ' }, code: 400, says: /^reason: / },
  { given: 'no end', body: { ...wish, forSeconds: undefined }, code: 400, says: /either endsAtMs or forSeconds/ },
  { given: 'a key that is none', body: { ...wish, comment: 'x' }, code: 400, says: /comment/ },
  {
    given: 'a matcher that is none',
    body: { ...wish, matchers: ['shop'] },
    code: 400,
    says: /^matchers.0: a matcher like/,
  },
  { given: 'too long a time', body: { ...wish, forSeconds: 3e6 }, code: 422, says: /31 days/ },
  {
    given: 'an incident that is over',
    body: { ...wish, incidentId: 'cart-20261123-060000' },
    code: 409,
    says: /is over/,
  },
  { given: 'an incident that is not there', body: { ...wish, incidentId: 'x' }, code: 404, says: /no incident x/ },
  { given: 'no JSON', body: '{', code: 400, says: /no JSON/ },
  { given: 'nothing', body: '', code: 400, says: /no JSON/ },
])('a silence with $given is refused with $code and what to do', async ({ body, code, says }) => {
  const seen = await ask('POST', '/silences', { body })
  expect(seen).toEqual({
    code,
    answer: { error: { code: expect.any(String), message: expect.stringMatching(says), hint: expect.any(String) } },
  })
  expect(await rows()).toEqual([])
})

test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])(
  'a form of another page cannot ask: content type %p is refused',
  async (type) => {
    const seen = await ask('POST', '/silences', { body: wish, headers: { 'content-type': type } })
    expect(seen).toMatchObject({ code: 415, answer: { error: { code: 'not-json' } } })
    expect(await rows()).toEqual([])
  },
)

test('a page of another origin cannot ask, one of our own and a program can', async () => {
  for (const origin of ['https://evil.example', 'null', `${base}1`]) {
    expect(await ask('POST', '/silences', { body: wish, headers: { origin } })).toMatchObject({ code: 403 })
    expect(await ask('DELETE', '/silences/s-a', { headers: { origin } })).toMatchObject({ code: 403 })
  }
  expect(await rows()).toEqual([])
  expect(await ask('POST', '/silences', { body: wish, headers: { origin: base } })).toMatchObject({ code: 202 })
})

test('where others come in, everything needs the token, before anything else is said', async () => {
  access = { token: async () => apiToken }
  const asked = [
    ['GET', '/silences'],
    ['POST', '/silences'],
    ['DELETE', '/silences/s-abcdef'],
    ['POST', '/incidents/shop-20261123-060000/acknowledge'],
    ['GET', '/nowhere'],
  ] as const
  for (const [method, path] of asked) {
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const seen = await ask(method, path, { headers })
      expect(seen).toMatchObject({ code: 401, answer: { error: { code: 'no-token' } } })
    }
  }
  const headers = { authorization: `Bearer ${apiToken}` }
  expect(await ask('POST', '/silences', { body: wish, headers })).toMatchObject({ code: 202 })
  expect(await ask('GET', '/nowhere', { headers })).toMatchObject({
    code: 404,
    answer: { error: { code: 'unknown-address' } },
  })
})

test('where the network comes in without a token, all may be read and nothing changed', async () => {
  access = { names: [], mayChange: false }
  const id = 'shop-20261123-060000'
  for (const [method, path, body] of [
    ['POST', '/silences', wish],
    ['DELETE', '/silences/s-abcdef', undefined],
    ['POST', `/incidents/${id}/acknowledge`, { by: 'kim' }],
  ] as const) {
    const seen = await ask(method, path, { body })
    expect(seen).toMatchObject({ code: 403, answer: { error: { code: 'read-only' } } })
    expect(JSON.stringify(seen)).toContain('api.token')
  }
  expect(await rows()).toEqual([])
  expect(await ask('GET', '/silences')).toMatchObject({ code: 200 })
})

test.each(['%00', '..%2f..', 'x'.repeat(3000), 'A', '%E2%98%83'])('an id that is none (%s) is nobody’s', async (id) => {
  expect(await ask('DELETE', `/silences/${id}`)).toMatchObject({
    code: 404,
    answer: { error: { code: 'unknown-silence' } },
  })
  const taken = await ask('POST', `/incidents/${id}/acknowledge`, { body: { by: 'kim' } })
  expect(taken).toMatchObject({ code: 404, answer: { error: { code: 'unknown-incident' } } })
})

test('a body without end is cut off', async () => {
  const seen = await ask('POST', '/silences', { body: { ...wish, reason: 'x'.repeat(20_000) } })
  expect(seen).toMatchObject({ code: 413, answer: { error: { code: 'too-large' } } })
})

test('a store that is away is said without a detail', async () => {
  store = { ...store, read: () => Promise.reject(new Error('secret detail')) }
  const seen = await ask('GET', '/silences')
  expect(seen).toMatchObject({ code: 500, answer: { error: { code: 'failed' } } })
  expect(JSON.stringify(seen)).not.toContain('secret detail')
  expect(warnings).toEqual(['a request failed: secret detail'])
})
