import { afterEach, expect, test } from '@jest/globals'
import { snsChannel } from '../../../channels/kinds/sns.ts'
import { pageText } from '../../../channels/page-text.ts'
import { hostileMessage, message, order, peopleEvents, withLinks, withoutCaseFile } from '../messages.ts'
import { type Provider, provider, type Reply, world } from '../providers.ts'
import { accountSecret, published, snsError, snsProvider } from '../sns-provider.ts'

let open: Provider[] = []
afterEach(async () => {
  await Promise.all(open.map(({ close }) => close()))
  open = []
})

const answering = async (reply?: (attempt: number) => Reply | undefined): Promise<Provider> => {
  const one = await snsProvider(reply)
  open.push(one)
  return one
}

const topicArn = 'arn:aws:sns:eu-central-1:123456789012:on-call'
const base = { kind: 'sns', topicArn }
const specFor = (endpoint: string, changes: object = {}) => snsChannel.schema.parse({ ...base, endpoint, ...changes })

const sent = async (changes: object = {}, about = message): Promise<Record<string, string>> => {
  const { url, received } = await answering()
  const spec = specFor(url, changes)
  const result = await snsChannel.send(spec, about.order, snsChannel.render(spec, about), world())
  expect(result).toEqual({ status: 'delivered' })
  const [request] = received
  expect(received).toHaveLength(1)
  return request ? published(request) : {}
}

test('the page is published with a subject and what a subscription filter needs', async () => {
  expect(await sent()).toEqual({
    Action: 'Publish',
    Version: '2010-03-31',
    TopicArn: topicArn,
    Subject: 'OPEN checkout: payments v42, rolled out 3 min before, is killed for memory',
    Message: pageText(message, { width: 72 }),
    '@deliveryId': order.id,
    '@incidentId': order.incidentId,
    '@event': 'opened',
    '@severity': 'page',
    '@service': 'checkout',
    '@sequence': '1',
  })
})

test('a FIFO topic gets the delivery id as deduplication id, grouped by incident', async () => {
  expect(await sent({ topicArn: `${topicArn}.fifo` })).toMatchObject({
    MessageDeduplicationId: 'checkout-1vabc:oncall:1',
    MessageGroupId: 'checkout-1vabc',
  })
})

test.each([{ id: `${'x'.repeat(200)}:1` }, { id: 'größe:1' }, { id: 'a b' }])(
  'an id that FIFO topics do not take is hashed: $id',
  async ({ id }) => {
    const seen = await sent({ topicArn: `${topicArn}.fifo` }, { ...message, order: { ...order, id, incidentId: id } })
    expect(seen['MessageDeduplicationId']).toMatch(/^[0-9a-f]{64}$/)
    expect(seen['MessageGroupId']).toBe(seen['MessageDeduplicationId'])
  },
)

test('with SMS subscribers phones get a short ASCII text, everybody else the page', async () => {
  const { Message, MessageStructure } = await sent({ sms: true })
  expect(MessageStructure).toBe('json')
  expect(JSON.parse(Message ?? '')).toEqual({
    default: pageText(message, { width: 72 }),
    sms: 'OPEN checkout: payments v42, rolled out 3 min before, is killed for memory https://whodunit.example/incidents/checkout-1vabc',
  })
})

test('a phone gets the one link that leads on, everybody else both', async () => {
  const { Message } = await sent({ sms: true }, withLinks)
  const { default: page, sms } = JSON.parse(Message ?? '')
  expect(sms).toMatch(new RegExp(`^OPEN checkout: [^/]+ ${withLinks.acknowledgeUrl}$`))
  expect(sms.length).toBeLessThanOrEqual(320)
  expect([page.includes(withLinks.acknowledgeUrl), page.includes(withLinks.incidentUrl)]).toEqual([true, true])
})

test.each([{ sms: false }, { sms: true }])(
  'hostile texts obey the rules of SNS too, with sms $sms',
  async ({ sms }) => {
    const seen = await sent({ sms }, hostileMessage(message))
    expect(seen['@deliveryId']).toBe(order.id)
  },
)

test.each(peopleEvents.map((one) => ({ event: one.order.event, one })))(
  '$event fits a subject of 99 and an SMS of 320 ASCII characters',
  ({ one }) => {
    const spec = specFor('http://127.0.0.1:9', { sms: true })
    const { subject, message: content } = JSON.parse(snsChannel.render(spec, one).body)
    expect(subject).toMatch(/^[A-Z][\x20-\x7e]{10,98}$/)
    expect(JSON.parse(content).sms).toMatch(/^[A-Z][\x20-\x7e]{10,319}$/)
  },
)

