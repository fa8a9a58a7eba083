import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { Validations } from 'aws-cdk-lib/core'
import { AwsSolutionsChecks } from 'cdk-nag'
import { newApp } from '../../cdk/stacks.ts'
import { Whodunit } from '../../cdk/whodunit.ts'
import { allowed, configOf, deploymentOf, emptyBundles, monitor, scratch } from './deployed.ts'

const { folder, remove } = scratch()
afterAll(remove)

const written = {
  monitors: { front: monitor({ headers: { authorization: 'secret:SHOP_TOKEN' } }) },
  clusters: {
    town: {
      sources: [
        { kind: 'loki' as const, url: 'http://10.0.0.1:3100' },
        {
          kind: 'prometheus' as const,
          url: 'https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1',
          auth: { sigv4: { region: 'eu-west-1' } },
        },
        {
          kind: 'cloudwatch' as const,
          region: 'eu-west-1',
          metrics: [{ namespace: 'AWS/SQS', metric: 'NumberOfMessagesSent', stat: 'Sum' }],
        },
      ],
    },
  },
  channels: {
    'on-call': { kind: 'sns' as const, subscriptions: [{ email: 'a@example.com' }] },
    elsewhere: { kind: 'sns' as const, topicArn: 'arn:aws:sns:eu-west-1:123456789012:theirs' },
    chat: { kind: 'webhook' as const, url: 'https://chat.example/', secret: 'secret:CHAT' },
  },
  routes: [{ channels: ['on-call', 'chat', 'elsewhere'] }],
  locations: ['eu-west-1', 'us-east-1'],
  aws: { operators: [{ sms: '+4915112345678' }] },
}
const { hub, locations } = deploymentOf(written, join(folder, 'both'))
const template = Template.fromStack(hub)
const away = Template.fromStack(locations[1] ?? hub)

const state = 'dynamodb:BatchGetItem dynamodb:GetItem'
const writing = (more = '') =>
  `dynamodb:BatchGetItem dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem ${more}Table`
const write = writing()
const consume =
  'sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:GetQueueUrl sqs:ReceiveMessage'
const secret = (name: string) => `ssm:GetParameters arn:aws:ssm:eu-west-1:AWS::AccountId:parameter/whodunit/${name}`
const sources = ['aps:QueryMetrics arn:aws:aps:eu-west-1:*:workspace/ws-1', 'cloudwatch:GetMetricData *']
const opinions =
  'arn:aws:sqs:eu-west-1:AWS::AccountId:whodunit-probe-eu-west-1, arn:aws:sqs:us-east-1:AWS::AccountId:whodunit-probe-us-east-1'

