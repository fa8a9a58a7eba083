import { readdirSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import type { DeliveryResult, Message, Rendered } from '../../channels/contract.ts'
import {
  audience,
  type ChannelSpec,
  channelKinds,
  channelSpec,
  renderMessage,
  sendRendered,
} from '../../channels/registry.ts'
import { attemptTimeoutMs } from '../../functions/deliver/step.ts'
import {
  componentChanged,
  harmful,
  hostileMessage,
  message,
  peopleEvents,
  withoutCaseFile,
} from '../channels/messages.ts'
import { type Provider, provider, type Received, type Reply, secrets, world } from '../channels/providers.ts'
import { accountSecret, published, snsError, snsProvider } from '../channels/sns-provider.ts'

/** What the suite must know of a kind: how its provider answers, and what of a request must never change. */
type Case = {
  spec: (url: string) => ChannelSpec
  about: Message
  provider: ((reply: () => Reply | undefined) => Promise<Provider>) | undefined
  busy: Reply
  refusing: Reply
  idAndBytes: (request: Received) => string
}

const hook = (reply: () => Reply | undefined): Promise<Provider> => provider(() => reply() ?? { status: 204 })
const signed = {
  secret: ['secret:HOOK', 'secret:NEXT'],
  headers: { authorization: 'secret:TOKEN' },
}
const hookCase = {
  provider: hook,
  busy: { status: 503, headers: { 'retry-after': '5' }, body: JSON.stringify(secrets) },
  refusing: { status: 403, body: Object.values(secrets).join('\n') },
  idAndBytes: ({ headers, body }: Received) => `${headers['webhook-id']} ${body}`,
}

const cases: Readonly<Record<ChannelSpec['kind'], Case>> = {
  console: {
    ...hookCase,
    spec: () => channelSpec.parse({ kind: 'console' }),
    about: message,
    provider: undefined,
  },
  sns: {
    spec: (endpoint) =>
      channelSpec.parse({ kind: 'sns', topicArn: 'arn:aws:sns:eu-central-1:123456789012:on-call.fifo', endpoint }),
    about: message,
    provider: snsProvider,
    busy: snsError(400, 'Throttling'),
    refusing: snsError(403, 'AuthorizationError'),
    idAndBytes: (request) => JSON.stringify(published(request)),
  },
  'statuspage-webhook': {
    ...hookCase,
    spec: (url) => channelSpec.parse({ kind: 'statuspage-webhook', url, ...signed }),
    about: componentChanged,
  },
  webhook: { ...hookCase, spec: (url) => channelSpec.parse({ kind: 'webhook', url, ...signed }), about: message },
}

const nowhere = 'http://127.0.0.1:9'
const noSecret = (text: string): void => {
  for (const secret of [...Object.values(secrets), accountSecret]) expect(text).not.toContain(secret)
  expect(text).not.toContain('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
}

/** Everything a rendering says, as its reader decodes it. */
const decoded = ({ body, contentType }: Rendered): string => {
  if (!contentType.startsWith('application/json') || body === '') return body
  const texts: string[] = []
  JSON.parse(body, (_key, value: unknown) => {
    if (typeof value === 'string') texts.push(value)
    return value
  })
  return texts.join('\n')
}

test('every kind in the folder is registered and in this suite', () => {
  const files = readdirSync(new URL('../../channels/kinds', import.meta.url)).map((file) => file.replace(/\.ts$/, ''))
  expect(channelKinds.map(({ kind }) => kind).sort()).toEqual(files.sort())
  expect(Object.keys(cases).sort()).toEqual(files.sort())
})

// `Object.entries` forgets which keys there are.
describe.each(Object.entries(cases) as [ChannelSpec['kind'], Case][])('%s', (kind, { about, ...its }) => {
  const attempt = (url: string, signal = new AbortController().signal): Promise<DeliveryResult> => {
    const spec = its.spec(url)
    return sendRendered(spec, about.order, renderMessage(spec, about), world({ signal }))
  }
  const against = async (reply: () => Reply | undefined, run: (one: Provider) => Promise<void>): Promise<void> => {
    if (!its.provider) return
    const one = await its.provider(reply)
    await run(one).finally(() => one.close())
  }

  test('it knows its name and whom it speaks to', () => {
    const spec = its.spec(nowhere)
    expect(spec.kind).toBe(kind)
    expect(audience(spec)).toBe(about.order.event === 'component-changed' ? 'status' : 'people')
  })

  test.each([
    { given: 'a case file', made: about },
    { given: 'no case file', made: { ...withoutCaseFile, order: about.order } },
    { given: 'hostile texts', made: hostileMessage(about) },
  ])('rendering twice gives the same bytes: $given', ({ made }) => {
    const [first, second] = [structuredClone(made), structuredClone(made)].map((each) =>
      renderMessage(its.spec(nowhere), each),
    )
    expect(first).toEqual(second)
    expect(Buffer.byteLength(first?.body ?? '')).toBeGreaterThan(20)
  })

  const events = [...peopleEvents, componentChanged].map((one) => ({ event: one.order.event, one }))
  const mine = ({ event }: { event: string }): boolean =>
    (event === 'component-changed') === (audience(its.spec(nowhere)) === 'status')
  test.each(events.filter(mine))('it tells $event, whatever is in it', async ({ one }) => {
    for (const made of [one, hostileMessage(one)]) {
      const rendered = renderMessage(its.spec(nowhere), made)
      expect(decoded(rendered)).toContain(one.order.component?.id ?? one.order.id)
      expect(decoded(rendered)).not.toMatch(harmful)
    }
    await against(
      () => undefined,
      async ({ url, received }) => {
        const spec = its.spec(url)
        const result = await sendRendered(spec, one.order, renderMessage(spec, one), world())
        expect([result.status, received.length]).toEqual(['delivered', 1])
      },
    )
  })

  test('hostile texts become harmless, and the kept row stays small', () => {
    const rendered = renderMessage(its.spec(nowhere), hostileMessage(about))
    expect(decoded(rendered)).not.toMatch(harmful)
    expect(Buffer.byteLength(JSON.stringify(rendered))).toBeLessThan(40_000)
    noSecret(rendered.body)
  })

  test('hostile texts arrive', async () => {
    await against(
      () => undefined,
      async ({ url, received }) => {
        const spec = its.spec(url)
        const made = hostileMessage(about)
        const result = await sendRendered(spec, made.order, renderMessage(spec, made), world())
        expect(result).toEqual({ status: 'delivered' })
        expect(received).toHaveLength(1)
      },
    )
  })

  test('every attempt sends the same id and the same bytes', async () => {
    const replies: (Reply | undefined)[] = [its.busy, 'break', undefined]
    await against(
      () => replies.shift(),
      async ({ url, received }) => {
        const results = [await attempt(url), await attempt(url), await attempt(url)]
        expect(results.map(({ status }) => status)).toEqual(['retry', 'retry', 'delivered'])
        // Who is busy has not taken it; a connection that breaks says nothing.
        expect(results.map((result) => 'mayHaveArrived' in result)).toEqual([false, true, false])
        expect(received).toHaveLength(3)
        expect(new Set(received.map(its.idAndBytes)).size).toBe(1)
        expect(received.map(its.idAndBytes)[0]).toContain(about.order.id)
        noSecret(JSON.stringify(results))
      },
    )
  })

  test('a refusal is final and shows no secret', async () => {
    await against(
      () => its.refusing,
      async ({ url }) => {
        const result = await attempt(url)
        expect(result.status).toBe('rejected')
        noSecret(JSON.stringify(result))
      },
    )
  })

  test('its own time-out comes before every attempt is cut off', () => {
    const spec = its.spec(nowhere)
    if (!('timeoutSeconds' in spec)) return
    expect(spec.timeoutSeconds * 1000).toBeLessThan(attemptTimeoutMs)
    const asLong = channelSpec.safeParse({ ...spec, timeoutSeconds: attemptTimeoutMs / 1000 })
    expect(asLong.success).toBe(false)
  })

  test('a provider that hangs is retried when the signal fires', async () => {
    const stop = new AbortController()
    await against(
      () => {
        setImmediate(() => stop.abort())
        return 'hang'
      },
      async ({ url }) =>
        expect(await attempt(url, stop.signal)).toMatchObject({ status: 'retry', mayHaveArrived: true }),
    )
    const late = await attempt(nowhere, AbortSignal.abort())
    expect(late).toMatchObject({ status: 'retry' })
    expect(late).not.toHaveProperty('mayHaveArrived')
  })
})
