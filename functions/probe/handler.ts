import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import pLimit from 'p-limit'
import type { Config } from '../../config/schema.ts'
import type { Observation } from '../contract.ts'
import { environmentSecrets } from '../environment-secrets.ts'
import { monitorRunner, monitorsOf } from './config.ts'
import { probeEnvironment, scheduleMessage } from './config-lambda.ts'
import { fittingMessages } from './messages.ts'
import { scheduleStep } from './step-schedule.ts'

const env = probeEnvironment.parse(process.env)
const location = env.WHODUNIT_LOCATION
// `as`: the synth that wrote this bundle loaded, checked and normalised the config beside it.
const config = JSON.parse(readFileSync(new URL('config.json', import.meta.url), 'utf8')) as Config
const nowMs = () => Date.now()
const run = monitorRunner(config, { nowMs, secret: environmentSecrets(process.env) })
const limit = pLimit(env.WHODUNIT_PROBES_AT_ONCE)
const waitUntil = async (atMs: number) => sleep(Math.max(0, atMs - nowMs()))
const sqs = new SQSClient()

const send = async (observation: Observation) => {
  const MessageGroupId = observation.shard
  for (const { id, body: MessageBody } of fittingMessages(observation)) {
    const MessageDeduplicationId = createHash('sha256').update(id).digest('hex')
    const input = { QueueUrl: env.WHODUNIT_OBSERVATIONS_URL, MessageGroupId, MessageDeduplicationId, MessageBody }
    await sqs.send(new SendMessageCommand(input), { abortSignal: AbortSignal.timeout(10_000) })
  }
}
const world = { nowMs, location, run, limit: <T>(work: () => Promise<T>) => limit(work), send, waitUntil }
const step = scheduleStep({ ...world, monitorsOf: (message) => monitorsOf(config, { ...message, location }) })

export const handler = async (event: unknown): Promise<void> => {
  const { clock, skipped, monitors, lost } = await step(scheduleMessage.parse(event))
  if (clock === 'own' || skipped > 0) console.warn('ticked without the scheduled time', { clock, skipped, monitors })
  if (lost.length > 0) throw new Error(`observations not sent: ${JSON.stringify(lost.slice(0, 20))}`)
}