test('a long subject is cut to fewer than 100 ASCII characters, and says so', async () => {
  const long = { ...withoutCaseFile, order: { ...order, summaries: [`Zürich ${'ä'.repeat(200)}`] } }
  const { Subject } = await sent({}, long)
  expect(Subject).toMatch(/^OPEN checkout: Zurich a+\.\.\.$/)
  expect(Subject).toHaveLength(99)
})

test.each([
  { status: 400, code: 'Throttling', result: 'retry' },
  { status: 429, code: 'Throttled', result: 'retry' },
  { status: 400, code: 'KMSThrottling', result: 'retry' },
  { status: 403, code: 'ExpiredToken', result: 'retry' },
  { status: 408, code: 'RequestTimeout', result: 'retry', doubt: true },
  { status: 500, code: 'InternalError', result: 'retry', doubt: true },
  { status: 503, code: 'ServiceUnavailable', result: 'retry' },
  { status: 400, code: 'InvalidParameter', result: 'rejected' },
  { status: 400, code: 'InvalidParameterValue', result: 'rejected' },
  { status: 400, code: 'EndpointDisabled', result: 'rejected' },
  { status: 404, code: 'NotFound', result: 'rejected' },
  { status: 403, code: 'AuthorizationError', result: 'rejected' },
  { status: 403, code: 'SignatureDoesNotMatch', result: 'rejected' },
  { status: 403, code: 'InvalidClientTokenId', result: 'rejected' },
])('$status $code means $result, and there is one request', async ({ status, code, result, doubt = false }) => {
  const { url, received } = await answering(() => snsError(status, code, 'line one\nline two'))
  const spec = specFor(url)
  const got = await snsChannel.send(spec, order, snsChannel.render(spec, message), world())
  expect(got).toEqual({
    status: result,
    cause: expect.stringMatching(`^SNS answered ${status}: ${code}.*: line one line two$`),
    ...(doubt && { mayHaveArrived: true }),
  })
  expect(received).toHaveLength(1)
})

test.each([
  { given: 'behind', offMs: 1_800_000, code: 'SignatureDoesNotMatch', first: 'retry' },
  { given: 'ahead', offMs: -1_800_000, code: 'SignatureDoesNotMatch', first: 'retry' },
  { given: 'behind, which is not what is wrong', offMs: 1_800_000, code: 'AuthorizationError', first: 'rejected' },
  { given: 'right, so that the key is wrong', offMs: 0, code: 'SignatureDoesNotMatch', first: 'rejected' },
])('SNS refuses while our clock is $given: $first', async ({ offMs, code, first }) => {
  const { url } = await answering((attempt) => {
    const refusal = snsError(403, code)
    if (attempt > 0 || typeof refusal === 'string') return undefined
    return { ...refusal, headers: { ...refusal.headers, date: new Date(Date.now() + offMs).toUTCString() } }
  })
  const spec = specFor(url)
  const attempt = () => snsChannel.send(spec, order, snsChannel.render(spec, message), world())
  expect(await attempt()).toMatchObject({ status: first })
  expect(await attempt()).toEqual({ status: 'delivered' })
})

test.each([
  { given: 'an answer that is no XML', reply: { status: 502, body: '<html>bad gateway' } },
  { given: 'an answer cut short, though it is a good one', reply: { status: 200, body: '<PublishResponse' } },
  { given: 'a connection that breaks', reply: 'break' as const },
])('$given is retried, and leaves open whether the page arrived', async ({ reply }) => {
  const { url, received } = await answering(() => reply)
  const spec = specFor(url)
  const result = await snsChannel.send(spec, order, snsChannel.render(spec, message), world())
  expect(result).toMatchObject({ status: 'retry', mayHaveArrived: true })
  expect(received).toHaveLength(1)
})

test('nobody listening is retried, with the reason', async () => {
  const { url, close } = await snsProvider()
  await close()
  const spec = specFor(url)
  expect(await snsChannel.send(spec, order, snsChannel.render(spec, message), world())).toEqual({
    status: 'retry',
    cause: expect.stringContaining('ECONNREFUSED'),
  })
})

test('its own time-out ends a hanging attempt', async () => {
  const { url } = await answering(() => 'hang')
  const spec = specFor(url, { timeoutSeconds: 0.2 })
  expect(await snsChannel.send(spec, order, snsChannel.render(spec, message), world())).toEqual({
    status: 'retry',
    cause: 'SNS: no answer within 0.2 s',
    mayHaveArrived: true,
  })
})

