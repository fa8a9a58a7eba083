import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import * as z from 'zod'

/** Something that arrived, in the order it arrived. */
export type Arrived<T> = { atMs: number; id: string; body: T }

const read = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

const listen = async (answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>) => {
  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.statusCode = 500
      response.end(String(error))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server has one
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${port}`, close }
}

/** Waits for something to be there, looking often, and says what was there instead when it never comes. */
export const waitFor = async <T>(what: string, look: () => T | undefined, forMs = 20_000): Promise<T> => {
  const untilMs = Date.now() + forMs
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    if (Date.now() > untilMs) throw new Error(`waited ${forMs} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export const signingKey = 'whsec_c2NlbmUtcmVjZWl2ZXItc2lnbmluZy1rZXk='

/** An endpoint that answers 2xx only to what the reference implementation of Standard Webhooks verifies. */
export const webhookReceiver = async <T>(schema: z.ZodType<T>) => {
  const arrived: Arrived<T>[] = []
  const refused: string[] = []
  const verifier = new Webhook(signingKey)
  const server = await listen(async (request, response) => {
    const text = await read(request)
    try {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
      const body = schema.parse(verifier.verify(text, headers))
      arrived.push({ atMs: Date.now(), id: String(request.headers['webhook-id']), body })
      response.statusCode = 204
    } catch (error) {
      refused.push(String(error))
      response.statusCode = 400
    }
    response.end()
  })
  return { ...server, arrived, refused }
}

export const pageEvent = z.object({
  type: z.string(),
  data: z.object({
    deliveryId: z.string(),
    sequence: z.number(),
    incident: z.looseObject({ service: z.string() }),
    text: z.string(),
    caseFile: z
      .object({
        headline: z.string(),
        answers: z.array(
          z.looseObject({ question: z.string(), title: z.string(), verdict: z.string(), headline: z.string() }),
        ),
        suspects: z.array(
          z.looseObject({
            accused: z.looseObject({ kind: z.string(), name: z.string(), part: z.string().optional() }),
            cause: z.string(),
            headline: z.string(),
            score: z.number(),
          }),
        ),
      })
      .optional(),
  }),
})
export type PageEvent = z.infer<typeof pageEvent>

export const statusEvent = z.looseObject({
  component_update: z.looseObject({ old_status: z.string(), new_status: z.string() }),
  component: z.looseObject({ name: z.string(), status: z.string() }),
})

/** A stand-in for SNS that keeps what is published, as the SDK's query protocol sends it. */
export const snsReceiver = async () => {
  const arrived: Arrived<{ subject: string; message: string; topicArn: string }>[] = []
  const server = await listen(async (request, response) => {
    const form = new URLSearchParams(await read(request))
    const attributes = [...form].filter(([name]) => name.startsWith('MessageAttributes.entry.'))
    const idAt =
      attributes.find(([, value]) => value === 'deliveryId')?.[0].replace('.Name', '.Value.StringValue') ?? ''
    arrived.push({
      atMs: Date.now(),
      id: form.get(idAt) ?? '',
      body: {
        subject: form.get('Subject') ?? '',
        message: form.get('Message') ?? '',
        topicArn: form.get('TopicArn') ?? '',
      },
    })
    response.setHeader('content-type', 'text/xml')
    const result = '<MessageId>11111111-2222-3333-4444-555555555555</MessageId>'
    response.end(
      `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>${result}</PublishResult></PublishResponse>`,
    )
  })
  return { ...server, arrived }
}
