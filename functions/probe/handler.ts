import { setTimeout as sleep } from 'node:timers/promises'
import { SQSClient } from '@aws-sdk/client-sqs'
import pLimit from 'p-limit'
import { eachMessage, isFromQueue } from '../../aws/batch.ts'
import { clientOptions } from '../../aws/clients.ts'
import { deployed } from '../../aws/deployed.ts'
import { leaveToTheQueue } from '../../aws/poison.ts'
import { sqsSender } from '../../aws/queues.ts'
import { deployedSecrets } from '../../aws/secrets.ts'
import { secretsOf } from '../../config/secret-refs.ts'
import { rowMessage } from '../contract.ts'
import { monitorRunner } from './config.ts'
import { monitorsAsked, probeNeeds, scheduleMessage, tellTick } from './config-lambda.ts'
import { scheduleStep } from './step-schedule.ts'
import { secondOpinionStep } from './step-second-opinion.ts'

const ground = deployed({ env: process.env, nowMs: () => Date.now() }, { role: 'probe', needs: probeNeeds })
const { config, health, nowMs } = ground
const { WHODUNIT_LOCATION: location, WHODUNIT_OBSERVATIONS_URL: url } = ground.env
const secrets = deployedSecrets(ground, secretsOf(config).monitors(location))
const run = monitorRunner(config, { nowMs, secret: secrets.secret })
const bound = pLimit(ground.env.WHODUNIT_PROBES_AT_ONCE)
const limit = <T>(work: () => Promise<T>) => bound(work)
const send = sqsSender({ client: new SQSClient(clientOptions(ground.region)), url })
const waitUntil = async (atMs: number) => sleep(Math.max(0, atMs - nowMs()))
const world = { nowMs, location, run, limit, waitUntil, send }
const tick = scheduleStep({ ...world, monitorsOf: monitorsAsked(config, location) })
const secondOpinion = secondOpinionStep(world)
const work = ({ rowId }: { rowId: string }) => secondOpinion(rowId)
const opinions = eachMessage({ schema: rowMessage, work, poison: leaveToTheQueue, failed: health.failed })

export const handler = health.handler(async (event: unknown, context) => {
  await health.refreshed(secrets)
  if (isFromQueue(event)) return opinions(event, context)
  tellTick(health, await tick(scheduleMessage.parse(event)))
})
