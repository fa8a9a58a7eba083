import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PublishCommandInput } from '@aws-sdk/client-sns'
import { afterEach, expect, test } from '@jest/globals'
import { type Config, type ConfigInput, configSchema } from '../../../config/schema.ts'
import { deadMansSwitch, pager, referencesOf, viewFrom } from '../../../functions/watch/config.ts'
import type { Told } from '../../../functions/watch/decide.ts'
import { start } from '../builders.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const served = async (answer: RequestListener): Promise<string> => {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // `as`: a server that listens on a port has such an address.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const configOf = (monitors: ConfigInput['monitors'], aws: ConfigInput['aws'] = {}): Config =>
  configSchema.parse({
    services: { shop: {} },
    monitors,
    channels: { pager: { kind: 'console' } },
    routes: [{ channels: ['pager'] }],
    locations: ['eu-west-1'],
    allowTargets: ['loopback'],
    aws,
  })

const outside = {
  nowMs: () => start,
  secret: (reference: string): string => {
    throw new Error(`${reference} is not known`)
  },
  refresh: async () => ({ status: 'fresh' }) as const,
}
const never = () => new Promise<never>(() => undefined)

test('every monitor of the location is looked at once, and no other', async () => {
  let asked = 0
  const url = await served(({ url: path }, answer) => {
    asked++
    answer.writeHead(path === '/down' ? 503 : 200).end()
  })
  const config = configOf({
    up: { kind: 'http', service: 'shop', url: `${url}/up` },
    down: { kind: 'http', service: 'shop', url: `${url}/down` },
    elsewhere: { kind: 'http', service: 'shop', url: `${url}/down`, locations: ['us-east-1'] },
  })
  const view = await viewFrom(config, 'eu-west-1', outside)()
  expect(view.looks.map(({ monitorId, verdict }) => `${monitorId} ${verdict}`).sort()).toEqual(['down fail', 'up pass'])
  expect(view.looks.find(({ monitorId }) => monitorId === 'down')?.detail).toContain('503')
  expect(view).toMatchObject({ notLookedAt: 0 })
  expect(asked).toBe(2)
})

test('a target that hangs is unknown when the time is over, one whose turn never came is counted', async () => {
  const url = await served(() => undefined)
  const hanging = { kind: 'http', service: 'shop', url } as const
  const config = configOf({ a: hanging, b: hanging, c: hanging })
  const limits = { monitors: 2, atOnce: 1, overallMs: 100 }
  const view = await viewFrom(config, 'eu-west-1', { ...outside, limits })()
  expect(view.looks).toMatchObject([{ monitorId: 'a', verdict: 'unknown', detail: 'no verdict within 0.1 s' }])
  expect(view.notLookedAt).toBe(2)
})

test('secrets that cannot be read cost two seconds and make their monitors unknown, never failing', async () => {
  const url = await served((_, answer) => answer.end())
  const config = configOf({
    open: { kind: 'http', service: 'shop', url },
    locked: { kind: 'http', service: 'shop', url, headers: { authorization: 'secret:TOKEN' } },
  })
  const view = await viewFrom(config, 'eu-west-1', { ...outside, refresh: never })()
  expect(view.trouble).toBe('secrets could not be read: Error: no answer within 2 s')
  expect(view.looks).toMatchObject([
    { monitorId: 'open', verdict: 'pass' },
    { monitorId: 'locked', verdict: 'unknown' },
  ])
})

const told: Told = { event: 'opened', finding: { status: 'unreadable', why: 'gone' }, sinceMs: start, everUp: true }
const place = { name: 'demo', hubRegion: 'eu-central-1', location: 'eu-west-1' }

test('a page carries the key to merge by, a text for phones, and what could be seen', async () => {
  const sent: PublishCommandInput[] = []
  const world = { nowMs: () => start, topicArn: 'arn:aws:sns:eu-west-1:123456789012:demo-operators' }
  const view = async () => ({ atMs: start, looks: [], notLookedAt: 0 })
  const publish = async (input: PublishCommandInput) => sent.push(input)
  await pager(place, { ...world, view, publish })(told)
  const [input] = sent
  expect(input).toMatchObject({
    TopicArn: world.topicArn,
    Subject: 'DEAD whodunit hub demo in eu-central-1: its table cannot be read from here',
    MessageStructure: 'json',
    MessageAttributes: {
      dedupKey: { DataType: 'String', StringValue: 'whodunit-hub-dead:demo' },
      event: { DataType: 'String', StringValue: 'opened' },
      location: { DataType: 'String', StringValue: 'eu-west-1' },
    },
  })
  const message = JSON.parse(input?.Message ?? '')
  expect(Object.keys(message)).toEqual(['default', 'sms'])
  expect(message.default.split('\n').slice(0, 4).join('\n')).toContain('whodunit-hub-dead:demo')
})