describe('a function may do what its step does, to what it does it to', () => {
  test.each([
    {
      name: 'Evaluate',
      may: [
        write,
        `sqs:SendMessage AlertChangesQueue, ${opinions}`,
        's3:GetObject s3:PutObject History/history/*',
        's3:ListBucket History',
        `${consume} ObservationsQueue`,
      ],
    },
    {
      name: 'Correlate',
      may: [
        writing('dynamodb:Query '),
        'sqs:SendMessage AlertChangesQueue, DeliverQueue, PublishQueue, TriageQueue',
        `${consume} AlertChangesQueue`,
      ],
    },
    {
      name: 'Triage',
      may: [
        write,
        's3:GetObject Windows/windows/town/*',
        's3:ListBucket Windows',
        'sqs:SendMessage AlertChangesQueue, DeliverQueue',
        ...sources,
        `${consume} TriageQueue`,
      ],
    },
    {
      name: 'Deliver',
      may: [
        write,
        'sqs:SendMessage AlertChangesQueue, DeliverQueue',
        secret('CHAT'),
        'sns:Publish arn:aws:sns:eu-west-1:123456789012:theirs, Channeloncall',
        `${consume} DeliverQueue`,
      ],
    },
    {
      name: 'Publish',
      may: [
        writing('dynamodb:Query '),
        's3:PutObject StatusPage/status/index.html',
        'cloudwatch:PutMetricData * if {"StringEquals":{"cloudwatch:namespace":"Whodunit/Services"}}',
        `${consume} PublishQueue`,
      ],
    },
    {
      name: 'Sweep',
      may: [
        write,
        'dynamodb:Query Table/index/due',
        `sqs:SendMessage AlertChangesQueue, DeliverQueue, ObservationsQueue, PublishQueue, TriageQueue, ${opinions}`,
      ],
    },
    {
      name: 'Scrape',
      may: [
        write,
        's3:GetObject s3:PutObject Windows/windows/town/*',
        's3:ListBucket Windows',
        'sqs:SendMessage ObservationsQueue',
        ...sources,
      ],
    },
    {
      name: 'Api',
      may: [
        writing('dynamodb:Query '),
        's3:GetObject StatusPage/status/index.html',
        's3:ListBucket StatusPage',
        'sqs:SendMessage AlertChangesQueue',
      ],
    },
  ])('$name', ({ name, may }) => {
    const [log, ...rest] = allowed(template, `${name}Role`)
    expect(log).toBe(`logs:CreateLogStream logs:PutLogEvents ${name}Logs`)
    expect(rest.map(withoutHash)).toEqual(may)
  })

  test('watch reads the hub’s table from afar, keeps its own, and pages through its own topic', () => {
    expect(allowed(away, 'WatchRole').map(withoutHash)).toEqual([
      'logs:CreateLogStream logs:PutLogEvents WatchLogs',
      `${state} arn:aws:dynamodb:eu-west-1:AWS::AccountId:table/whodunit`,
      `${state} dynamodb:PutItem WatchTable`,
      'sns:Publish Operators',
      secret('SHOP_TOKEN'),
    ])
  })
})

const withoutHash = (text: string) => text.replaceAll(/([A-Za-z])[0-9A-F]{8}(?=\b)/g, '$1')

test('cdk-nag finds nothing, and every exception it was told of carries its reason', () => {
  const outDir = join(folder, 'nag')
  const app = newApp(outDir)
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  new Whodunit(app, 'Whodunit', { config: configOf(written), bundle: emptyBundles(outDir) })
  expect(() => app.synth()).not.toThrow()
}, 30_000)

describe('state', () => {
  test('the table can be restored to any second, forgets what has expired, and stays when the stack goes', () => {
    template.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        GlobalSecondaryIndexes: [Match.objectLike({ IndexName: 'due', Projection: { ProjectionType: 'KEYS_ONLY' } })],
      },
    })
    template.allResources('AWS::S3::Bucket', { DeletionPolicy: 'Retain' })
  })

  test('a restored table takes the place of the hub’s own, for watch as well', () => {
    const restored = deploymentOf({ ...written, aws: { table: 'whodunit-restored' } }, join(folder, 'restored'))
    const again = Template.fromStack(restored.hub)
    again.resourceCountIs('AWS::DynamoDB::Table', 0)
    const variables = { Environment: { Variables: Match.objectLike({ WHODUNIT_TABLE: 'whodunit-restored' }) } }
    again.hasResourceProperties('AWS::Lambda::Function', variables)
    for (const location of restored.locations)
      Template.fromStack(location).hasResourceProperties('AWS::Lambda::Function', variables)
    expect(restored.locations).toHaveLength(2)
  })

  test('buckets are private, encrypted, and refuse whoever does not speak TLS', () => {
    template.allResourcesProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
      BucketEncryption: Match.anyValue(),
    })
    template.resourceCountIs('AWS::S3::BucketPolicy', 4)
  })
})

describe('queues', () => {
  test('every one has a dead-letter queue with an alarm, and its messages wait longer than its function may take', () => {
    const queues = Object.values(template.findResources('AWS::SQS::Queue')).map(({ Properties }) => Properties)
    const working = queues.filter(({ RedrivePolicy }) => RedrivePolicy)
    expect({ working: working.length, dead: queues.length - working.length }).toEqual({ working: 5, dead: 5 })
    expect(working.filter(({ FifoQueue }) => FifoQueue).map(({ VisibilityTimeout }) => VisibilityTimeout)).toEqual([
      15, 15,
    ])
    const alarms = Object.keys(template.findResources('AWS::CloudWatch::Alarm')).filter((id) => id.includes('Dead'))
    expect(alarms).toHaveLength(5)
  })
})

