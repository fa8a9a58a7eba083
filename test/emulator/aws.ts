import { request } from 'node:https'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { GetObjectCommand, NoSuchKey, S3Client } from '@aws-sdk/client-s3'
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import * as z from 'zod'
import { dynamodbStore } from '../../stores/dynamodb.ts'
import { credentials } from './deploy.ts'
import type { Emulator } from './ministack.ts'

const account = '000000000000'

const envelope = z.object({
  Subject: z.string().optional(),
  Message: z.string(),
  Timestamp: z.string(),
  MessageAttributes: z.record(z.string(), z.object({ Value: z.string() })).default({}),
})
const anyTopicMaySend = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: '*' },
  ],
})

/** What a topic told its subscriber, and when it was published. */
export type Told = { subject: string; text: string; publishedAtMs: number; attributes: Record<string, string> }

/** A subscriber: everything a topic tells it, oldest first. */
export type Inbox = { told: Told[]; look: () => Promise<void> }

export const outside = (emulator: Emulator) => {
  const clientOf = (region: string) => ({ region, endpoint: emulator.url, credentials })

  const subscribe = async (region: string, topicName: string): Promise<Inbox> => {
    const sqs = new SQSClient(clientOf(region))
    const { QueueUrl } = await sqs.send(
      new CreateQueueCommand({ QueueName: `inbox-${topicName}`, Attributes: { Policy: anyTopicMaySend } }),
    )
    const attributes = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))
    const TopicArn = `arn:aws:sns:${region}:${account}:${topicName}`
    const Endpoint = attributes.Attributes?.['QueueArn']
    await new SNSClient(clientOf(region)).send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }))
    const told: Told[] = []
    const look = async () => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
      )
      for (const { Body = '', ReceiptHandle } of Messages) {
        const { Subject = '', Message, Timestamp, MessageAttributes } = envelope.parse(JSON.parse(Body))
        const attributesOf = Object.entries(MessageAttributes).map(([name, { Value }]) => [name, Value])
        told.push({
          subject: Subject,
          text: Message,
          publishedAtMs: Date.parse(Timestamp),
          attributes: Object.fromEntries(attributesOf),
        })
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
      }
    }
    return { told, look }
  }

  const putSecret = async (region: string, name: string, Value: string) => {
    const ssm = new SSMClient(clientOf(region))
    await ssm.send(new PutParameterCommand({ Name: name, Value, Type: 'SecureString', Overwrite: true }))
  }

  const readObject = async (region: string, Bucket: string, Key: string): Promise<string | undefined> => {
    const s3 = new S3Client({ ...clientOf(region), forcePathStyle: true })
    try {
      return await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined
      throw error
    }
  }

  const storeIn = (region: string, table: string) =>
    dynamodbStore({ table, client: new DynamoDBClient(clientOf(region)), nowMs: () => Date.now() })

  return { subscribe, putSecret, readObject, storeIn, clientOf }
}
export type Outside = ReturnType<typeof outside>

/** Asks a Function URL, whose host name leads nowhere: the emulator knows it by the Host header. */
export const askFunctionUrl = async (
  emulator: Emulator,
  link: string,
  method: 'GET' | 'POST',
): Promise<{ status: number; text: string }> => {
  const { host, pathname, search } = new URL(link)
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
          checkServerIdentity('localhost', certificate),
        port: emulator.port,
        path: `${pathname}${search}`,
        method,
        headers: { host },
        timeout: 20_000,
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      },
    )
    asked.on('error', reject)
    asked.on('timeout', () => asked.destroy(new Error(`${method} ${pathname}: no answer within 20 s`)))
    asked.end()
  })
}
