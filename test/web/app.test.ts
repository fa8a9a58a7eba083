import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { acknowledgeToken, linkKeepMs, viewToken } from '../../functions/api/links.ts'
import { keys, statusPageKey } from '../../functions/contract.ts'
import { correlateStep } from '../../functions/correlate/step.ts'
import { type Incident, incident } from '../../functions/hub-state.ts'
import { hubSigner, linkSigner } from '../../functions/link-key.ts'
import type { Store } from '../../stores/contract.ts'
import { memoryBlobs, memoryStore } from '../../stores/memory.ts'
import { type Access, everyone } from '../../web/access.ts'
import { webApp } from '../../web/app.ts'
import { firingAlert, hubView, openIncident, start } from '../functions/builders.ts'

const shop = openIncident({
  alerts: {
    a: firingAlert({ ruleId: 'a', summary: 'front fails' }),
  },
})
const apiToken = 'correct-horse-battery-staple'
const key = new Uint8Array(32).fill(9)
const signer = linkSigner(key)
const expiresAtMs = start + linkKeepMs
const view = viewToken(signer, { incidentId: shop.id, expiresAtMs })
const link = (channel = 'pager') =>
  `/acknowledge/${acknowledgeToken(signer, { incidentId: shop.id, channel, expiresAtMs })}`

const nowMs = () => clock.nowMs
const clock = { nowMs: start }
let access: Access = everyone
let store: Store = memoryStore({ nowMs })
let warnings: string[] = []
let asked = 0

/** One server for all tests; each has a store and an entry of its own. */
const server = serve({ fetch: (incoming) => app().fetch(incoming), hostname: '127.0.0.1', port: 0 })
const blobs = memoryBlobs()
const app = () =>
  webApp({
    store,
    blobs,
    nowMs,
    nudge: async (nudges) => {
      const view = hubView([{ channels: ['pager'] }])
      const correlate = correlateStep({ store, nowMs, nudge: async () => undefined, view })
      await correlate(nudges.map(({ rowId }) => rowId))
    },
    warn: (text) => warnings.push(text),
    config: { locations: ['local'], monitors: [] },
    access,
  })

let base = ''
beforeAll(async () => {
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server has one
  base = `http://127.0.0.1:${port}`
  await blobs.put(statusPageKey, new TextEncoder().encode('the status page'))
})
afterAll(() => {
  server.close()
})
beforeEach(async () => {
  clock.nowMs = start
  warnings = []
  asked = 0
  store = memoryStore({ nowMs })
  await hubSigner(store, () => key)
  await put(shop)
  access = {
    token: async () => {
      asked++
      return apiToken
    },
  }
})

