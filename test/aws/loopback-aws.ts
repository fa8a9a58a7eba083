import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export type Asked = { operation: string; body: Record<string, unknown> }
/** What is answered: a body, or a refusal with its code; nothing at all with `hang`. */
export type Answer = { body: unknown } | { status: number; code: string } | 'hang'

/** A service that speaks AWS' JSON protocol on loopback: keeps what it was asked and answers as it is told. */
export const startAws = async (answer: (asked: Asked) => Answer) => {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? ''
    const one: Asked = { operation, body: JSON.parse((await text(request)) || '{}') }
    asked.push(one)
    const given = answer(one)
    if (given === 'hang') return
    const failed = 'code' in given
    response.writeHead(failed ? given.status : 200, { 'content-type': 'application/x-amz-json-1.0' })
    response.end(JSON.stringify(failed ? { __type: `aws#${given.code}`, message: 'made up' } : given.body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // `as`: a listening TCP server's address is neither null nor a pipe's name.
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    asked,
    /** For any client of the SDK. */
    options: { endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } },
    queueUrl: (name: string) => `${endpoint}/000000000000/${name}`,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export type Entry = {
  Id: string
  MessageBody: string
  DelaySeconds?: number
  MessageGroupId?: string
  MessageDeduplicationId?: string
}

// `as`: what the SDK's own client wrote.
export const entriesOf = ({ body }: Asked): Entry[] => body['Entries'] as Entry[]

/** SendMessageBatch's answer: everything taken but what is refused. */
export const taken = (asked: Asked, refused: readonly string[] = []): Answer => {
  const isRefused = ({ MessageBody }: Entry) => refused.some((part) => MessageBody.includes(part))
  const all = entriesOf(asked)
  return {
    body: {
      Successful: all
        .filter((one) => !isRefused(one))
        .map(({ Id, MessageBody }) => ({
          Id,
          MessageId: Id,
          MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
        })),
      Failed: all
        .filter(isRefused)
        .map(({ Id }) => ({ Id, SenderFault: false, Code: 'InternalError', Message: 'busy' })),
    },
  }
}
