import { setTimeout as sleep } from 'node:timers/promises'
import { SQSClient } from '@aws-sdk/client-sqs'
import { hubBucket } from '../../aws/bucket.ts'
import { clientOptions } from '../../aws/clients.ts'
import { deployed } from '../../aws/deployed.ts'
import { hubStore } from '../../aws/hub-store.ts'
import { sqsSender } from '../../aws/queues.ts'
import { deployedSecrets } from '../../aws/secrets.ts'
import { secretsOf } from '../../config/secret-refs.ts'
import { seriesToRemember } from '../../triage/registry.ts'
import { clusterReader } from '../cluster-reader.ts'
import { storedShards } from '../shard-count.ts'
import { clusterView } from './config.ts'
import { intervalOf, leases, scrapeMessage, scrapeNeeds, tellScrapes } from './config-lambda.ts'
import { type ScrapeWorld, scrapeStep } from './step.ts'
import { scheduleStep } from './step-schedule.ts'

const ground = deployed({ env: process.env, nowMs: () => Date.now() }, { role: 'scrape', needs: scrapeNeeds })
const { env, config, region, nowMs, health } = ground
const store = hubStore({ table: env.WHODUNIT_TABLE, region, nowMs })
const blobs = hubBucket({ bucket: env.WHODUNIT_BUCKETS.windows, region })
const sqs = new SQSClient(clientOptions(region))
const send = sqsSender({ client: sqs, url: env.WHODUNIT_QUEUES.observations })
const secrets = deployedSecrets(ground, secretsOf(config).clusters)
const awsCredentials = sqs.config.credentials
const reader = clusterReader({ nowMs, secret: secrets.secret, awsCredentials })
const held: ScrapeWorld['held'] = new Map()
const waitUntil = async (atMs: number) => sleep(Math.max(0, atMs - nowMs()))

export const handler = health.handler(async (event: unknown, { awsRequestId: holder }) => {
  const { cluster, scheduledAt } = scrapeMessage.parse(event)
  const [shards] = await Promise.all([storedShards(store), health.refreshed(secrets)])
  const view = clusterView({ ...config, shards }, cluster, { reader, remembers: seriesToRemember })
  const step = scrapeStep({ blobs, nowMs, send, held, lease: leases(store, { config, holder, nowMs }) })
  const run = scheduleStep({ nowMs, waitUntil, scrape: () => step(view) })
  tellScrapes(health, { cluster, ...(await run({ periodSeconds: intervalOf(config, cluster), scheduledAt })) })
})