test('a page goes out though nothing can be seen, and a refusal is not swallowed', async () => {
  const world = { nowMs: () => start, topicArn: 'arn', view: () => Promise.reject(new Error('no memory left')) }
  const sent: PublishCommandInput[] = []
  await pager(place, { ...world, publish: async (input) => sent.push(input) })(told)
  expect(sent[0]?.Message).toContain('could not look from here: Error: no memory left')
  await expect(
    pager(place, { ...world, publish: () => Promise.reject(new Error('AuthorizationError')) })(told),
  ).rejects.toThrow('AuthorizationError')
})

test('nobody looks around to say that the hub is back', async () => {
  const view = () => Promise.reject(new Error('looked'))
  const sent: PublishCommandInput[] = []
  const world = {
    nowMs: () => start,
    topicArn: 'arn',
    view,
    publish: async (input: PublishCommandInput) => sent.push(input),
  }
  await pager(place, world)({ ...told, event: 'resolved', finding: { status: 'well' } })
  expect(sent[0]?.Subject).toMatch(/^BACK /)
  expect(sent[0]?.Message).not.toContain('looked')
})

test.each([
  { given: 'a switch that takes it', status: 200, then: { status: 'told' } },
  { given: 'a switch that moved', status: 302, then: { status: 'failed', why: 'it answered 302' } },
  { given: 'a switch that is unwell', status: 503, then: { status: 'failed', why: 'it answered 503' } },
])('$given', async ({ status, then }) => {
  const asked: string[] = []
  const url = await served(({ method, url: path }, answer) => {
    asked.push(`${method} ${path}`)
    answer.writeHead(status, { location: 'http://127.0.0.1/' }).end()
  })
  expect(await deadMansSwitch(configOf({}, { deadMansSwitch: `${url}/ping/token` }), outside)()).toEqual(then)
  expect(asked).toEqual(['GET /ping/token'])
})

test('a switch is none when none is configured', async () => {
  expect(await deadMansSwitch(configOf({}), outside)()).toEqual({ status: 'none' })
})

test('a switch whose address is a secret is told with the old one while secrets cannot be read', async () => {
  const url = await served((_, answer) => answer.end())
  const config = configOf({}, { deadMansSwitch: 'secret:SWITCH' })
  const stale = {
    ...outside,
    secret: () => url,
    refresh: async () => ({ status: 'kept', cause: 'SSM is away' }) as const,
  }
  expect(await deadMansSwitch(config, stale)()).toEqual({ status: 'told' })
})

test.each([
  { given: 'missing', secret: outside.secret, why: 'Error: secret:SWITCH is not known' },
  { given: 'no address', secret: () => 'hc-token-4711', why: 'secret:SWITCH is no http or https address' },
  { given: 'of another protocol', secret: () => 'ftp://x/t', why: 'secret:SWITCH is no http or https address' },
])('a secret that is $given is a reason without its value', async ({ secret, why }) => {
  const config = configOf({}, { deadMansSwitch: 'secret:SWITCH' })
  expect(await deadMansSwitch(config, { ...outside, secret })()).toEqual({ status: 'failed', why })
})

test('nobody there is a reason that does not quote the address', async () => {
  const url = await served(() => undefined)
  await new Promise((resolve) => servers.pop()?.close(resolve))
  const result = await deadMansSwitch(configOf({}, { deadMansSwitch: `${url}/ping/token` }), outside)()
  expect(result).toMatchObject({ status: 'failed', why: expect.stringContaining('ECONNREFUSED') })
  expect(JSON.stringify(result)).not.toContain('token')
})

test('the secrets of a location are those of its monitors and of the switch', () => {
  const url = 'https://shop.example/'
  const config = configOf(
    {
      here: { kind: 'http', service: 'shop', url, headers: { 'x-key': 'secret:HERE' } },
      there: { kind: 'http', service: 'shop', url, headers: { 'x-key': 'secret:THERE' }, locations: ['us-east-1'] },
    },
    { deadMansSwitch: 'secret:SWITCH' },
  )
  expect(referencesOf(config, 'eu-west-1')).toEqual(['secret:HERE', 'secret:SWITCH'])
})