const put = async (one: Incident) => {
  const found = (await store.read([keys.incident(one.id)])).get(keys.incident(one.id))
  await store.commit([{ key: keys.incident(one.id), expect: found?.version ?? 0, value: one }])
}
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${base}${path}`, { headers, redirect: 'manual' })
const press = (path = link(), init: RequestInit = {}) =>
  fetch(`${base}${path}`, { method: 'POST', redirect: 'manual', ...init })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const statusOf = async () => {
  const item = (await store.read([keys.incident(shop.id)])).get(keys.incident(shop.id))
  return incident.parse(item?.value).status
}
const page = `/incidents/${shop.id}`

test.each([
  { path: '/', code: 200 },
  { path: '/incidents', code: 401 },
  { path: page, code: 401 },
  { path: '/incidents/nobody-knows-it', code: 401 },
  { path: '/silences', code: 401 },
  { path: '/metrics', code: 401 },
  { path: '/nowhere', code: 404 },
])('without a token $path answers $code', async ({ path, code }) => {
  const response = await get(path)
  expect(response.status).toBe(code)
  if (code !== 401) return
  expect(response.headers.get('www-authenticate')).toBe('Bearer realm="whodunit"')
  const text = await response.text()
  expect(text).toContain('Authorization: Bearer')
  expect(text).not.toContain('front fails')
})

test.each(['/incidents', page, '/silences', '/metrics'])(
  'the API token opens %s, and the scheme may be written in any case',
  async (path) => {
    expect((await get(path, bearer(apiToken))).status).toBe(200)
    expect((await get(path, { authorization: `bEARER  ${apiToken}` })).status).toBe(200)
  },
)

test.each([
  { given: 'another token', authorization: 'Bearer wrong' },
  { given: 'the beginning of the token', authorization: `Bearer ${apiToken.slice(0, -1)}` },
  { given: 'no token', authorization: 'Bearer ' },
  { given: 'another scheme', authorization: `Basic ${btoa(`x:${apiToken}`)}` },
  { given: 'a link’s token', authorization: `Bearer ${view}` },
])('$given opens nothing', async ({ authorization }) => {
  expect((await get('/metrics', { authorization })).status).toBe(401)
})

test.each(['', undefined])('a token that nobody has set (%p) is nobody’s', async (nothing) => {
  access = { token: async () => nothing }
  for (const authorization of ['Bearer ', 'Bearer undefined', 'Bearer x']) {
    expect((await get('/metrics', { authorization })).status).toBe(401)
  }
})

test('the secret is fetched only when somebody shows one', async () => {
  await get('/metrics')
  await get(`${page}?token=${view}`)
  expect(asked).toBe(0)
})

test('a view link opens its incident, and leads nowhere it does not open', async () => {
  const response = await get(`${page}?token=${view}`)
  expect(response.status).toBe(200)
  const text = await response.text()
  expect(text).toContain('front fails')
  expect(text).not.toContain('href="/incidents"')
  expect((await get(`/incidents?token=${view}`)).status).toBe(401)
  expect((await get(`/metrics?token=${view}`)).status).toBe(401)
})

test.each([
  { given: 'of another incident', path: `/incidents/shop-20261123-060001?token=${view}`, code: 403 },
  { given: 'that is cut', path: `${page}?token=${view.slice(0, -1)}`, code: 403 },
  { given: 'that is empty', path: `${page}?token=`, code: 403 },
  { given: 'that acknowledges', path: `${page}?token=${link().split('/')[2]}`, code: 403 },
  {
    given: 'that has ended',
    path: `${page}?token=${viewToken(signer, { incidentId: shop.id, expiresAtMs: start })}`,
    code: 410,
  },
])('a view link $given is refused with $code', async ({ path, code }) => {
  const response = await get(path)
  expect(response.status).toBe(code)
  expect(await response.text()).not.toContain('front fails')
})

test('what is refused looks the same whether the incident is there or not', async () => {
  const stripped = async (path: string) => {
    const response = await get(path)
    return [response.status, (await response.text()).replaceAll(/<footer[\s\S]*/g, '')]
  }
  expect(await stripped(`${page}?token=x.1`)).toEqual(await stripped('/incidents/nobody-1?token=x.1'))
  const forged = (id: string) => `/acknowledge/${id}.pager.AAAAAAAAAAAAAAAAAAAAAA.tap3mz`
  expect(await stripped(forged(shop.id))).toEqual(await stripped(forged('nobody-1')))
})

test('on one’s own machine all pages are open, and acknowledging takes its token all the same', async () => {
  access = everyone
  for (const path of ['/incidents', page, '/metrics', `${page}?token=wrong`]) expect((await get(path)).status).toBe(200)
  expect((await get('/acknowledge/wrong')).status).toBe(403)
  expect((await press('/acknowledge/wrong')).status).toBe(403)
  expect(await statusOf()).toBe('open')
})

test('where the network comes in without a token, the link in a page still takes an incident on', async () => {
  access = { names: [], mayChange: false }
  expect((await get('/incidents')).status).toBe(200)
  expect((await press(link())).status).toBe(303)
  expect(await statusOf()).toBe('acknowledged')
})

const hosted = (host: string, path: string, method = 'GET') => app().request(path, { method, headers: { host } })

test.each(['127.0.0.1:8440', 'localhost', 'LocalHost:1', 'town.localhost', '[::1]:8440', '10.1.2.3', 'Hub.Example:9'])(
  'what asks for %s is served',
  async (host) => {
    access = { names: ['hub.example'], mayChange: true }
    expect((await hosted(host, '/incidents')).status).toBe(200)
  },
)

test.each([
  'evil.example',
  'evil.example:8440',
  'hub.example.evil.example',
  'localhost.evil.example',
  '1.2.3.4.evil',
  'a b',
  '',
])('a page of a stranger that gave %s this address sees and does nothing, and is told what to do', async (host) => {
  access = { names: ['hub.example'], mayChange: true }
  for (const path of ['/', '/incidents', '/metrics', '/api/v1/silences', '/api/v2/alerts', link()]) {
    for (const method of ['GET', 'POST']) {
      const response = await hosted(host, path, method)
      expect([path, response.status, await response.text()]).toEqual([
        path,
        421,
        expect.stringContaining('--public-url'),
      ])
    }
  }
  expect(await statusOf()).toBe('open')
})

test('where a token is asked for, any name will do', async () => {
  expect((await hosted('evil.example', '/')).status).toBe(200)
  expect((await hosted('evil.example', '/incidents')).status).toBe(401)
})

test('opening the link, however often, shows what it would do and does nothing', async () => {
  for (const method of ['GET', 'HEAD', 'GET']) {
    const response = await fetch(`${base}${link()}`, { method })
    const text = await response.text()
    expect(response.status).toBe(200)
    if (method === 'GET')
      for (const word of ['shop', 'front fails', 'open', 'pager', '<button']) expect(text).toContain(word)
  }
  expect(await statusOf()).toBe('open')
  expect(await store.due(start + 1e9, 10)).toEqual([])
})

test('a case file that a newer version wrote closes no page', async () => {
  access = everyone
  await store.commit([{ key: keys.hub, expect: 0, value: { recent: [shop.id], openedAtMs: [] } }])
  const value = { incidentId: shop.id, atMs: start, headline: 'h', answers: [], suspects: [], weather: 'rain' }
  await store.commit([{ key: keys.caseFile(shop.id), expect: 0, value }])
  const pages = [link(), '/incidents', page]
  const answers = await Promise.all(pages.map((path) => fetch(`${base}${path}`)))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(
    pages.map(() => expect.stringContaining('front fails')),
  )
  expect(warnings).toEqual([])
})

test('pressing the button acknowledges, and the page it leads to says who was first and offers no button', async () => {
  clock.nowMs += 60_000
  const response = await press()
  expect(response.status).toBe(303)
  expect(response.headers.get('location')).toBe(link())
  expect(await statusOf()).toBe('acknowledged')
  clock.nowMs += 120_000
  for (const path of [link(), link('chat')]) {
    expect((await press(path)).status).toBe(303)
    const text = await (await get(path)).text()
    expect(text).toContain('by somebody with the page sent to pager')
    expect(text).toContain('(2\u00a0min ago)')
    expect(text).not.toContain('<button')
  }
})

test('the page leads to the incident for whoever holds the link', async () => {
  const [, href = ''] = /href="(\/incidents\/[^"]+)"/.exec(await (await get(link())).text()) ?? []
  expect((await get(href)).status).toBe(200)
})

test('an incident that is over says so, and pressing does nothing', async () => {
  await put({ ...shop, status: 'resolved', resolvedAtMs: start + 1000 })
  expect((await press()).status).toBe(303)
  const text = await (await get(link())).text()
  expect(text).toContain('nothing to acknowledge')
  expect(text).not.toContain('<button')
  expect([await statusOf(), await store.due(start + 1e9, 10)]).toEqual(['resolved', []])
})

test.each(['GET', 'POST'])('links that are no good are refused to %s alike', async (method) => {
  const open = async (path: string) => (await fetch(`${base}${path}`, { method, redirect: 'manual' })).status
  const token = link().split('/')[2] ?? ''
  expect(await open(link().slice(0, -3))).toBe(403)
  expect(await open(`/acknowledge/${token.replace('pager', 'chat')}`)).toBe(403)
  expect(await open('/acknowledge/%E0%A4%A')).toBe(403)
  expect(await open(`/acknowledge/${'x'.repeat(8000)}`)).toBe(403)
  clock.nowMs = expiresAtMs
  expect(await open(link())).toBe(410)
  store = memoryStore({ nowMs })
  expect(await open(link())).toBe(403)
  await hubSigner(store, () => key)
  clock.nowMs = start
  expect(await open(link())).toBe(method === 'GET' ? 404 : 303)
})

test('every answer says what a browser may do with it, and nothing with a token is kept', async () => {
  for (const path of ['/', page, `${page}?token=${view}`, link(), '/acknowledge/x', '/nowhere']) {
    const { headers } = await get(path)
    expect(headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*form-action 'self'; frame-ancestors 'none'/,
    )
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe(path === '/' ? null : 'no-store')
  }
})

test('a body larger than anybody needs is refused, announced or not, and nothing happens', async () => {
  expect((await press(link(), { body: 'x'.repeat(5000) })).status).toBe(413)
  const answer = await new Promise<number | undefined>((resolve, reject) => {
    const outgoing = request(`${base}${link()}`, { method: 'POST' }, (incoming) => {
      incoming.resume()
      resolve(incoming.statusCode)
    })
    outgoing.on('error', reject)
    outgoing.write('x'.repeat(5000))
    outgoing.end('y')
  })
  expect(answer).toBe(413)
  expect(await statusOf()).toBe('open')
})

test('a store that is away is a page that says to try again, and no detail', async () => {
  store = { ...store, read: () => Promise.reject(new Error('secret detail')) }
  const response = await press()
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('secret detail')
  expect(warnings).toEqual(['a page failed: secret detail'])
})
