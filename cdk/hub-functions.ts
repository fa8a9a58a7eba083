import type { ITable } from 'aws-cdk-lib/aws-dynamodb'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { type CfnElement, Stack, Validations } from 'aws-cdk-lib/core'
import type { Environment } from '../aws/contract.ts'
import { secretParameter } from '../aws/contract.ts'
import type { Grant } from '../config/contract.ts'
import type { Config } from '../config/schema.ts'
import { historyPrefix } from '../functions/contract.ts'
import { StepFunction, type StepFunctionProps } from './function.ts'
import { arnIn, type Naming } from './naming.ts'
import type { QueueWithDead } from './queues.ts'

export type QueueName = 'observations' | 'alert-changes' | 'triage' | 'deliver' | 'publish'
export type Purpose = 'evidence' | 'windows' | 'status' | 'history'

/** What the functions of the hub stand on. */
export type HubGround = {
  stack: Stack
  config: Config
  naming: Naming
  table: ITable
  queues: Readonly<Record<QueueName, QueueWithDead>>
  buckets: Readonly<Record<Purpose, IBucket>>
  /** The bundle of a function. */
  bundle: (name: string) => string
  environment: Partial<Record<keyof Environment, string>>
  /** The probe queues of all locations, by ARN. */
  probeQueues: readonly string[]
}

const readActions = ['dynamodb:GetItem', 'dynamodb:BatchGetItem']
const writeActions = ['dynamodb:PutItem', 'dynamodb:DeleteItem']

export const allowState = (
  target: StepFunction,
  { table }: Pick<HubGround, 'table'>,
  may: { write?: boolean; list?: boolean; due?: boolean },
) => {
  target.allow(
    [...readActions, ...(may.write ? writeActions : []), ...(may.list ? ['dynamodb:Query'] : [])],
    [table.tableArn],
  )
  if (may.due) target.allow(['dynamodb:Query'], [`${table.tableArn}/index/due`])
}

export const allowSend = (target: StepFunction, { queues }: Pick<HubGround, 'queues'>, names: readonly QueueName[]) =>
  target.allow(
    ['sqs:SendMessage'],
    names.map((name) => queues[name].queue.queueArn),
  )

/** Lets a function read these secrets of the config, and no others. */
export const allowSecrets = (
  target: StepFunction,
  { stack, naming }: { stack: Stack; naming: Naming },
  references: readonly string[],
) => {
  const arns = references.map((reference) =>
    arnIn(stack, {
      service: 'ssm',
      region: naming.hubRegion,
      resource: `parameter${secretParameter(naming.name, reference)}`,
    }),
  )
  target.allow(['ssm:GetParameters'], arns)
}

/** What kinds of the config declared that they need. */
export const allowGrants = (target: StepFunction, grants: readonly Grant[]) => {
  for (const { action, resource } of grants) {
    target.allow([action], [resource])
    if (!resource.includes('*')) continue
    const reason = `${action} knows no narrower resource than the kind that needs it names`
    Validations.of(target).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason })
  }
}

/** These objects of a bucket; that one is missing must be told from that it is forbidden, which takes the listing. */
export const allowObjects = (
  target: StepFunction,
  bucket: IBucket,
  { actions, keys }: { actions: readonly string[]; keys: readonly string[] },
) => {
  target.allow(
    actions,
    keys.map((key) => bucket.arnForObjects(key)),
  )
  const { node } = bucket
  // `as`: what stands below a bucket is a resource of the template.
  const id = Stack.of(bucket).getLogicalId(node.defaultChild as CfnElement)
  const reason = 'a window is a ring of chunks, and twenty clusters of thirteen each would not fit into a policy'
  for (const key of keys.filter((one) => one.endsWith('*')))
    Validations.of(target).acknowledge({ id: `AwsSolutions-IAM5[Resource::<${id}.Arn>/${key}]`, reason })
  if (actions.includes('s3:GetObject') && keys.length > 0) target.allow(['s3:ListBucket'], [bucket.bucketArn])
}

/** Adding to the history: an object a minute, so that only their folder can be named. */
export const allowHistory = (target: StepFunction, { stack, buckets: { history } }: HubGround) => {
  allowObjects(target, history, { actions: ['s3:GetObject', 's3:PutObject'], keys: [`${historyPrefix}*`] })
  // `as`: what stands below a bucket is a resource of the template.
  const bucket = stack.getLogicalId(history.node.defaultChild as CfnElement)
  const id = `AwsSolutions-IAM5[Resource::<${bucket}.Arn>/${historyPrefix}*]`
  Validations.of(target).acknowledge({ id, reason: 'one object a minute and shard; nothing else is in this folder' })
}

/** A function of the hub, which knows where everything is and may touch nothing yet. */
export const hubFunction = (
  ground: HubGround,
  name: string,
  props: Omit<StepFunctionProps, 'bundle' | 'aws' | 'environment'>,
): StepFunction => {
  const id = `${name[0]?.toUpperCase()}${name.slice(1)}`
  const { config, environment } = ground
  return new StepFunction(ground.stack, id, { ...props, aws: config.aws, bundle: ground.bundle(name), environment })
}

/** Messages of a queue reach a function in batches; what it could not do is answered message by message. */
export const reads = (target: StepFunction, { queue }: QueueWithDead, batchSize: number) =>
  target.lambda.addEventSource(new SqsEventSource(queue, { batchSize, reportBatchItemFailures: true }))
