import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { ContextAttribute, ScheduleGroup } from 'aws-cdk-lib/aws-scheduler'
import { Annotations, Duration, RemovalPolicy, Stack, type StackProps, Tags } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import { cadenceOf } from '../config/cadence.ts'
import type { Config } from '../config/schema.ts'
import { secretsOf } from '../config/secret-refs.ts'
import { shardsWanted } from '../config/shard-count.ts'
import { Alarms } from './alarms.ts'
import { StepFunction } from './function.ts'
import { allowSecrets } from './hub-functions.ts'
import { missingThere, monitorsAt } from './locations.ts'
import { arnIn, type Naming, queueUrl } from './naming.ts'
import { QueueWithDead } from './queues.ts'
import { callOnSchedule } from './schedule.ts'
import { watchTable } from './state.ts'
import { operatorsTopic } from './topics.ts'

export type LocationProps = StackProps & {
  config: Config
  naming: Naming
  location: string
  /** The folder of a function's bundle, by the function's name. */
  bundle: (name: string) => string
}

const probesAtOnce = 100
const longestSeconds = 15 * 60

/** Long enough for a minute's ticks, every look and its re-checks (side by side, a second apart) at their time-out, and what is left to send. */
const probeTimeoutSeconds = (monitors: readonly { timeoutSeconds: number }[]): number => {
  const rounds = Math.ceil(monitors.length / probesAtOnce)
  const slowestSeconds = Math.max(...monitors.map(({ timeoutSeconds }) => timeoutSeconds))
  return Math.min(longestSeconds, Math.ceil(60 + rounds * (2 * slowestSeconds + 1) + 30))
}

/** One place to look from: a schedule a shard and period → `probe` → the hub's `observations`; and `watch`. */
export class LocationStack extends Stack {
  readonly probe: StepFunction
  readonly watch: StepFunction

  constructor(scope: Construct, id: string, props: LocationProps) {
    const { config, naming, location, bundle: _, ...stackProps } = props
    super(scope, id, { description: `whodunit: probes from ${location}`, ...stackProps })
    const seconds = probeTimeoutSeconds(monitorsAt(config, location).map(([, monitor]) => monitor))
    const opinions = new QueueWithDead(this, 'SecondOpinions', {
      queueName: naming.probeQueue(location),
      visibilitySeconds: seconds + 30,
    })
    this.probe = this.#probe(props, { opinions, seconds })
    const group = new ScheduleGroup(this, 'Schedules', { removalPolicy: RemovalPolicy.DESTROY })
    this.#ticks(props, group)
    const operators = operatorsTopic(this, {
      topicName: `${naming.name}-operators-${location}`,
      subscribers: config.aws.operators,
    })
    this.watch = this.#watch(props, operators.topicArn)
    callOnSchedule(this, 'EveryWatch', {
      description: 'whodunit: is the hub alive',
      group,
      target: this.watch.lambda,
      message: {},
    })
    this.#alarms(new Alarms(this, { topic: operators, name: naming.name }), { config, location, opinions })
    Tags.of(this).add('location', location)
    for (const text of missingThere(monitorsAt(config, location)))
      Annotations.of(this).addWarningV2('whodunit:not-deployed', text)
  }

  #probe(
    { config, naming, location, bundle }: LocationProps,
    { opinions, seconds }: { opinions: QueueWithDead; seconds: number },
  ): StepFunction {
    const probe = new StepFunction(this, 'Probe', {
      description: `probes from ${location}`,
      bundle: bundle('probe'),
      aws: config.aws,
      timeoutSeconds: seconds,
      environment: {
        WHODUNIT_LOCATION: location,
        WHODUNIT_HUB_REGION: naming.hubRegion,
        WHODUNIT_OBSERVATIONS_URL: queueUrl(naming.hubRegion, naming.observations),
        WHODUNIT_PROBES_AT_ONCE: String(probesAtOnce),
      },
    })
    const observations = arnIn(this, { service: 'sqs', region: naming.hubRegion, resource: naming.observations })
    probe.allow(['sqs:SendMessage'], [observations])
    allowSecrets(probe, { stack: this, naming }, secretsOf(config).monitors(location))
    probe.lambda.addEventSource(new SqsEventSource(opinions.queue, { batchSize: 10, reportBatchItemFailures: true }))
    return probe
  }

  #ticks({ config, location }: LocationProps, group: ScheduleGroup) {
    const shards = shardsWanted(config)
    const periods = new Set(monitorsAt(config, location).map(([, { periodSeconds }]) => periodSeconds))
    for (const periodSeconds of periods) {
      const { expression, everySeconds } = cadenceOf(periodSeconds)
      for (let index = 0; index < shards; index++) {
        const shard = `${index}/${shards}`
        callOnSchedule(this, `Every${periodSeconds}sShard${index}of${shards}`, {
          description: `shard ${shard}, every ${periodSeconds} s`,
          expression,
          group,
          target: this.probe.lambda,
          message: { shard, periodSeconds, everySeconds, scheduledAt: ContextAttribute.scheduledTime },
        })
      }
    }
  }

  #watch({ config, naming, location, bundle }: LocationProps, topicArn: string): StepFunction {
    const table = watchTable(this, `${naming.name}-watch-${location}`)
    const watch = new StepFunction(this, 'Watch', {
      description: `is the hub alive, asked from ${location}`,
      bundle: bundle('watch'),
      aws: config.aws,
      timeoutSeconds: 50,
      environment: {
        WHODUNIT_LOCATION: location,
        WHODUNIT_HUB_REGION: naming.hubRegion,
        WHODUNIT_TABLE: naming.table,
        WHODUNIT_WATCH_TABLE: table.tableName,
        WHODUNIT_OPERATORS_TOPIC: topicArn,
      },
    })
    const hubTable = arnIn(this, { service: 'dynamodb', region: naming.hubRegion, resource: `table/${naming.table}` })
    watch.allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem'], [hubTable])
    watch.allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem'], [table.tableArn])
    watch.allow(['sns:Publish'], [topicArn])
    const { monitors, watch: own } = secretsOf(config)
    allowSecrets(watch, { stack: this, naming }, [...monitors(location), ...own])
    return watch
  }

  #alarms(alarms: Alarms, at: { config: Config; location: string; opinions: QueueWithDead }) {
    const { config, location, opinions } = at
    const paces = monitorsAt(config, location).map(([, { periodSeconds }]) => cadenceOf(periodSeconds).everySeconds)
    // Between two schedules there is nothing to hear: a minute of an hourly look's location is neither silent nor failing.
    const pace = Duration.seconds(Math.min(...paces))
    alarms.deadLetters('SecondOpinions', opinions, `a second opinion asked of ${location}`)
    alarms.errors('probe', this.probe, pace)
    alarms.errors('watch', this.watch)
    alarms.add('ScheduleLag', {
      metric: alarms.own('ScheduleLagMs', { location }, pace),
      threshold: 90_000,
      periods: 3,
      text: `looks from ${location} start late, or not at all: three times ${pace.toSeconds()} s in a row`,
      silence: 'is-failure',
    })
  }
}
