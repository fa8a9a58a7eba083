import { Distribution, HttpVersion, ViewerProtocolPolicy } from 'aws-cdk-lib/aws-cloudfront'
import { S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins'
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { ContextAttribute, ScheduleGroup } from 'aws-cdk-lib/aws-scheduler'
import { CfnOutput, Fn, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import { grantsOfChannels, grantsOfSources } from '../config/grants.ts'
import type { Config } from '../config/schema.ts'
import { secretsOf } from '../config/secret-refs.ts'
import { statusPageKey, windowKey } from '../functions/contract.ts'
import { Alarms } from './alarms.ts'
import { addDashboard } from './dashboard.ts'
import type { StepFunction } from './function.ts'
import {
  allowGrants,
  allowHistory,
  allowObjects,
  allowSecrets,
  allowSend,
  allowState,
  type HubGround,
  hubFunction,
  type Purpose,
  type QueueName,
  reads,
} from './hub-functions.ts'
import { arnIn, type Naming, queueUrl } from './naming.ts'
import { QueueWithDead } from './queues.ts'
import { callOnSchedule } from './schedule.ts'
import { hubTable, privateBucket } from './state.ts'
import { operatorsTopic, topicFor } from './topics.ts'

export type HubProps = StackProps & {
  config: Config
  naming: Naming
  /** The locations that are deployed, each with its region. */
  locations: readonly { location: string; region: string }[]
  /** The folder of a function's bundle, by the function's name. */
  bundle: (name: string) => string
}

/** Where everything is decided and kept. */
export class HubStack extends Stack {
  readonly apiUrl: string
  readonly statusUrl: string
  readonly functions: Readonly<Record<string, StepFunction>>

  constructor(scope: Construct, id: string, props: HubProps) {
    const { config, naming, locations, bundle, ...stackProps } = props
    super(scope, id, { description: 'whodunit: the hub', ...stackProps })
    const { aws } = config
    const queues = this.#queues(naming)
    const buckets = this.#buckets(config, naming)
    const topics = this.#topics(config, naming)
    this.statusUrl = config.statusPage.url ?? this.#statusSite(buckets.status)
    const region = (place: { region: string }) => place.region
    const probeQueues = locations.map((place) =>
      arnIn(this, { service: 'sqs', region: region(place), resource: naming.probeQueue(place.location) }),
    )
    const environment = {
      WHODUNIT_HUB_REGION: this.region,
      WHODUNIT_TABLE: naming.table,
      WHODUNIT_QUEUES: this.toJsonString(mapValues(queues, ({ queue }) => queue.queueUrl)),
      WHODUNIT_PROBE_QUEUES: this.toJsonString(
        Object.fromEntries(
          locations.map(({ location, region }) => [
            location,
            { region, url: queueUrl(region, naming.probeQueue(location)) },
          ]),
        ),
      ),
      WHODUNIT_BUCKETS: this.toJsonString(mapValues(buckets, ({ bucketName }) => bucketName)),
      WHODUNIT_TOPICS: this.toJsonString(mapValues(topics, ({ topicArn }) => topicArn)),
      WHODUNIT_STATUS_URL: this.statusUrl,
    }
    const table = hubTable(this, aws, naming)
    const ground: HubGround = { stack: this, config, naming, table, queues, buckets, bundle, environment, probeQueues }
    const api = this.#api(ground)
    this.apiUrl = api.url
    const deliver = this.#deliver(
      ground,
      Object.values(topics).map(({ topicArn }) => topicArn),
    )
    deliver.lambda.addEnvironment('WHODUNIT_API_URL', this.apiUrl)
    const pipeline = { ...this.#pipeline(ground), deliver }
    const scheduled = this.#scheduled(ground)
    this.functions = { ...pipeline, ...scheduled, api: api.target }
    const operators = operatorsTopic(this, { topicName: `${aws.name}-operators`, subscribers: aws.operators })
    const alarms = this.#alarms(new Alarms(this, { topic: operators, name: aws.name }), {
      queues,
      functions: this.functions,
    })
    addDashboard(this, { dashboardName: aws.name, alarms, functions: this.functions, queues })
    this.#outputs()
  }

  #queues({ observations }: Naming): Record<QueueName, QueueWithDead> {
    // Longer than their functions may take, or a message would be worked on twice at once.
    const fifo = { fifo: true, visibilitySeconds: 15 }
    return {
      observations: new QueueWithDead(this, 'Observations', { ...fifo, queueName: observations }),
      'alert-changes': new QueueWithDead(this, 'AlertChanges', fifo),
      triage: new QueueWithDead(this, 'TriageQueue', { visibilitySeconds: 60 }),
      deliver: new QueueWithDead(this, 'DeliverQueue', { visibilitySeconds: 60 }),
      publish: new QueueWithDead(this, 'PublishQueue', { visibilitySeconds: 60 }),
    }
  }

  #buckets({ aws, history }: Config, naming: Naming): HubGround['buckets'] {
    const bucket = (purpose: Purpose, id: string, days?: number) =>
      privateBucket(this, id, { aws, bucketName: naming.bucket(purpose), ...(days === undefined ? {} : { days }) })
    return {
      evidence: bucket('evidence', 'Evidence', 90),
      windows: bucket('windows', 'Windows', 2),
      status: bucket('status', 'StatusPage'),
      // One that is to hold nothing is there too, or asking for none would delete what was kept at once.
      history: bucket('history', 'History', Math.max(1, history.retentionDays)),
    }
  }

  #topics({ channels }: Config, naming: Naming) {
    const made = Object.entries(channels).flatMap(([channel, spec]) => {
      if (spec.kind !== 'sns' || spec.topicArn !== undefined) return []
      const topicName = naming.topic(channel)
      return [[channel, topicFor(this, `Channel-${channel}`, { topicName, subscribers: spec.subscriptions })] as const]
    })
    return Object.fromEntries(made)
  }

  #statusSite(bucket: IBucket): string {
    const site = new Distribution(this, 'StatusSite', {
      comment: 'whodunit status page',
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(bucket),
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      },
      defaultRootObject: statusPageKey,
      httpVersion: HttpVersion.HTTP2_AND_3,
    })
    const because = (id: string, reason: string) => Validations.of(site).acknowledge({ id, reason })
    because('AwsSolutions-CFR1', 'a status page is for everybody, wherever they are')
    because('AwsSolutions-CFR2', 'one static public page: a firewall would cost more a month than all of whodunit')
    because('AwsSolutions-CFR3', 'who reads a public status page is nobody’s business')
    because(
      'AwsSolutions-CFR4',
      'without a domain of its own CloudFront sets the TLS policy; name one in statusPage.url',
    )
    return `https://${site.distributionDomainName}`
  }

  /** Consumers of the queues, in the order a case takes. */
  #pipeline(ground: HubGround) {
    const { config, queues } = ground
    const evaluate = hubFunction(ground, 'evaluate', { description: 'counters and alerts', timeoutSeconds: 10 })
    allowState(evaluate, ground, { write: true })
    allowSend(evaluate, ground, ['alert-changes'])
    evaluate.allow(['sqs:SendMessage'], ground.probeQueues)
    if (config.history.retentionDays > 0) allowHistory(evaluate, ground)
    reads(evaluate, queues.observations, 10)
    // A page that everybody refuses goes to and fro between it and deliver, once a minute for three days.
    const correlate = hubFunction(ground, 'correlate', { description: 'incidents', timeoutSeconds: 10, inLoop: true })
    allowState(correlate, ground, { write: true, list: true })
    allowSend(correlate, ground, ['triage', 'deliver', 'publish', 'alert-changes'])
    reads(correlate, queues['alert-changes'], 10)
    const triage = hubFunction(ground, 'triage', {
      description: 'the questions',
      timeoutSeconds: 20,
      memoryMb: 1024,
      inNetwork: true,
    })
    allowState(triage, ground, { write: true })
    allowObjects(triage, ground.buckets.windows, { actions: ['s3:GetObject'], keys: windowKeys(config) })
    allowSend(triage, ground, ['deliver', 'alert-changes'])
    allowSecrets(triage, ground, secretsOf(config).clusters)
    allowGrants(triage, grantsOfSources(config))
    reads(triage, queues.triage, 1)
    return { evaluate, correlate, triage }
  }

  #deliver(ground: HubGround, topicArns: readonly string[]): StepFunction {
    // A delivery that waits, for a slot or its next attempt, delays its own message: so many attempts, so long, then it ends.
    const deliver = hubFunction(ground, 'deliver', { description: 'pages', timeoutSeconds: 30, inLoop: true })
    allowState(deliver, ground, { write: true })
    allowSend(deliver, ground, ['deliver', 'alert-changes'])
    allowSecrets(deliver, ground, secretsOf(ground.config).channels)
    deliver.allow(['sns:Publish'], topicArns)
    allowGrants(deliver, grantsOfChannels(ground.config))
    // They go out side by side: deliveries that hang together take one call's time, not the place of ten calls.
    reads(deliver, ground.queues.deliver, 10)
    return deliver
  }

  /** What runs by the clock. */
  #scheduled(ground: HubGround) {
    const { config } = ground
    const group = new ScheduleGroup(this, 'Schedules', { removalPolicy: RemovalPolicy.DESTROY })
    const call = (id: string, target: StepFunction, message: Record<string, unknown>) =>
      callOnSchedule(this, `Every${id}`, { description: `whodunit: ${id}`, group, target: target.lambda, message })
    const publish = hubFunction(ground, 'publish', { description: 'the status page', timeoutSeconds: 30 })
    allowState(publish, ground, { write: true, list: true })
    allowObjects(publish, ground.buckets.status, { actions: ['s3:PutObject'], keys: [statusPageKey] })
    publish.allow(['cloudwatch:PutMetricData'], ['*'], {
      StringEquals: { 'cloudwatch:namespace': 'Whodunit/Services' },
    })
    const reason = 'PutMetricData knows no resources; the namespace is the limit'
    Validations.of(publish).acknowledge({ id: 'AwsSolutions-IAM5[Resource::*]', reason })
    reads(publish, ground.queues.publish, 10)
    call('Publish', publish, {})
    const sweep = hubFunction(ground, 'sweep', { description: 'due rows', timeoutSeconds: 70 })
    allowState(sweep, ground, { write: true, due: true })
    allowSend(sweep, ground, ['observations', 'alert-changes', 'triage', 'deliver', 'publish'])
    sweep.allow(['sqs:SendMessage'], ground.probeQueues)
    call('Sweep', sweep, {})
    const clusters = Object.keys(config.clusters)
    if (clusters.length === 0) return { publish, sweep }
    const scrape = hubFunction(ground, 'scrape', {
      description: 'the series of a cluster',
      timeoutSeconds: 90,
      memoryMb: 1024,
      inNetwork: true,
    })
    allowState(scrape, ground, { write: true })
    allowObjects(scrape, ground.buckets.windows, {
      actions: ['s3:GetObject', 's3:PutObject'],
      keys: windowKeys(config),
    })
    allowSend(scrape, ground, ['observations'])
    allowSecrets(scrape, ground, secretsOf(config).clusters)
    allowGrants(scrape, grantsOfSources(config))
    for (const cluster of clusters)
      call(`Scrape-${cluster}`, scrape, { cluster, scheduledAt: ContextAttribute.scheduledTime })
    return { publish, sweep, scrape }
  }

  #api(ground: HubGround) {
    const target = hubFunction(ground, 'api', {
      description: 'acknowledgements and incident pages',
      timeoutSeconds: 10,
    })
    allowState(target, ground, { write: true, list: true })
    allowObjects(target, ground.buckets.status, { actions: ['s3:GetObject'], keys: [statusPageKey] })
    allowSend(target, ground, ['alert-changes'])
    allowSecrets(target, ground, secretsOf(ground.config).api)
    // Mail and chat open its links without AWS credentials; every request is checked by the function itself.
    const { url } = target.lambda.addFunctionUrl({ authType: FunctionUrlAuthType.NONE })
    return { target, url: withoutSlash(url) }
  }

  #alarms(
    alarms: Alarms,
    at: { queues: HubGround['queues']; functions: Readonly<Record<string, StepFunction>> },
  ): Alarms {
    for (const [name, queue] of Object.entries(at.queues)) alarms.deadLetters(name, queue, `a message to ${name}`)
    const waits = { observations: 'an observation', 'alert-changes': 'an alert change', deliver: 'a page' } as const
    for (const [name, what] of entries(waits)) alarms.oldestMessage(name, at.queues[name], { seconds: 120, what })
    for (const name of ['evaluate', 'correlate', 'deliver', 'sweep']) {
      const target = at.functions[name]
      if (target) alarms.errors(name, target)
    }
    const { evaluate, deliver } = at.functions
    if (evaluate) alarms.throttles('evaluate', evaluate)
    if (deliver) alarms.throttles('deliver', deliver)
    const due = alarms.own('DueRowAgeMs')
    const text = 'a row that was due two minutes ago is not applied, or the sweep does not run'
    alarms.add('DueRows', { metric: due, threshold: 120_000, periods: 3, text, silence: 'is-failure' })
    const poison = 'something could not be read and was set aside: items quarantine/… in the table'
    alarms.add('Quarantined', { metric: alarms.own('Quarantined'), threshold: 1, periods: 1, text: poison })
    return alarms
  }

  #outputs() {
    new CfnOutput(this, 'ApiUrl', { value: this.apiUrl, description: 'incident pages and acknowledgements' })
    new CfnOutput(this, 'StatusUrl', { value: this.statusUrl, description: 'the status page' })
  }
}

const mapValues = <K extends string, A, B>(all: Readonly<Record<K, A>>, to: (one: A) => B): Record<string, B> =>
  Object.fromEntries(entries(all).map(([key, one]) => [key, to(one)]))

// `as`: Object.entries forgets which keys a record has.
const entries = <K extends string, V>(all: Readonly<Record<K, V>>) => Object.entries(all) as [K, V][]

const windowKeys = ({ clusters }: Config) => Object.keys(clusters).map((cluster) => windowKey(cluster, '*'))

/** A function's URL ends with a slash, paths begin with one. */
const withoutSlash = (url: string): string => `https://${Fn.select(2, Fn.split('/', url))}`
