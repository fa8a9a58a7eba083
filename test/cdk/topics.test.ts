import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, expect, test } from '@jest/globals'
import { CfnPermission } from 'aws-cdk-lib/aws-lambda'
import { CfnTopic } from 'aws-cdk-lib/aws-sns'
import type { Subscription } from '../../config/contract.ts'
import { deploymentOf, monitor, scratch, warningsOf } from './deployed.ts'

const { folder, remove } = scratch()
afterAll(remove)

let built = 0
const deployed = (written: Parameters<typeof deploymentOf>[0]) => {
  const monitors = { front: monitor({ locations: ['eu-west-1', 'us-east-1'] }) }
  const { stacks } = deploymentOf({ monitors, ...written }, join(folder, `out${built++}`))
  // Looked up without a synth, which would print the warnings.
  const permitted = stacks.flatMap((stack) => {
    const all = stack.node.findAll()
    const topics = all.filter((one) => one instanceof CfnTopic)
    const nameOf = (arn: unknown) => topics.find(({ ref }) => isDeepStrictEqual(stack.resolve(ref), arn))?.topicName
    return all
      .filter((one) => one instanceof CfnPermission)
      .filter(({ principal }) => principal === 'sns.amazonaws.com')
      .map(({ sourceArn, action, functionName }) => `${nameOf(stack.resolve(sourceArn))} ${action} ${functionName}`)
  })
  return { permitted, warned: stacks.flatMap(warningsOf).map((text) => text.replace(/ \[ack: .*/, '')) }
}

const subscribed = (subscriptions: readonly Subscription[]) =>
  deployed({
    channels: { pager: { kind: 'sns', subscriptions: [...subscriptions] } },
    routes: [{ channels: ['pager'] }],
    aws: { operators: [{ email: 'platform@example.com' }] },
  })

const theirs = 'arn:aws:sns:eu-west-1:123456789012:on-call'
const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:pager'
const away = 'arn:aws:lambda:us-east-1:123456789012:function:pager'
const queue = 'arn:aws:sqs:eu-west-1:123456789012:pages'
const letIn = (who: string, what: string) =>
  `topic whodunit-pager reaches ${who} only where ${what} itself lets it: see Subscribers in docs/deploy.md`

test.each<{ given: string; subscriber: Subscription; permitted: string[]; warned: string[] }>([
  { given: 'an address', subscriber: { email: 'a@example.com' }, permitted: [], warned: [] },
  {
    given: 'a function beside the topic',
    subscriber: { lambda: arn },
    permitted: [`whodunit-pager lambda:InvokeFunction ${arn}`],
    warned: [],
  },
  {
    given: 'an alias of one',
    subscriber: { lambda: `${arn}:live` },
    permitted: [`whodunit-pager lambda:InvokeFunction ${arn}:live`],
    warned: [],
  },
  {
    given: 'a function in another region',
    subscriber: { lambda: away },
    permitted: [],
    warned: [letIn(away, 'the function')],
  },
  { given: 'a queue', subscriber: { sqs: queue }, permitted: [], warned: [letIn(queue, 'the queue')] },
])('$given may be told of a page, or it is said that it may not yet', ({ subscriber, permitted, warned }) => {
  expect(subscribed([subscriber])).toEqual({ permitted, warned })
})

test('a function of an account that is not the one deployed to is not given a right that nobody here can give', () => {
  const before = process.env['CDK_DEFAULT_ACCOUNT']
  process.env['CDK_DEFAULT_ACCOUNT'] = '999999999999'
  try {
    expect(subscribed([{ lambda: arn }])).toEqual({ permitted: [], warned: [letIn(arn, 'the function')] })
  } finally {
    if (before === undefined) delete process.env['CDK_DEFAULT_ACCOUNT']
    else process.env['CDK_DEFAULT_ACCOUNT'] = before
  }
})

test('a function among the operators may be called by every topic of its own region', () => {
  expect(deployed({ aws: { operators: [{ lambda: arn }] } })).toEqual({
    permitted: [
      `whodunit-operators lambda:InvokeFunction ${arn}`,
      `whodunit-operators-eu-west-1 lambda:InvokeFunction ${arn}`,
    ],
    warned: [letIn(arn, 'the function').replace('whodunit-pager', 'whodunit-operators-us-east-1')],
  })
})

test('a topic that the config subscribes nobody to, and alarms that nobody hears, are named once', () => {
  const channels = { pager: { kind: 'sns' as const }, theirs: { kind: 'sns' as const, topicArn: theirs } }
  expect(deployed({ channels, routes: [{ channels: ['pager', 'theirs'] }], aws: {} }).warned).toEqual([
    'channel pager: nobody is subscribed to its topic, where every page counts as delivered: add subscriptions, or subscribe by hand',
    'no operators: nobody is told that whodunit itself is unwell: add aws.operators, or subscribe to their topics by hand',
  ])
})
