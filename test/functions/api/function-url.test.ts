import { expect, test } from '@jest/globals'
import { handle, type LambdaEvent } from 'hono/aws-lambda'
import { acknowledgePath, acknowledgeToken, linkKeepMs } from '../../../functions/api/links.ts'
import { keys } from '../../../functions/contract.ts'
import { hubSigner, linkSigner } from '../../../functions/link-key.ts'
import { memoryBlobs, memoryStore } from '../../../stores/memory.ts'
import { webApp } from '../../../web/app.ts'
import { openIncident, start } from '../builders.ts'

const shop = openIncident()
const key = new Uint8Array(32).fill(2)
const at = { incidentId: shop.id, channel: 'pager', expiresAtMs: start + linkKeepMs }
const path = acknowledgePath(acknowledgeToken(linkSigner(key), at))

type Asked = { method: string; path: string; headers?: Record<string, string>; body?: string }

/** A request as a Function URL hands it over: payload format 2.0, bodies in base64. */
const event = ({ method, path: rawPath, headers = {}, body }: Asked): LambdaEvent => ({
  version: '2.0',
  routeKey: '$default',
  rawPath,
  rawQueryString: '',
  headers: { host: 'abc.lambda-url.eu-central-1.on.aws', ...headers },
  body: body === undefined ? null : Buffer.from(body).toString('base64'),
  isBase64Encoded: body !== undefined,
  requestContext: {
    accountId: 'anonymous',
    apiId: 'abc',
    authentication: null,
    authorizer: {},
    domainName: 'abc.lambda-url.eu-central-1.on.aws',
    domainPrefix: 'abc',
    http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'phone' },
    requestId: 'r',
    routeKey: '$default',
    stage: '$default',
    time: '23/Nov/2026:06:00:00 +0000',
    timeEpoch: start,
  },
})

const deployed = async () => {
  const store = memoryStore({ nowMs: () => start })
  await hubSigner(store, () => key)
  await store.commit([{ key: keys.incident(shop.id), expect: 0, value: shop }])
  const nudged: string[] = []
  const handler = handle(
    webApp({
      store,
      blobs: memoryBlobs(),
      nowMs: () => start,
      nudge: async (nudges) => void nudged.push(...nudges.map(({ rowId }) => rowId)),
      warn: () => undefined,
      config: { locations: [], monitors: [] },
      access: { token: async () => 'the api token' },
    }),
  )
  return { nudged, ask: (asked: Asked) => handler(event(asked)) }
}

test('behind a Function URL the link shows, and only POST acknowledges', async () => {
  const { ask, nudged } = await deployed()
  const shown = await ask({ method: 'GET', path })
  expect(shown).toMatchObject({ statusCode: 200, isBase64Encoded: false })
  expect(shown.body).toContain('<button')
  expect(await ask({ method: 'HEAD', path })).toMatchObject({ statusCode: 200, body: '' })
  expect(nudged).toEqual([])
  const pressed = await ask({ method: 'POST', path, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  expect(pressed).toMatchObject({ statusCode: 303, headers: { location: path } })
  expect(nudged).toEqual([`ack:${shop.id}:pager`])
})

test.each([
  { asked: { method: 'GET', path: '/incidents' }, code: 401 },
  { asked: { method: 'GET', path: '/incidents', headers: { authorization: 'Bearer the' } }, code: 401 },
  { asked: { method: 'POST', path: `${path}0` }, code: 403 },
  { asked: { method: 'POST', path, body: 'x'.repeat(5000) }, code: 413 },
  { asked: { method: 'PUT', path }, code: 404 },
])('behind a Function URL $asked.method $asked.path answers $code', async ({ asked, code }) => {
  const { ask, nudged } = await deployed()
  expect(await ask(asked)).toMatchObject({ statusCode: code, headers: { 'referrer-policy': 'no-referrer' } })
  expect(nudged).toEqual([])
})
