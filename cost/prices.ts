/** AWS list prices in US dollars, without tax. Volume discounts are left out: none begins below what we would use. */

/** A month as the AWS calculator counts it: 730 hours. */
export const monthSeconds = 730 * 3600

/** When these prices were collected, from pages that quote AWS' price lists. */
export const pricesAsOf = '2026-10-04'

type Unit = { service: string; says: string; source: string }

const unit = (service: string, says: string, source: string): Unit => ({ service, says, source })

const lambda = 'https://aws.amazon.com/lambda/pricing/'
const sqs = 'https://aws.amazon.com/sqs/pricing/'
const dynamodb = 'https://aws.amazon.com/dynamodb/pricing/on-demand/'
const s3 = 'https://aws.amazon.com/s3/pricing/'
const cloudwatch = 'https://aws.amazon.com/cloudwatch/pricing/'
const transfer = 'https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer'

/** What is billed, what a person calls it, and the page with its price. */
export const units = {
  lambdaGbSeconds: unit('Lambda', 'GB-s', lambda),
  lambdaCalls: unit('Lambda', 'calls', lambda),
  schedulerCalls: unit('EventBridge Scheduler', 'calls', 'https://aws.amazon.com/eventbridge/pricing/'),
  /** Every 64 KB of a message is one, for the send and for the receive. */
  fifoRequests: unit('SQS', 'FIFO requests', sqs),
  standardRequests: unit('SQS', 'requests', sqs),
  tableWrites: unit('DynamoDB', 'write units', dynamodb),
  tableReads: unit('DynamoDB', 'read units', dynamodb),
  tableGb: unit('DynamoDB', 'GB', dynamodb),
  backupGb: unit('DynamoDB', 'GB', dynamodb),
  objectPuts: unit('S3', 'puts', s3),
  objectGets: unit('S3', 'gets', s3),
  objectGb: unit('S3', 'GB', s3),
  logGb: unit('CloudWatch', 'GB', cloudwatch),
  keptLogGb: unit('CloudWatch', 'GB', cloudwatch),
  metrics: unit('CloudWatch', 'metrics', cloudwatch),
  alarms: unit('CloudWatch', 'alarms', cloudwatch),
  metricCalls: unit('CloudWatch', 'calls', cloudwatch),
  internetGb: unit('Data transfer', 'GB', transfer),
  regionGb: unit('Data transfer', 'GB', transfer),
} satisfies Record<string, Unit>

export type UnitName = keyof typeof units
// `as`: the keys of a constant are exactly its names.
export const unitNames = Object.keys(units) as UnitName[]
export type PriceRow = Record<UnitName, number>

const perMillion = (usd: number) => usd / 1_000_000
const perThousand = (usd: number) => usd / 1000

const virginia: PriceRow = {
  // arm64, first 7.5 billion GB-s of a month
  lambdaGbSeconds: 0.000_013_333_4,
  lambdaCalls: perMillion(0.2),
  schedulerCalls: perMillion(1),
  fifoRequests: perMillion(0.5),
  standardRequests: perMillion(0.4),
  tableWrites: perMillion(0.625),
  tableReads: perMillion(0.125),
  tableGb: 0.25,
  backupGb: 0.2,
  objectPuts: perThousand(0.005),
  objectGets: perThousand(0.0004),
  objectGb: 0.023,
  logGb: 0.5,
  keptLogGb: 0.03,
  metrics: 0.3,
  alarms: 0.1,
  metricCalls: perThousand(0.01),
  internetGb: 0.09,
  regionGb: 0.02,
}

/** Rows by region; what is not named costs what it does in us-east-1. */
const rows: Record<string, PriceRow> = {
  'us-east-1': virginia,
  'us-east-2': virginia,
  'us-west-2': virginia,
  'eu-west-1': {
    ...virginia,
    tableWrites: perMillion(0.705),
    tableReads: perMillion(0.1415),
    tableGb: 0.283,
    backupGb: 0.22,
    logGb: 0.57,
  },
  'eu-central-1': {
    ...virginia,
    tableWrites: perMillion(0.7625),
    tableReads: perMillion(0.1525),
    tableGb: 0.306,
    backupGb: 0.2448,
    objectPuts: perThousand(0.0054),
    objectGets: perThousand(0.00043),
    objectGb: 0.0245,
    logGb: 0.63,
    keptLogGb: 0.0324,
  },
  // DynamoDB's four are half of what they were before November 2024, as elsewhere; the price list was not at hand.
  'ap-southeast-1': {
    ...virginia,
    tableWrites: perMillion(0.7116),
    tableReads: perMillion(0.1425),
    tableGb: 0.285,
    backupGb: 0.228,
    objectGb: 0.025,
    logGb: 0.7,
    internetGb: 0.12,
    regionGb: 0.09,
  },
}

/** Regions with prices of their own. */
export const listedRegions: readonly string[] = Object.keys(rows)

// `as`: every unit gets its price from the map over all of them.
const dearest = Object.fromEntries(
  unitNames.map((name) => [name, Math.max(...Object.values(rows).map((row) => row[name]))]),
) as PriceRow

/** The prices of a region; for one that is not listed, the highest of all that are, so that it is not too low by much. */
export const pricesIn = (region: string): { row: PriceRow; listed: boolean } => {
  const row = Object.hasOwn(rows, region) ? rows[region] : undefined
  return row ? { row, listed: true } : { row: dearest, listed: false }
}

/** What AWS gives every account for good, each month, over all regions together; one gift may cover several units. */
export const alwaysFree: readonly { units: readonly UnitName[]; quantity: number }[] = [
  { units: ['lambdaGbSeconds'], quantity: 400_000 },
  { units: ['lambdaCalls'], quantity: 1_000_000 },
  { units: ['schedulerCalls'], quantity: 14_000_000 },
  { units: ['standardRequests', 'fifoRequests'], quantity: 1_000_000 },
  { units: ['tableGb'], quantity: 25 },
  { units: ['logGb', 'keptLogGb'], quantity: 5 },
  { units: ['metrics'], quantity: 10 },
  { units: ['alarms'], quantity: 10 },
  { units: ['metricCalls'], quantity: 1_000_000 },
  { units: ['internetGb'], quantity: 100 },
]

/** What others list for one run of a check from one place. */
export const peers = [
  {
    name: 'CloudWatch Synthetics',
    usdPerRun: 0.0012,
    besides: 'and its canaries’ Lambda, S3 and logs besides; once a minute at most',
    source: 'https://aws.amazon.com/cloudwatch/pricing/',
  },
  {
    name: 'Checkly API checks',
    usdPerRun: 2 / 10_000,
    besides: 'in prepaid bundles; every location and every retry is a run',
    source: 'https://www.checklyhq.com/docs/monitoring/check-pricing',
  },
] as const
