import { S3Client } from '@aws-sdk/client-s3'
import { historyKeeper, type Keep } from '../functions/history-keeping.ts'
import { s3Blobs } from '../stores/s3.ts'
import { storeClientOptions } from './clients.ts'
import type { Deployed } from './deployed.ts'

/** Where `evaluate` keeps its history, unless the config wants none. Over before its keeper stops waiting for it. */
export const keptIn = ({ config, env, region, health }: Deployed<'WHODUNIT_BUCKETS'>): { keep?: Keep } => {
  if (config.history.retentionDays === 0) return {}
  const bucketOf = () => env.WHODUNIT_BUCKETS.history
  const client = new S3Client(storeClientOptions(region))
  const blobs = s3Blobs({ client, bucketOf, requestTimeoutMs: 700, deadlineMs: 950 })
  return {
    keep: historyKeeper({
      blobs,
      lost: (key, cause) => {
        health.warn('history not kept', { key, cause })
        health.measure('LostHistory', 1)
      },
    }),
  }
}
