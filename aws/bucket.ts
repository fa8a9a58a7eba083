import { S3Client } from '@aws-sdk/client-s3'
import type { Blobs } from '../stores/contract.ts'
import { s3Blobs } from '../stores/s3.ts'
import { storeClientOptions } from './clients.ts'

/** One of the hub's buckets, for a function that needs no other. */
export const hubBucket = ({ bucket, region }: { bucket: string; region: string }): Blobs =>
  s3Blobs({ client: new S3Client(storeClientOptions(region)), bucketOf: () => bucket })
