import { Alarm, ComparisonOperator, type IMetric, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Duration } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import type { StepFunction } from './function.ts'
import type { QueueWithDead } from './queues.ts'

type Watched = {
  metric: IMetric
  /** Alarms when the metric reaches this; below it with `silence`. */
  threshold: number
  /** So many periods of the metric in a row. */
  periods: number
  text: string
  /** Where no data means that nothing runs, no data is bad. */
  silence?: 'is-failure' | 'is-fine'
  below?: boolean
}

/** Our own health: what is told to the operators' topic. One metric an alarm, no metric maths. */
export class Alarms extends Construct {
  readonly all: Alarm[] = []
  readonly #topic: ITopic
  readonly #name: string

  constructor(scope: Construct, options: { topic: ITopic; name: string }) {
    super(scope, 'Alarms')
    this.#topic = options.topic
    this.#name = options.name
  }

  add(id: string, { metric, threshold, periods, text, silence = 'is-fine', below = false }: Watched): void {
    const alarm = new Alarm(this, id, {
      metric,
      threshold,
      evaluationPeriods: periods,
      datapointsToAlarm: periods,
      comparisonOperator: below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: silence === 'is-failure' ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      alarmDescription: text,
    })
    alarm.addAlarmAction(new SnsAction(this.#topic))
    alarm.addOkAction(new SnsAction(this.#topic))
    this.all.push(alarm)
  }

  /** One of our own metrics (`aws/telemetry.ts`), which are told for every deployment by its name. */
  own(metricName: string, dimensions: Record<string, string> = {}, period = minute): Metric {
    const dimensionsMap = { service: this.#name, ...dimensions }
    return new Metric({ namespace: 'Whodunit', metricName, dimensionsMap, statistic: Stats.MAXIMUM, period })
  }

  deadLetters(id: string, { dead }: QueueWithDead, what: string): void {
    const metric = dead.metricApproximateNumberOfMessagesVisible({ period: minute, statistic: Stats.MAXIMUM })
    this.add(`${id}Dead`, {
      metric,
      threshold: 1,
      periods: 1,
      text: `${what} could not be worked on; see its dead-letter queue`,
    })
  }

  oldestMessage(id: string, { queue }: QueueWithDead, options: { seconds: number; what: string }): void {
    const metric = queue.metricApproximateAgeOfOldestMessage({ period: minute, statistic: Stats.MAXIMUM })
    const text = `${options.what} waits longer than ${options.seconds} s`
    this.add(`${id}Oldest`, { metric, threshold: options.seconds, periods: 2, text })
  }

  errors(id: string, { lambda }: StepFunction, period = minute): void {
    const metric = lambda.metricErrors({ period, statistic: Stats.SUM })
    const text = `${id} fails, three times ${period.toSeconds()} s in a row`
    this.add(`${id}Errors`, { metric, threshold: 1, periods: 3, text })
  }

  throttles(id: string, { lambda }: StepFunction): void {
    const metric = lambda.metricThrottles({ period: minute, statistic: Stats.SUM })
    const text = `${id} is throttled: the account's concurrency is used up`
    this.add(`${id}Throttles`, { metric, threshold: 1, periods: 3, text })
  }
}

const minute = Duration.minutes(1)
