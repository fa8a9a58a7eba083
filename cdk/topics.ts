import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Subscription, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns'
import { Stack, Validations } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import type { Subscription as Subscriber } from '../config/contract.ts'

const protocols: Record<keyof Subscriber, SubscriptionProtocol> = {
  email: SubscriptionProtocol.EMAIL,
  https: SubscriptionProtocol.HTTPS,
  sms: SubscriptionProtocol.SMS,
  sqs: SubscriptionProtocol.SQS,
  lambda: SubscriptionProtocol.LAMBDA,
}

/** A topic and who is subscribed to it by the config. */
export const topicFor = (
  scope: Construct,
  id: string,
  options: { topicName: string; subscribers: readonly Subscriber[] },
): Topic => {
  const topic = new Topic(scope, id, { topicName: options.topicName, enforceSSL: true })
  const reason = 'CloudWatch alarms cannot publish to a topic under the key AWS manages; nothing in a page is a secret'
  Validations.of(topic).acknowledge({ id: 'AwsSolutions-SNS2', reason })
  options.subscribers.forEach((subscriber, index) => {
    for (const [name, endpoint = ''] of Object.entries(subscriber)) {
      // `as`: the schema lets no other names in.
      const protocol = protocols[name as keyof Subscriber]
      new Subscription(scope, `${id}Subscriber${index}`, { topic, protocol, endpoint })
    }
  })
  return topic
}

/** The topic of the operators. A topic with a policy of its own must let alarms in by name. */
export const operatorsTopic = (
  scope: Construct,
  options: { topicName: string; subscribers: readonly Subscriber[] },
): Topic => {
  const topic = topicFor(scope, 'Operators', options)
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  )
  return topic
}
