import { Aws, type Stack } from 'aws-cdk-lib/core'
import type { Config } from '../config/schema.ts'

/**
 * The names by which stacks in different regions know each other. They are computed and not handed over: a reference
 * between regions would be a custom resource, and a stack that cannot change while the other one stands.
 */
export type Naming = {
  name: string
  /** A region's name, or the deploying region's token when no location names one. */
  hubRegion: string
  table: string
  observations: string
  probeQueue: (location: string) => string
  topic: (channel: string) => string
  bucket: (purpose: string) => string
}

export const namingOf = ({ aws }: Pick<Config, 'aws'>, hubRegion: string | undefined): Naming => {
  const { name } = aws
  return {
    name,
    hubRegion: hubRegion ?? Aws.REGION,
    table: aws.table ?? name,
    observations: `${name}-observations.fifo`,
    probeQueue: (location) => `${name}-probe-${location}`,
    topic: (channel) => `${name}-${channel}`,
    // Bucket names are one space for all accounts of the world.
    bucket: (purpose) => `${name}-${purpose}-${Aws.ACCOUNT_ID}-${Aws.REGION}`,
  }
}

/** The URL of a queue in another region. */
export const queueUrl = (region: string, queueName: string): string =>
  `https://sqs.${region}.${Aws.URL_SUFFIX}/${Aws.ACCOUNT_ID}/${queueName}`

/** The ARN of something in this account and, unless told, this region. */
export const arnIn = (stack: Stack, at: { service: string; region?: string; resource: string }): string =>
  `arn:${stack.partition}:${at.service}:${at.region ?? stack.region}:${stack.account}:${at.resource}`
