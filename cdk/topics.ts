import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnPermission } from 'aws-cdk-lib/aws-lambda'
import { Subscription, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns'
import { Annotations, Stack, Token, Validations } from 'aws-cdk-lib/core'
import type { Construct } from 'constructs'
import type { Subscription as Subscriber } from '../config/contract.ts'

const protocols: Record<keyof Subscriber, SubscriptionProtocol> = {
  email: SubscriptionProtocol.EMAIL,
  https: SubscriptionProtocol.HTTPS,
  sms: SubscriptionProtocol.SMS,
  sqs: SubscriptionProtocol.SQS,
  lambda: SubscriptionProtocol.LAMBDA,
}

/** Where a stack goes, as far as that is known: by itself, or from the command line. */
const whereIs = ({ account, region }: Stack) => ({
  account: Token.isUnresolved(account) ? process.env['CDK_DEFAULT_ACCOUNT'] : account,
  region: Token.isUnresolved(region) ? process.env['CDK_DEFAULT_REGION'] : region,
})

/** Only a stack beside the function can give the right to call it; one that may be there tries. */
const isBeside = (stack: Stack, functionArn: string): boolean => {
  const [, , , region, account] = functionArn.split(':')
  const here = whereIs(stack)
  return (here.region ?? region) === region && (here.account ?? account) === account
}

/** Functions and queues take only what they let in. A queue's policy would take the place of the one that it has. */
const letIn = (topic: Topic, { lambda, sqs }: Subscriber, at: { id: string; topicName: string }): void => {
  const stack = Stack.of(topic)
  if (lambda !== undefined && isBeside(stack, lambda)) {
    const who = { functionName: lambda, principal: 'sns.amazonaws.com', sourceArn: topic.topicArn }
    new CfnPermission(stack, at.id, { action: 'lambda:InvokeFunction', ...who })
    return
  }
  const endpoint = lambda ?? sqs
  if (endpoint === undefined) return
  const itself = lambda === undefined ? 'the queue' : 'the function'
  const text = `topic ${at.topicName} reaches ${endpoint} only where ${itself} itself lets it: see Subscribers in docs/deploy.md`
  Annotations.of(stack).addWarningV2(`whodunit:not-let-in:${at.id}`, text)
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
    letIn(topic, subscriber, { id: `${id}LetIn${index}`, topicName: options.topicName })
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
