import { allMessages, isFromQueue } from '../../aws/batch.ts'
import { hubBucket } from '../../aws/bucket.ts'
import { deployed } from '../../aws/deployed.ts'
import { deployedFacts } from '../../aws/environment.ts'
import { hubStore } from '../../aws/hub-store.ts'
import { quarantineMessage } from '../../aws/poison.ts'
import { deployedServiceMetrics, serviceMetrics } from '../../aws/service-metrics.ts'
import { statusPage } from '../../web/status-page.ts'
import { rowMessage } from '../contract.ts'
import { latestOutcomes } from '../latest-outcomes.ts'
import { rowsOf } from '../mail.ts'
import { publishConfig, publishNeeds } from './config-lambda.ts'
import { publishStep } from './step.ts'

const ground = deployed({ env: process.env, nowMs: () => Date.now() }, { role: 'publish', needs: publishNeeds })
const { env, name, region, nowMs, health } = ground
const store = hubStore({ table: env.WHODUNIT_TABLE, region, nowMs })
const blobs = hubBucket({ bucket: env.WHODUNIT_BUCKETS.status, region })
const put = deployedServiceMetrics(region)
const configNow = publishConfig(ground.config, deployedFacts(), store)

const page = async (...rowIds: readonly string[]) => {
  const config = await configNow()
  await publishStep({ store, blobs, nowMs, render: statusPage, config })(...rowIds)
  return config
}
const work = async (messages: readonly { rowId: string }[]) => {
  await page(...rowsOf(messages))
}
const poison = quarantineMessage({ store, nowMs, quarantined: health.poison })
const rows = allMessages({ schema: rowMessage, work, poison, failed: health.failed })
const everyMinute = async () => {
  const result = await put(serviceMetrics(await latestOutcomes(store, await page()), { name, nowMs: nowMs() }))
  if (result.status === 'lost') health.warn('service metrics lost', { cause: result.cause })
}

export const handler = health.handler(async (event: unknown, context) =>
  isFromQueue(event) ? rows(event, context) : everyMinute(),
)
