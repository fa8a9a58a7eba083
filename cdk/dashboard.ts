import { AlarmStatusWidget, Dashboard, GraphWidget, type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { Duration } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import type { Alarms } from './alarms.ts'
import type { StepFunction } from './function.ts'
import type { QueueWithDead } from './queues.ts'

const period = Duration.minutes(1)

const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 12, height: 6 })

/** What the platform engineer looks at when an alarm of ours goes off. */
export const addDashboard = (
  scope: Construct,
  options: {
    dashboardName: string
    alarms: Alarms
    functions: Readonly<Record<string, StepFunction>>
    queues: Readonly<Record<string, QueueWithDead>>
  },
): Dashboard => {
  const { alarms, functions, queues } = options
  const dashboard = new Dashboard(scope, 'Dashboard', { dashboardName: options.dashboardName })
  const each = <T>(all: Readonly<Record<string, T>>, metric: (one: T, label: string) => IMetric) =>
    Object.entries(all).map(([label, one]) => metric(one, label))
  dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms: alarms.all, width: 24, height: 4 }))
  dashboard.addWidgets(
    graph(
      'Oldest message (s)',
      each(queues, ({ queue }, label) => queue.metricApproximateAgeOfOldestMessage({ period, label })),
    ),
    graph('Opened to delivered, oldest due row (ms)', [alarms.own('PageDelayMs'), alarms.own('DueRowAgeMs')]),
  )
  dashboard.addWidgets(
    graph(
      'Duration, p99 (ms)',
      each(functions, ({ lambda }, label) => lambda.metricDuration({ period, label, statistic: Stats.percentile(99) })),
    ),
    graph(
      'Errors',
      each(functions, ({ lambda }, label) => lambda.metricErrors({ period, label })),
    ),
  )
  return dashboard
}
