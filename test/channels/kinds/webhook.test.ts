import { afterEach, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { webhookChannel } from '../../../channels/kinds/webhook.ts'
import { pageText } from '../../../channels/page-text.ts'
import { MissingSecretError } from '../../../config/contract.ts'
import { messageLinks } from '../../../functions/api/links.ts'
import { linkSigner } from '../../../functions/link-key.ts'
import { caseFile, message, order, sinceMs, withoutCaseFile } from '../messages.ts'
import { otherKey, type Provider, provider, type Reply, signingKey, token, world } from '../providers.ts'

let open: Provider[] = []
afterEach(async () => {
  await Promise.all(open.map(({ close }) => close()))
  open = []
})

const answering = async (reply: Reply): Promise<Provider> => {
  const one = await provider(() => reply)
  open.push(one)
  return one
}

const base = { kind: 'webhook', url: 'https://hooks.example/', secret: 'secret:HOOK' }
const specFor = (url: string, changes: object = {}) => webhookChannel.schema.parse({ ...base, url, ...changes })
const spec = specFor(base.url)
const rendered = webhookChannel.render(spec, message)

test('what arrives is verified by an independent implementation, with each of two keys', async () => {
  const { url, received } = await answering({ status: 200 })
  const nowMs = Date.now
  const both = specFor(`${url}/in?x=1`, { secret: ['secret:NEXT', 'secret:HOOK'] })
  expect(await webhookChannel.send(both, order, rendered, world({ nowMs }))).toEqual({ status: 'delivered' })
  const [{ path, body, headers } = { path: '', body: '', headers: {} }] = received
  expect(path).toBe('/in?x=1')
  expect(headers).toMatchObject({
    'webhook-id': order.id,
    'content-type': 'application/json',
    'user-agent': 'whodunit',
  })
  // Node gives these three headers as strings.
  const signed = headers as Record<string, string>
  expect(new Webhook(signingKey).verify(body, signed)).toMatchObject({ type: 'incident.opened' })
  expect(new Webhook(otherKey).verify(body, signed)).toMatchObject({ data: { deliveryId: order.id } })
})

test('a later attempt has the same id and bytes but its own time', async () => {
  const { url, received } = await answering({ status: 503 })
  const first = world()
  await webhookChannel.send(specFor(url), order, rendered, first)
  await webhookChannel.send(specFor(url), order, rendered, world({ nowMs: () => first.nowMs() + 61_000 }))
  expect(new Set(received.map(({ body, headers }) => `${headers['webhook-id']} ${body}`)).size).toBe(1)
  const at = received.map(({ headers }) => Number(headers['webhook-timestamp']))
  expect(at).toEqual([first.nowMs() / 1000, first.nowMs() / 1000 + 61])
  expect(new Set(received.map(({ headers }) => headers['webhook-signature'])).size).toBe(2)
})

test('the payload says what happened, when, and carries the case file and the page', () => {
  const payload = JSON.parse(rendered.body)
  expect(rendered.contentType).toBe('application/json')
  expect(payload).toMatchObject({
    type: 'incident.opened',
    timestamp: '2026-11-23T03:13:05.000Z',
    data: {
      deliveryId: order.id,
      sequence: 1,
      incident: { id: 'checkout-1vabc', service: 'checkout', severity: 'page', sinceMs, summaries: order.summaries },
      caseFile: { headline: caseFile.headline, suspects: [{ score: 0.874 }, { score: 0.12 }] },
      incidentUrl: 'https://whodunit.example/incidents/checkout-1vabc',
      text: pageText(message, { width: 72 }),
    },
  })
  expect(payload.data).not.toHaveProperty('trimmed')
})

test.each([
  {
    given: 'resolved',
    made: { ...message, order: { ...order, event: 'resolved' as const, resolvedAtMs: sinceMs } },
    at: '2026-11-23T03:12:00.000Z',
  },
  {
    given: 'updated',
    made: { ...message, order: { ...order, event: 'updated' as const } },
    at: '2026-11-23T03:13:07.300Z',
  },
  {
    given: 'updated',
    made: { ...withoutCaseFile, order: { ...order, event: 'updated' as const } },
    at: '2026-11-23T03:13:05.000Z',
  },
])('$given is told with its own time, $at', ({ given, made, at }) => {
  const { type, timestamp, data } = JSON.parse(webhookChannel.render(spec, made).body)
  expect({ type, timestamp, answered: 'caseFile' in data }).toEqual({
    type: `incident.${given}`,
    timestamp: at,
    answered: 'caseFile' in made,
  })
})

test('headers of one’s own are sent, secrets looked up', async () => {
  const { url, received } = await answering({ status: 200 })
  const headers = { 'X-Team': 'shop', Authorization: 'secret:TOKEN' }
  await webhookChannel.send(specFor(url, { headers }), order, rendered, world())
  expect(received[0]?.headers).toMatchObject({ 'x-team': 'shop', authorization: token })
})

test.each([
  { given: 'a malformed key', secret: 'secret:BAD', headers: {}, cause: /^secret:BAD is not a signing key/ },
  {
    given: 'one malformed key of two',
    secret: ['secret:HOOK', 'secret:BAD'],
    headers: {},
    cause: /^secret:BAD is not/,
  },
  { given: 'no such secret', secret: 'secret:GONE', headers: {}, cause: /^there is no secret:GONE$/ },
  {
    given: 'no such header secret',
    secret: 'secret:HOOK',
    headers: { a: 'secret:GONE' },
    cause: /^there is no secret:GONE$/,
  },
  {
    given: 'a header secret of two lines',
    secret: 'secret:HOOK',
    headers: { a: 'secret:LINES' },
    cause: /^secret:LINES is not printable/,
  },
])('$given is rejected before anything is sent', async ({ secret, headers, cause }) => {
  const { url, received } = await answering({ status: 200 })
  const values = { 'secret:BAD': 'whsec_hunter2', 'secret:LINES': 'hunter2\r\nx: y', 'secret:HOOK': signingKey }
  const lookUp = (reference: string): string => {
    const value = new Map(Object.entries(values)).get(reference)
    if (value === undefined) throw new MissingSecretError('no such thing; hunter2 is another')
    return value
  }
  const result = await webhookChannel.send(
    specFor(url, { secret, headers }),
    order,
    rendered,
    world({ secret: lookUp }),
  )
  expect(result).toEqual({ status: 'rejected', cause: expect.stringMatching(cause) })
  expect(JSON.stringify(result)).not.toContain('hunter2')
  expect(received).toEqual([])
})

test.each([
  { given: 'its key', secret: 'secret:AWAY', headers: {} },
  { given: 'a header', secret: 'secret:HOOK', headers: { a: 'secret:AWAY' } },
])('while nobody can say what $given is, nothing is sent and it is tried again', async ({ secret, headers }) => {
  const { url, received } = await answering({ status: 200 })
  const lookUp = (reference: string): string => {
    if (reference === 'secret:HOOK') return signingKey
    throw new Error(`${reference} is not known: SSM could not be asked: ThrottlingException`)
  }
  const made = world({ secret: lookUp })
  expect(await webhookChannel.send(specFor(url, { secret, headers }), order, rendered, made)).toEqual({
    status: 'retry',
    cause: 'secret:AWAY is not known: SSM could not be asked: ThrottlingException',
  })
  expect(received).toEqual([])
})

test('an echo of everything that was sent shows no secret', async () => {
  const one = await provider(({ headers, body }) => ({
    status: 400,
    body: JSON.stringify({ headers: headers.authorization, body }),
  }))
  open.push(one)
  const result = await webhookChannel.send(
    specFor(one.url, { headers: { Authorization: 'secret:TOKEN' } }),
    order,
    rendered,
    world(),
  )
  expect(result).toMatchObject({ status: 'rejected', cause: expect.stringContaining('{"headers":"[hidden]"') })
})

test.each<{ given: string; echo: (link: string) => string }>([
  { given: 'as it is', echo: (link) => link },
  { given: 'as JSON of PHP has it', echo: (link) => link.replaceAll('/', '\\/') },
  { given: 'percent-encoded', echo: encodeURIComponent },
  { given: 'without its end', echo: (link) => link.slice(0, -2) },
])('what lets the holder of our links act comes back in no cause: $given', async ({ echo }) => {
  const signer = linkSigner(Buffer.alloc(32, 1))
  const links = messageLinks(signer, order, { baseUrl: 'https://whodunit.example', nowMs: sinceMs })
  const about = { ...message, ...links }
  for (const [name, link = ''] of Object.entries(links)) {
    const { url } = await answering({ status: 400, body: `bad ${name} <${echo(link)}>` })
    const result = await webhookChannel.send(specFor(url), order, webhookChannel.render(spec, about), world())
    expect(result).toMatchObject({ status: 'rejected', cause: expect.stringMatching(/bad \w+ <https.*\[hidden\]/) })
    expect(JSON.stringify(result)).not.toContain(/[\w-]{22}(?=\.\w+$)/.exec(link)?.[0])
  }
  expect(Object.keys(links)).toEqual(['incidentUrl', 'acknowledgeUrl'])
})

test('the endpoint’s own time-out is kept', async () => {
  const { url } = await answering('hang')
  expect(await webhookChannel.send(specFor(url, { timeoutSeconds: 0.1 }), order, rendered, world())).toMatchObject({
    status: 'retry',
    cause: expect.stringContaining('no answer within 0.1 s'),
  })
})

test.each([
  { given: 'a literal secret', changes: { secret: signingKey } },
  { given: 'no secret', changes: { secret: [] } },
  { given: 'another scheme', changes: { url: 'ftp://hooks.example' } },
  { given: 'a password in the address', changes: { url: 'https://a:b@hooks.example' } },
  { given: 'one of our own headers', changes: { headers: { 'Webhook-Id': 'x' } } },
  { given: 'a line end in a header', changes: { headers: { a: 'x\ny: z' } } },
  { given: 'no header name', changes: { headers: { 'a b': 'x' } } },
  { given: 'a malformed reference', changes: { headers: { a: 'secret: TOKEN' } } },
  { given: 'a time-out of a minute', changes: { timeoutSeconds: 60 } },
  { given: 'an unknown key', changes: { retries: 3 } },
])('the schema refuses $given', ({ changes }) => {
  expect(webhookChannel.schema.safeParse({ ...base, ...changes }).success).toBe(false)
})
