import { eachMessage } from '../../aws/batch.ts'
import { hubBucket } from '../../aws/bucket.ts'
import { deployedFacts } from '../../aws/environment.ts'
import { hub } from '../../aws/hub.ts'
import { deployedSecrets } from '../../aws/secrets.ts'
import { secretsOf } from '../../config/secret-refs.ts'
import { clusterReader } from '../cluster-reader.ts'
import { rowMessage } from '../contract.ts'
import { monitorViewsOf } from '../monitor-views.ts'
import { storedShards } from '../shard-count.ts'
import { investigator } from './config.ts'
import { triageStep } from './step.ts'

const ground = hub({ env: process.env, nowMs: () => Date.now() }, { role: 'triage', needs: ['WHODUNIT_BUCKETS'] })
const { config, region, store, nowMs, nudge, health } = ground
const secrets = deployedSecrets(ground, secretsOf(config).clusters)
const blobs = hubBucket({ bucket: ground.env.WHODUNIT_BUCKETS.windows, region })
const awsCredentials = ground.sqs.config.credentials
const reader = clusterReader({ nowMs, secret: secrets.secret, awsCredentials })
const outside = { store, blobs, nowMs, reader, monitors: monitorViewsOf(config, deployedFacts()) }

export const handler = health.handler(
  eachMessage({
    ...ground.unread,
    schema: rowMessage,
    work: async ({ rowId }) => {
      const [shards] = await Promise.all([storedShards(store), health.refreshed(secrets)])
      const investigate = investigator({ ...config, shards }, outside)
      await triageStep({ store, nowMs, nudge, investigate })(rowId)
    },
  }),
)
