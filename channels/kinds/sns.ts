import { createHash } from 'node:crypto'
import type { PublishCommandInput, SNSClient } from '@aws-sdk/client-sns'
import * as z from 'zod'
import { httpUrl, subscription } from '../../config/contract.ts'
import type { DeliveryOrder } from '../../functions/contract.ts'
import { type ChannelWorld, type DeliveryResult, defineChannel, type Message } from '../contract.ts'
import { failureOf, mayFollowTaking } from '../failure.ts'
import { pageText, pageTitle } from '../page-text.ts'
import { ascii, oneLine } from '../plain-text.ts'
import { ratePerMinute } from '../rate.ts'
import { timeoutSeconds } from '../time-limit.ts'

const topicArn = z
  .string()
  .regex(
    /^arn:aws(?:-[a-z]+)*:sns:[a-z]{2}(?:-[a-z]+)+-\d{1,2}:\d{12}:(?:[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo)$/,
    'a topic ARN like arn:aws:sns:eu-central-1:123456789012:on-call; a FIFO topic ends with .fifo',
  )

const schema = z
  .strictObject({
    kind: z.literal('sns'),
    /** Of a topic that is there already; without it the deployment makes one for this channel. */
    topicArn: topicArn.optional(),
    /** Who the topic made for this channel tells. */
    subscriptions: z.array(subscription).default([]),
    /** The ARN's own region unless the endpoint wants another. */
    region: z.string().min(1).optional(),
    endpoint: httpUrl.optional(),
    timeoutSeconds,
    ratePerMinute: ratePerMinute.default(60),
    /** The topic has phone numbers among its subscribers: they get a short text, everybody else the page. */
    sms: z.boolean().default(false),
  })
  .refine(({ topicArn, sms }) => !(sms && topicArn?.endsWith('.fifo')), {
    path: ['sms'],
    error: 'a FIFO topic has no SMS subscribers',
  })
  .refine(({ topicArn, subscriptions }) => topicArn === undefined || subscriptions.length === 0, {
    path: ['subscriptions'],
    error: 'who hears of a topic that is there already is not ours to say: leave out subscriptions or topicArn',
  })
type Spec = z.output<typeof schema>

/** SNS refuses to send an SMS of more than 1600 characters; this is at most five parts. */
const smsLimit = 600

/** What is kept for every attempt. */
const frozen = z.strictObject({ subject: z.string(), message: z.string(), structure: z.literal('json').optional() })

/** Subjects are ASCII, begin with a letter and have fewer than 100 characters (SNS API reference, Publish). */
const subjectOf = (message: Message): string => {
  const title = ascii(pageTitle(message))
  return title.length < 100 ? title : `${title.slice(0, 96)}...`
}

/** One link, since each costs a part of the SMS: the page behind the first leads to the incident too. */
const shortText = (message: Message): string => {
  const title = ascii(pageTitle(message))
  const url = message.acknowledgeUrl ?? message.incidentUrl
  return url && url.length < smsLimit - 101 ? `${title} ${url}` : title
}

const render = ({ sms, subscriptions }: Spec, message: Message): string => {
  // SNS takes 256 KiB with the attributes; a page is far smaller.
  const page = pageText(message, { width: 72 })
  const toPhones = sms || subscriptions.some((one) => one.sms !== undefined)
  const content: z.output<typeof frozen> = toPhones
    ? {
        subject: subjectOf(message),
        message: JSON.stringify({ default: page, sms: shortText(message) }),
        structure: 'json',
      }
    : { subject: subjectOf(message), message: page }
  return JSON.stringify(content)
}

/** Group and deduplication ids: 1 to 128 of SNS' characters, else a hash, which is as unique as the id. */
const legalId = (id: string): string =>
  /^[\x21-\x7e]{1,128}$/.test(id) ? id : createHash('sha256').update(id).digest('hex')

const attributesOf = (order: DeliveryOrder): PublishCommandInput['MessageAttributes'] =>
  Object.fromEntries(
    Object.entries({
      deliveryId: order.id,
      incidentId: order.incidentId,
      event: order.event,
      severity: order.severity,
      service: order.service,
      sequence: String(order.sequence),
    }).map(([name, value]) => [name, { DataType: 'String', StringValue: oneLine(value, 300) || '-' }]),
  )

const inputOf = (topic: string, order: DeliveryOrder, body: string): PublishCommandInput | undefined => {
  const content = parsed(body)
  if (!content) return undefined
  return {
    TopicArn: topic,
    Subject: content.subject,
    Message: content.message,
    ...(content.structure && { MessageStructure: content.structure }),
    MessageAttributes: attributesOf(order),
    ...(topic.endsWith('.fifo') && {
      MessageDeduplicationId: legalId(order.id),
      MessageGroupId: legalId(order.incidentId),
    }),
  }
}

const parsed = (body: string): z.output<typeof frozen> | undefined => {
  try {
    return frozen.safeParse(JSON.parse(body)).data
  } catch {
    return undefined
  }
}

const clients = new Map<string, Promise<SNSClient>>()

/**
 * The client is loaded with the first page, so that reading a config with an SNS channel stays quick. Connections are
 * not kept: one that a sleeping Lambda kept would cost the attempt.
 */
const clientOf = ({ region, endpoint }: Spec, topic: string): Promise<SNSClient> => {
  const where = region ?? topic.split(':')[3] ?? ''
  const key = `${where} ${endpoint ?? ''}`
  const client = clients.get(key) ?? newClient(where, endpoint)
  clients.set(key, client)
  return client
}

const newClient = async (region: string, endpoint: string | undefined): Promise<SNSClient> => {
  const { SNSClient } = await import('@aws-sdk/client-sns')
  const agent = { keepAlive: false, maxSockets: Number.POSITIVE_INFINITY }
  return new SNSClient({
    region,
    ...(endpoint && { endpoint }),
    maxAttempts: 1,
    requestHandler: { httpAgent: agent, httpsAgent: agent },
  })
}

/** These ended before there was a connection; where the SDK wraps an error, its message is all that is left of the code. */
const unconnected = /\b(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT_\w+|ERR_TLS_\w+)\b/

/** Refused today, perhaps not a minute later: too much at once, or credentials about to be renewed. */
const passing = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ExpiredToken|RequestExpired|RequestTimeout/i

const failed = (error: unknown, handedOver: boolean): DeliveryResult => {
  const { name, message, code = '', statusCode, clockCorrected } = failureOf(error)
  const cause = `SNS${statusCode ? ` answered ${statusCode}` : ''}: ${oneLine(`${name}: ${message}`, 200)}`
  const final =
    statusCode !== undefined && statusCode >= 300 && statusCode < 500 && ![408, 425, 429].includes(statusCode)
  const signedWithWrongTime = clockCorrected && /Signature/.test(name)
  if (final && !passing.test(name) && !signedWithWrongTime) return { status: 'rejected', cause }
  // An error with a good status was an answer cut short.
  const mayHaveArrived =
    statusCode === undefined
      ? handedOver && !unconnected.test(`${code} ${message}`)
      : statusCode < 300 || mayFollowTaking(statusCode)
  return { status: 'retry', cause, ...(mayHaveArrived && { mayHaveArrived }) }
}

/** Also while the SDK still looks for credentials, which no signal reaches. */
const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  work.catch(() => undefined)
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

/** `handedOver`: the request is signed and went out. */
type Course = { signal: AbortSignal; handedOver: boolean }

const publish = async (spec: Spec, input: PublishCommandInput, course: Course): Promise<void> => {
  const { signal } = course
  signal.throwIfAborted()
  const client = await clientOf(spec, input.TopicArn ?? '')
  const { PublishCommand } = await import('@aws-sdk/client-sns')
  const command = new PublishCommand(input)
  const handOver = <A, R>(next: (args: A) => R) => {
    return (args: A): R => {
      course.handedOver = true
      return next(args)
    }
  }
  command.middlewareStack.add(handOver, { step: 'deserialize', priority: 'low' })
  await orAborted(client.send(command, { abortSignal: signal }), signal)
}

const send = async (spec: Spec, input: PublishCommandInput, world: ChannelWorld): Promise<DeliveryResult> => {
  const timeout = AbortSignal.timeout(spec.timeoutSeconds * 1000)
  const course: Course = { signal: AbortSignal.any([world.signal, timeout]), handedOver: false }
  try {
    await publish(spec, input, course)
    return { status: 'delivered' }
  } catch (error) {
    if (!world.signal.aborted && !timeout.aborted) return failed(error, course.handedOver)
    const what = world.signal.aborted
      ? 'the time for this attempt was over'
      : `no answer within ${spec.timeoutSeconds} s`
    return { status: 'retry', cause: `SNS: ${what}`, ...(course.handedOver && { mayHaveArrived: true }) }
  }
}

const notDeployed = 'SNS: this channel has no topicArn, and the topic made for it exists only after cdk deploy'

/** Publishes the page to an SNS topic; credentials come from where the SDK looks for them. Retries are the sender's. */
export const snsChannel = defineChannel({
  kind: 'sns',
  schema,
  audience: 'people',
  render: (spec, message) => ({ body: render(spec, message), contentType: 'application/json' }),
  send: async (spec, order, { body }, world) => {
    if (spec.topicArn === undefined) return { status: 'rejected', cause: notDeployed }
    const input = inputOf(spec.topicArn, order, body)
    return input ? send(spec, input, world) : { status: 'rejected', cause: 'SNS: the kept message cannot be read' }
  },
  grants: ({ topicArn }) => (topicArn === undefined ? [] : [{ action: 'sns:Publish', resource: topicArn }]),
})
