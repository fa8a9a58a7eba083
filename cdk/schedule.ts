import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { Schedule, ScheduleExpression, type ScheduleGroup, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import { type CfnElement, Duration, Stack, Validations } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'

export const everyMinute = 'cron(* * * * ? *)'

/**
 * Calls a function with a message. A call that cannot be made in its minute is not made later: it would be told for a
 * time at which nobody looked, and the next minute brings the next one.
 */
export const callOnSchedule = (
  scope: Construct,
  id: string,
  options: {
    description: string
    expression?: string
    group: ScheduleGroup
    target: IFunction
    message: Record<string, unknown>
  },
): Schedule => {
  const stack = Stack.of(scope)
  // `as`: what stands below a function is a resource of the template.
  const target = stack.getLogicalId(options.target.node.defaultChild as CfnElement)
  Validations.of(stack).acknowledge({
    id: `AwsSolutions-IAM5[Resource::<${target}.Arn>:*]`,
    reason: 'the Scheduler may call this function in any version, and no other function',
  })
  return new Schedule(scope, id, {
    description: options.description,
    schedule: ScheduleExpression.expression(options.expression ?? everyMinute),
    scheduleGroup: options.group,
    target: new LambdaInvoke(options.target, {
      input: ScheduleTargetInput.fromObject(options.message),
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
    }),
  })
}