test('waiting for credentials ends with the signal too', async () => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env
  delete process.env['AWS_ACCESS_KEY_ID']
  const stop = new AbortController()
  const credentials = await provider(() => {
    setImmediate(() => stop.abort())
    return 'hang'
  })
  open.push(credentials)
  process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = credentials.url
  try {
    const spec = specFor(credentials.url, { region: 'eu-west-3' })
    const body = snsChannel.render(spec, message)
    expect(await snsChannel.send(spec, order, body, world({ signal: stop.signal }))).toEqual({
      status: 'retry',
      cause: 'SNS: the time for this attempt was over',
    })
    expect(credentials.received.map(({ method }) => method)).toEqual(['GET'])
  } finally {
    delete process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI']
    Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY })
  }
})

test('a kept message that cannot be read is rejected', async () => {
  const { url, received } = await answering()
  const torn = { body: '{"subject":"OPEN', contentType: 'application/json' }
  expect(await snsChannel.send(specFor(url), order, torn, world())).toMatchObject({ status: 'rejected' })
  expect(received).toEqual([])
})

test('the account’s secret key is in no cause', async () => {
  const { url } = await answering(() => snsError(403, 'SignatureDoesNotMatch', 'x'.repeat(5000)))
  const spec = specFor(url)
  const result = await snsChannel.send(spec, order, snsChannel.render(spec, message), world())
  expect(JSON.stringify(result)).not.toContain(accountSecret)
  expect(JSON.stringify(result).length).toBeLessThan(300)
})

test('the region is the topic’s own, and another one when asked', async () => {
  const { url, received } = await answering()
  for (const changes of [{}, { region: 'us-west-2' }]) {
    const spec = specFor(url, changes)
    await snsChannel.send(spec, order, snsChannel.render(spec, message), world())
  }
  const scopes = received.map(({ headers }) => headers.authorization?.match(/\/\d{8}\/([^/]+)\/sns\//)?.[1])
  expect(scopes).toEqual(['eu-central-1', 'us-west-2'])
})

test.each([
  { given: 'another service', changes: { topicArn: 'arn:aws:sqs:eu-central-1:123456789012:x' } },
  { given: 'a subscription', changes: { topicArn: `${topicArn}:6b0e71bd-7e97-4d97-80ce-4a0994e55286` } },
  { given: 'a short account', changes: { topicArn: 'arn:aws:sns:eu-central-1:1234:x' } },
  { given: 'a full stop that is not .fifo', changes: { topicArn: `${topicArn}.standard` } },
  { given: 'retries', changes: { maxAttempts: 3 } },
  { given: 'SMS on a FIFO topic', changes: { topicArn: `${topicArn}.fifo`, sms: true } },
])('the schema refuses $given', ({ changes }) => {
  expect(snsChannel.schema.safeParse({ ...base, ...changes }).success).toBe(false)
})

test.each([
  { given: 'subscriptions of a topic of somebody else', changes: { subscriptions: [{ email: 'a@example.com' }] } },
  {
    given: 'a subscription of two kinds',
    changes: { topicArn: undefined, subscriptions: [{ email: 'a@example.com', sms: '+4915112345678' }] },
  },
  { given: 'a subscription of none', changes: { topicArn: undefined, subscriptions: [{}] } },
])('the schema refuses $given too', ({ changes }) => {
  expect(snsChannel.schema.safeParse({ ...base, ...changes }).success).toBe(false)
})

test('without a topic ARN nothing can be sent yet, and the reason says when it can', async () => {
  const spec = snsChannel.schema.parse({ kind: 'sns', subscriptions: [{ email: 'a@example.com' }] })
  expect(await snsChannel.send(spec, order, snsChannel.render(spec, message), world())).toEqual({
    status: 'rejected',
    cause: 'SNS: this channel has no topicArn, and the topic made for it exists only after cdk deploy',
  })
})

test('a topic of ours with a phone among its subscribers gets the short text without being told', () => {
  const spec = snsChannel.schema.parse({ kind: 'sns', subscriptions: [{ sms: '+4915112345678' }] })
  expect(JSON.parse(snsChannel.render(spec, message).body)).toMatchObject({ structure: 'json' })
})

test('it may publish to its topic and to nothing else', () => {
  const grants = (changes: object) => snsChannel.grants?.(snsChannel.schema.parse({ ...base, ...changes }))
  expect(grants({})).toEqual([{ action: 'sns:Publish', resource: topicArn }])
  expect(grants({ topicArn: undefined })).toEqual([])
})

test.each(['arn:aws-cn:sns:cn-north-1:123456789012:x', 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:a_B-1.fifo'])(
  'the schema takes %s',
  (arn) => {
    expect(snsChannel.schema.safeParse({ ...base, topicArn: arn }).success).toBe(true)
  },
)
