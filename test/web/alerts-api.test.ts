import { expect, test } from '@jest/globals'
import { alertmanager, service } from '../../config/contract.ts'
import { memoryBlobs, memoryStore } from '../../stores/memory.ts'
import { type Access, everyone } from '../../web/access.ts'
import { webApp } from '../../web/app.ts'
import { start } from '../functions/builders.ts'

const nowMs = () => start
const token = 'correct-horse-battery-staple'
const closed: Access = { token: async () => token }

const post = async (
  body: string,
  { access = everyone, headers = {}, takes = true }: { access?: Access; headers?: object; takes?: boolean } = {},
) => {
  const store = memoryStore({ nowMs })
  const app = webApp({
    store,
    blobs: memoryBlobs(),
    nowMs,
    nudge: async () => undefined,
    warn: () => undefined,
    config: {
      locations: [],
      monitors: [],
      services: { shop: service.parse({}) },
      ...(takes && { alertmanager: alertmanager.parse({}) }),
    },
    access,
  })
  const response = await app.request('/api/v2/alerts', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
  return { status: response.status, said: await response.json(), rows: (await store.due(start, 10)).length }
}

const one = JSON.stringify([{ labels: { alertname: 'A', service: 'shop' } }])

test('alerts are taken as Alertmanager takes them', async () => {
  expect(await post(one)).toEqual({ status: 200, said: { status: 'success', accepted: 1 }, rows: 1 })
})

test('the answer names alerts of no known service', async () => {
  const body = JSON.stringify([{ labels: { alertname: 'Odd' } }])
  expect((await post(body)).said).toEqual({ status: 'success', accepted: 1, unmapped: ['Odd'] })
})

test('a body larger than other pages take is read', async () => {
  const many = Array.from({ length: 50 }, (_, n) => ({ labels: { alertname: `A${n}`, note: 'x'.repeat(500) } }))
  expect(await post(JSON.stringify(many))).toMatchObject({ status: 200, said: { accepted: 50 } })
})

test.each<[string, string, Parameters<typeof post>[1], number, string]>([
  ['no JSON', '[', {}, 400, 'not JSON'],
  ['no alerts', '{}', {}, 400, 'not a list'],
  ['a bad alert', '[{}]', {}, 400, 'alert 1: labels'],
  ['a form', one, { headers: { 'content-type': 'text/plain' } }, 415, 'application/json'],
  ['too much', `[${' '.repeat(3 * 1024 * 1024)}]`, {}, 413, '2 MiB'],
  ['no token', one, { access: closed }, 401, 'API token'],
  ['a network without a token', one, { access: { names: [], mayChange: false } }, 403, 'api.token'],
  ['a wrong token', one, { access: closed, headers: { authorization: 'Bearer no' } }, 401, 'API token'],
  ['a config that takes none', one, { takes: false }, 404, 'alertmanager: {}'],
])('%s is refused with the reason', async (_, body, options, status, why) => {
  const answer = await post(body, options)
  expect(answer).toMatchObject({ status, said: { status: 'error', error: expect.stringContaining(why) }, rows: 0 })
})

test('whoever shows the API token may post', async () => {
  expect(await post(one, { access: closed, headers: { authorization: `Bearer ${token}` } })).toMatchObject({
    status: 200,
  })
})
