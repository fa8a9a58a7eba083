import { expect, test } from '@jest/globals'
import { bodyLimitBytes, webhookBody } from '../../channels/webhook-body.ts'
import {
  caseFile,
  componentChanged,
  harmful,
  hostileMessage,
  message,
  order,
  peopleEvents,
  sinceMs,
  withLinks,
} from './messages.ts'

const long = (characters: number) => ({
  ...message,
  caseFile: {
    ...caseFile,
    answers: caseFile.answers.map((each) => ({
      ...each,
      evidence: Array.from({ length: 8 }, (_, at) => ({ says: `fact ${at}`, quote: 'q'.repeat(characters) })),
    })),
  },
})

test('an ordinary case file goes whole', () => {
  const { data } = JSON.parse(webhookBody(message))
  expect(data.caseFile.answers[0].evidence).toEqual(caseFile.answers[0]?.evidence)
  expect(data).not.toHaveProperty('trimmed')
})

test.each([
  { characters: 100, trimmed: undefined, evidence: 8 },
  { characters: 900, trimmed: true, evidence: 3 },
])('evidence is cut only when it is too much: $characters characters a quote', ({ characters, trimmed, evidence }) => {
  const { data } = JSON.parse(webhookBody(long(characters)))
  expect({ trimmed: data.trimmed, evidence: data.caseFile.answers[0].evidence.length }).toEqual({ trimmed, evidence })
})

test('a text that is cut sets the mark though the body is small', () => {
  const { data } = JSON.parse(webhookBody({ ...message, order: { ...order, summaries: ['x'.repeat(5000)] } }))
  expect(data.trimmed).toBe(true)
  expect(data.incident.summaries[0]).toHaveLength(1000)
})

test('a text that ends with an ellipsis of its own does not', () => {
  const { data } = JSON.parse(webhookBody({ ...message, order: { ...order, summaries: ['wait…'] } }))
  expect(data).not.toHaveProperty('trimmed')
})

test.each([...peopleEvents, componentChanged].map((base) => ({ event: base.order.event, base })))(
  'whatever the message holds, the body is small, whole JSON and harmless: $event',
  ({ base }) => {
    const body = webhookBody(hostileMessage(base))
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(bodyLimitBytes)
    const { data } = JSON.parse(body)
    expect(data).toMatchObject({ deliveryId: base.order.id, trimmed: true })
    expect((data.incident ?? data.silence).id).toBe(base.order.incidentId)
    const texts = JSON.stringify(data).replaceAll('\\n', ' ').replaceAll('\\\\', '')
    expect(texts).not.toMatch(harmful)
    expect(texts).not.toMatch(/\\u00[01]|\\u[d-f]/)
  },
)

test.each([
  { event: 'opened', type: 'incident.opened', afterMs: 65_000 },
  { event: 'updated', type: 'incident.updated', afterMs: 1_867_000 },
  { event: 'reopened', type: 'incident.reopened', afterMs: 1_867_000 },
  { event: 'reminder', type: 'incident.reminder', afterMs: 1_867_000 },
  { event: 'resolved', type: 'incident.resolved', afterMs: 2_520_000 },
  { event: 'silence-ended', type: 'silence.ended', afterMs: 3_600_000 },
])('$event is $type, dated when it happened', ({ event, type, afterMs }) => {
  const one = peopleEvents.find(({ order }) => order.event === event) ?? message
  expect(JSON.parse(webhookBody(one))).toMatchObject({ type, timestamp: new Date(sinceMs + afterMs).toISOString() })
})

test('an incident carries what fails because of it, a silence what it hid', () => {
  const [reopened, ended] = ['reopened', 'silence-ended'].map((event) => {
    const one = peopleEvents.find(({ order }) => order.event === event) ?? message
    return JSON.parse(webhookBody(one)).data
  })
  expect(reopened.incident).toMatchObject({ affects: ['cart', 'search'], flaps: 4 })
  expect(ended).not.toHaveProperty('incident')
  expect(ended.silence).toEqual({
    id: 'deploy-42',
    sinceMs,
    summaries: ['checkout: fails from 3 of 3 locations since 03:12:00 UTC', 'cart: 12 % of requests fail'],
  })
})

test('links are added beside what was there, whole even when the rest is cut', () => {
  const { incidentUrl, acknowledgeUrl } = withLinks
  const plain = JSON.parse(webhookBody(message))
  const { text: _, ...before } = plain.data
  const { text, ...data } = JSON.parse(webhookBody(withLinks)).data
  expect(data).toEqual({ ...before, incidentUrl, acknowledgeUrl })
  expect(text).toContain(acknowledgeUrl)
  expect(plain.data).not.toHaveProperty('acknowledgeUrl')
  expect(JSON.parse(webhookBody(hostileMessage(withLinks))).data).toMatchObject({ incidentUrl, acknowledgeUrl })
})
