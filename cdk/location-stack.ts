import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import {
  ContextAttribute,
  Schedule,
  ScheduleExpression,
  ScheduleGroup,
  ScheduleTargetInput,
} from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import { DeduplicationScope, FifoThroughputLimit, Queue } from 'aws-cdk-lib/aws-sqs'
import { Annotations, CfnOutput, Duration, RemovalPolicy, Stack, type StackProps, Tags } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import type { Config } from '../config/schema.ts'
import { cadenceOf } from './cadence.ts'
import { missingThere, monitorsAt } from './locations.ts'

export type LocationProps = StackProps & {
  config: Config
  location: string
  /** The folder with the bundled probe and its config. */
  probeBundle: string
}

const probesAtOnce = 100
const longestSeconds = 15 * 60

/** Long enough for a minute's ticks, every look and re-check at its time-out, and what is left to send. */
const probeTimeout = (monitors: readonly { timeoutSeconds: number }[]): Duration => {
  const rounds = Math.ceil(monitors.length / probesAtOnce)
  const slowestSeconds = Math.max(...monitors.map(({ timeoutSeconds }) => timeoutSeconds))
  return Duration.seconds(Math.min(longestSeconds, Math.ceil(60 + rounds * 2 * slowestSeconds + 30)))
}

/**
 * One place to look from: a schedule a shard and period → `probe` → `observations`. A tick that cannot run in its minute
 * is not run later: it would be told for a time at which nobody looked. Missing ticks are what `absence` rules watch.
 */
export class LocationStack extends Stack {
  readonly observations: Queue

  constructor(scope: Construct, id: string, props: LocationProps) {
    const { config, location, probeBundle, ...stackProps } = props
    super(scope, id, { description: `whodunit: probes from ${location}`, ...stackProps })
    const monitors = monitorsAt(config, location)
    this.observations = this.#observations()
    const probe = this.#probe(props, this.observations)
    this.#schedules(probe, { ...props, periods: new Set(monitors.map(([, { periodSeconds }]) => periodSeconds)) })
    for (const text of missingThere(monitors)) Annotations.of(this).addWarningV2('whodunit:not-deployed', text)
    Tags.of(this).add('app', 'whodunit')
    Tags.of(this).add('location', location)
    new CfnOutput(this, 'ObservationsUrl', { value: this.observations.queueUrl })
  }

  /** Repeats are dropped within a shard; what cannot be applied three times is set aside, the shard goes on. */
  #observations(): Queue {
    const fifo = { fifo: true, enforceSSL: true }
    const dead = new Queue(this, 'DeadObservations', { ...fifo, retentionPeriod: Duration.days(14) })
    return new Queue(this, 'Observations', {
      ...fifo,
      deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
      fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
      visibilityTimeout: Duration.seconds(15),
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: dead, maxReceiveCount: 3 },
    })
  }

  #probe({ config, location, probeBundle }: LocationProps, observations: Queue): LambdaFunction {
    const logGroup = new LogGroup(this, 'ProbeLogs', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    // A role of its own: the default one may write to every log group of the account.
    const role = new Role(this, 'ProbeRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    logGroup.grantWrite(role)
    const resources = [observations.queueArn]
    role.addToPolicy(new PolicyStatement({ effect: Effect.ALLOW, actions: ['sqs:SendMessage'], resources }))
    return new LambdaFunction(this, 'Probe', {
      description: `whodunit probe from ${location}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(probeBundle),
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      memorySize: 512,
      timeout: probeTimeout(monitorsAt(config, location).map(([, monitor]) => monitor)),
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
      environment: {
        WHODUNIT_LOCATION: location,
        WHODUNIT_OBSERVATIONS_URL: observations.queueUrl,
        WHODUNIT_PROBES_AT_ONCE: String(probesAtOnce),
      },
    })
  }

  #schedules(probe: LambdaFunction, { config, periods }: LocationProps & { periods: ReadonlySet<number> }) {
    const scheduleGroup = new ScheduleGroup(this, 'Schedules', { removalPolicy: RemovalPolicy.DESTROY })
    for (const periodSeconds of periods) {
      const { expression, everySeconds } = cadenceOf(periodSeconds)
      for (let index = 0; index < config.shards; index++) {
        const shard = `${index}/${config.shards}`
        const message = { shard, periodSeconds, everySeconds, scheduledAt: ContextAttribute.scheduledTime }
        new Schedule(this, `Every${periodSeconds}sShard${index}of${config.shards}`, {
          description: `shard ${shard}, every ${periodSeconds} s`,
          schedule: ScheduleExpression.expression(expression),
          scheduleGroup,
          target: new LambdaInvoke(probe, {
            input: ScheduleTargetInput.fromObject(message),
            retryAttempts: 0,
            maxEventAge: Duration.minutes(1),
          }),
        })
      }
    }
  }
}
