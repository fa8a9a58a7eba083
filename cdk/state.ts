import { AttributeType, BillingMode, type ITable, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb'
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3'
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import type { Config } from '../config/schema.ts'
import { dynamodbTable } from '../stores/contract.ts'
import type { Naming } from './naming.ts'

const removal = ({ keepState }: Config['aws']) => (keepState ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY)

// `as`, here and below: the library's interfaces are not written for exactOptionalPropertyTypes.
const newTable = (scope: Construct, id: string, options: { tableName: string; removalPolicy: RemovalPolicy }): Table =>
  new Table(scope, id, {
    ...options,
    partitionKey: { name: dynamodbTable.partitionKey, type: AttributeType.STRING },
    sortKey: { name: dynamodbTable.sortKey, type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    timeToLiveAttribute: dynamodbTable.timeToLive,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  })

/** The hub's table, or the one the config names. */
export const hubTable = (scope: Construct, aws: Config['aws'], naming: Naming): ITable => {
  if (aws.table !== undefined) {
    const tableArn = Stack.of(scope).formatArn({ service: 'dynamodb', resource: 'table', resourceName: aws.table })
    return Table.fromTableAttributes(scope, 'Table', { tableArn, globalIndexes: [dynamodbTable.dueIndex.name] })
  }
  const table = newTable(scope, 'Table', { tableName: naming.table, removalPolicy: removal(aws) })
  table.addGlobalSecondaryIndex({
    indexName: dynamodbTable.dueIndex.name,
    partitionKey: { name: dynamodbTable.dueIndex.partitionKey, type: AttributeType.STRING },
    sortKey: { name: dynamodbTable.dueIndex.sortKey, type: AttributeType.NUMBER },
    projectionType: ProjectionType.KEYS_ONLY,
  })
  return table as ITable
}

/** What `watch` remembers in its own region, where it must not need the hub. Nothing is lost with it. */
export const watchTable = (scope: Construct, tableName: string): Table =>
  newTable(scope, 'WatchTable', { tableName, removalPolicy: RemovalPolicy.DESTROY })

/** A private bucket; what is in it goes after `days`, unless it is to stay. */
export const privateBucket = (
  scope: Construct,
  id: string,
  options: { aws: Config['aws']; bucketName: string; days?: number },
): IBucket => {
  const bucket = new Bucket(scope, id, {
    bucketName: options.bucketName,
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    removalPolicy: removal(options.aws),
    lifecycleRules: [
      {
        abortIncompleteMultipartUploadAfter: Duration.days(1),
        ...(options.days === undefined ? {} : { expiration: Duration.days(options.days) }),
      },
    ],
  })
  const reason = 'access logs of a bucket that only our functions (and CloudFront) read would cost more than it holds'
  Validations.of(bucket).acknowledge({ id: 'AwsSolutions-S1', reason })
  return bucket as IBucket
}
