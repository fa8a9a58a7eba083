import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import * as z from 'zod'

const entry = z.looseObject({
  Id: z.string().default('only'),
  MessageBody: z.string(),
  DelaySeconds: z.number().default(0),
})
const sent = z.looseObject({
  QueueUrl: z.string(),
  Entries: z.array(entry).optional(),
  MessageBody: z.string().optional(),
})

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/** Takes what is sent to queues and keeps it, by the queue's name; delays are not waited for. */
export const startQueues = async () => {
  const kept = new Map<string, string[]>()
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk))
    const { QueueUrl, Entries, MessageBody } = sent.parse(JSON.parse(Buffer.concat(chunks).toString()))
    const entries = Entries ?? [{ Id: 'only', MessageBody: MessageBody ?? '', DelaySeconds: 0 }]
    const queue = QueueUrl.split('/').at(-1) ?? ''
    kept.set(queue, [...(kept.get(queue) ?? []), ...entries.map((one) => one.MessageBody)])
    const answers = entries.map((one) => ({
      Id: one.Id,
      MessageId: randomUUID(),
      MD5OfMessageBody: md5(one.MessageBody),
    }))
    const [only] = answers
    outgoing.setHeader('content-type', 'application/x-amz-json-1.0')
    outgoing.end(JSON.stringify(Entries ? { Successful: answers, Failed: [] } : only))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return {
    url,
    queueUrl: (name: string) => `${url}/000000000000/${name}`,
    /** What arrived since the last time it was asked, oldest first. */
    take: (queue: string): string[] => {
      const messages = kept.get(queue) ?? []
      kept.delete(queue)
      return messages
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
export type Queues = Awaited<ReturnType<typeof startQueues>>