test('silence is an alarm where it means that nothing runs', () => {
  const silent = { TreatMissingData: 'breaching', AlarmActions: Match.anyValue() }
  template.hasResourceProperties('AWS::CloudWatch::Alarm', { ...silent, MetricName: 'DueRowAgeMs' })
  away.hasResourceProperties('AWS::CloudWatch::Alarm', { ...silent, MetricName: 'ScheduleLagMs' })
  const fine = Object.values(
    template.findResources('AWS::CloudWatch::Alarm', { Properties: { TreatMissingData: 'notBreaching' } }),
  )
  expect(fine.length).toBeGreaterThan(10)
})

test.each([
  { periods: [60, 3600], everySeconds: 60 },
  { periods: [90], everySeconds: 60 },
  { periods: [300, 900], everySeconds: 300 },
  { periods: [3600], everySeconds: 3600 },
  { periods: [86_400], everySeconds: 86_400 },
])('a location that looks every $periods s is late, silent or failing three times at its own pace', (given) => {
  const { periods, everySeconds } = given
  const monitors = Object.fromEntries(periods.map((periodSeconds) => [`m${periodSeconds}`, monitor({ periodSeconds })]))
  const made = deploymentOf({ monitors }, join(folder, `every${periods.join('-')}`))
  const alarms = made.locations.flatMap((stack) =>
    Object.entries(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm')),
  )
  const paces = alarms.flatMap(([id, { Properties }]) =>
    /ScheduleLag|probeErrors/.test(id) ? [[Properties.Period, Properties.EvaluationPeriods]] : [],
  )
  expect(paces).toEqual([
    [everySeconds, 3],
    [everySeconds, 3],
  ])
})

test('no stack holds a custom resource, and none hands anything to another', () => {
  for (const stack of [template, away]) {
    const types = Object.values(stack.toJSON()['Resources'] ?? {}).map((resource) => JSON.stringify(resource))
    expect(types.filter((text) => /Custom::|ImportValue/.test(text))).toEqual([])
  }
})

test('a call of deliver takes many deliveries, so that channels that hang do not take every call there may be', () => {
  const mappings = Object.values(template.findResources('AWS::Lambda::EventSourceMapping'))
  const ofDeliver = mappings.filter(({ Properties }) => /Deliver/.test(JSON.stringify(Properties['FunctionName'])))
  expect(ofDeliver.map(({ Properties }) => [Properties['BatchSize'], Properties['FunctionResponseTypes']])).toEqual([
    [10, ['ReportBatchItemFailures']],
  ])
})

test('Lambda ends no chain of retries, which goes through deliver and correlate, and still ends any other loop', () => {
  const allowed = [template, away].flatMap((stack) =>
    Object.entries(stack.findResources('AWS::Lambda::Function')).flatMap(([id, { Properties }]) =>
      Properties.RecursiveLoop === undefined ? [] : [`${withoutHash(id)} ${Properties.RecursiveLoop}`],
    ),
  )
  expect(allowed.sort()).toEqual(['CorrelateFunction Allow', 'DeliverFunction Allow'])
})

test('alarms may publish to the operators’ topic, which has a policy of its own', () => {
  for (const stack of [template, away]) {
    stack.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Action: 'sns:Publish',
            Condition: { StringEquals: { 'aws:SourceAccount': Match.anyValue() } },
          }),
        ]),
      },
    })
  }
  expect(Object.keys(template.findResources('AWS::SNS::TopicPolicy')).length).toBeGreaterThan(1)
})

test('the history goes when it is as old as the config says', () => {
  const days = (of: Template) =>
    Object.entries(of.findResources('AWS::S3::Bucket'))
      .filter(([id]) => id.startsWith('History'))
      .map(([, { Properties }]) => Properties.LifecycleConfiguration.Rules[0].ExpirationInDays)
  expect(days(template)).toEqual([14])
})
