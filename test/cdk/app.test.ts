import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { Match, type Template } from 'aws-cdk-lib/assertions'
import * as z from 'zod'
import { chooseConfig } from '../../cdk/config-choice.ts'
import { placeOf } from '../../cdk/locations.ts'
import { scheduleMessage } from '../../functions/probe/config-lambda.ts'
import { allShards } from '../../functions/shards.ts'
import { allowed, deploymentOf, monitor, scratch, templatesOf, warningsOf } from './deployed.ts'

const { folder, remove } = scratch()
afterAll(remove)

let built = 0
const synth = (written: Parameters<typeof deploymentOf>[0]) => deploymentOf(written, join(folder, `out${built++}`))

const two = synth({
  monitors: { front: monitor(), search: monitor({ periodSeconds: 300 }), far: monitor({ locations: ['eu-west-1'] }) },
  shards: 2,
})
const [here, far] = templatesOf(two.locations)
if (!here || !far) throw new Error('two locations are two stacks')

const scheduled = z.object({
  Properties: z.object({ ScheduleExpression: z.string(), Target: z.object({ Input: z.string() }).loose() }),
})
const schedulesIn = (template: Template) =>
  Object.values(template.findResources('AWS::Scheduler::Schedule')).flatMap((resource) => {
    const { ScheduleExpression, Target } = scheduled.parse(resource).Properties
    const message = scheduleMessage.safeParse(JSON.parse(Target.Input))
    return message.success ? [{ expression: ScheduleExpression, ...message.data }] : []
  })

describe('schedules', () => {
  test('there is one for every shard and period of the location, and the handler understands its message', () => {
    const scheduledAt = '<aws.scheduler.scheduled-time>'
    const minute = { expression: 'cron(* * * * ? *)', periodSeconds: 60, everySeconds: 60, scheduledAt }
    const five = { expression: 'cron(0/5 * * * ? *)', periodSeconds: 300, everySeconds: 300, scheduledAt }
    const expected = allShards(2).flatMap((shard) => [
      { ...minute, shard },
      { ...five, shard },
    ])
    expect(schedulesIn(here)).toHaveLength(expected.length)
    expect(schedulesIn(here)).toEqual(expect.arrayContaining(expected))
    expect(schedulesIn(far)).toEqual(allShards(2).map((shard) => ({ ...minute, shard })))
  })

  test('a tick that cannot run in its minute is never run later, by the schedule or by Lambda', () => {
    here.allResourcesProperties('AWS::Scheduler::Schedule', {
      FlexibleTimeWindow: { Mode: 'OFF' },
      ScheduleExpressionTimezone: 'Etc/UTC',
      Target: { RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 } },
    })
    here.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    })
  })

  test('the Scheduler may only invoke probe and watch', () => {
    expect(allowed(here, 'SchedulerRole')).toEqual([
      'lambda:InvokeFunction ProbeFunction, ProbeFunction:*',
      'lambda:InvokeFunction WatchFunction, WatchFunction:*',
    ])
  })
})

describe('the probe', () => {
  test('may send to the hub’s queue, read its own and write its own log, and nothing else', () => {
    expect(allowed(here, 'ProbeRole')).toEqual([
      'logs:CreateLogStream logs:PutLogEvents ProbeLogs',
      'sqs:SendMessage arn:aws:sqs:eu-west-1:AWS::AccountId:whodunit-observations.fifo',
      'sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:GetQueueUrl sqs:ReceiveMessage SecondOpinionsQueue',
    ])
    const roles = Object.values(here.findResources('AWS::IAM::Role'))
    expect(roles.filter(({ Properties }) => 'ManagedPolicyArns' in Properties || 'Policies' in Properties)).toEqual([])
  })

  test('runs on Node 24 and arm64, knows its location, and its log does not grow for ever', () => {
    far.hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Environment: { Variables: Match.objectLike({ WHODUNIT_LOCATION: 'eu-west-1', UV_THREADPOOL_SIZE: '64' }) },
      LoggingConfig: { LogFormat: 'JSON', LogGroup: Match.anyValue() },
    })
    far.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 })
  })

  test.each([
    { given: 'one quick monitor', monitors: 1, timeoutSeconds: 1, seconds: 93 },
    { given: 'many slow ones', monitors: 201, timeoutSeconds: 60, seconds: 453 },
    { given: 'more than any function may last', monitors: 1000, timeoutSeconds: 60, seconds: 900 },
  ])('$given: time for every look and re-check', ({ monitors, timeoutSeconds, seconds }) => {
    const all = Array.from({ length: monitors }, (_, index) => [`m${index}`, monitor({ timeoutSeconds })])
    const [template] = templatesOf(synth({ monitors: Object.fromEntries(all) }).locations)
    template?.hasResourceProperties('AWS::Lambda::Function', { Timeout: seconds })
    expect(template).toBeDefined()
  })
})

test.each([
  { given: 'a quick monitor', timeoutSeconds: 1 },
  { given: 'slow ones', timeoutSeconds: 60 },
])(
  '$given: a message that fails every time it is received lives long enough to be a dead letter',
  ({ timeoutSeconds }) => {
    const monitors = Array.from({ length: 201 }, (_, index) => [`m${index}`, monitor({ timeoutSeconds })])
    const { stacks } = synth({ monitors: Object.fromEntries(monitors) })
    const working = templatesOf(stacks).flatMap((template) =>
      Object.values(template.findResources('AWS::SQS::Queue')).filter(({ Properties }) => Properties.RedrivePolicy),
    )
    const gone = working.filter(({ Properties: { RedrivePolicy, VisibilityTimeout, MessageRetentionPeriod } }) => {
      return RedrivePolicy.maxReceiveCount * VisibilityTimeout >= MessageRetentionPeriod
    })
    expect({ working: working.length, gone }).toEqual({ working: 6, gone: [] })
  },
)

describe('stacks', () => {
  test('everything that can be is tagged', () => {
    const tags = Match.arrayWith([
      { Key: 'app', Value: 'whodunit' },
      { Key: 'location', Value: 'eu-west-1' },
    ])
    for (const type of ['Lambda::Function', 'SQS::Queue', 'Logs::LogGroup', 'IAM::Role', 'Scheduler::ScheduleGroup']) {
      far.allResourcesProperties(`AWS::${type}`, { Tags: tags })
    }
    expect(
      two.stacks.map(({ stackName, region }) => ({ stackName, region: region.replace(/^\$\{.*/, 'any') })),
    ).toEqual([
      { stackName: 'whodunit-hub', region: 'eu-west-1' },
      { stackName: 'whodunit-local', region: 'eu-west-1' },
      { stackName: 'whodunit-eu-west-1', region: 'eu-west-1' },
    ])
  })

  test.each([
    { location: 'local', place: { status: 'here' } },
    { location: 'us-east-1', place: { status: 'region', region: 'us-east-1' } },
    { location: 'ap-southeast-2', place: { status: 'region', region: 'ap-southeast-2' } },
    { location: 'us-gov-west-1', place: { status: 'region', region: 'us-gov-west-1' } },
    { location: 'office-berlin', place: { status: 'private' } },
    { location: 'rack-7', place: { status: 'private' } },
  ])('$location is $place.status', ({ location, place }) => {
    expect(placeOf(location)).toEqual(place)
  })

  test('a private location is not deployed and not passed over in silence', () => {
    const { stacks, elsewhere } = synth({ monitors: { a: monitor({ locations: ['office', 'eu-west-1'] }) } })
    expect({ ids: stacks.map(({ stackName }) => stackName), elsewhere }).toEqual({
      ids: ['whodunit-hub', 'whodunit-eu-west-1'],
      elsewhere: ['office'],
    })
    expect(new Set(stacks.flatMap(warningsOf))).toEqual(new Set([expect.stringContaining('office is no AWS region')]))
  })

  test('a location nobody looks from has no stack', () => {
    const { stacks } = synth({
      locations: ['eu-west-1', 'us-east-1'],
      monitors: { a: monitor({ locations: ['us-east-1'] }) },
    })
    expect(stacks.map(({ stackName }) => stackName)).toEqual(['whodunit-hub', 'whodunit-us-east-1'])
  })

  test('what a deployed monitor will not find there is said', () => {
    const { stacks } = synth({ monitors: { a: monitor({ tls: { caFile: 'own.pem' } }) } })
    expect(stacks.flatMap(warningsOf)).toEqual([expect.stringContaining('monitor a: the file own.pem is not deployed')])
  })

  test('a console, which nobody reads there, is named once', () => {
    const monitors = { a: monitor({ locations: ['eu-west-1', 'us-east-1'] }) }
    const { stacks } = synth({ monitors, channels: { terminal: { kind: 'console' } } })
    expect(stacks.flatMap(warningsOf)).toEqual([
      expect.stringContaining('channel terminal: nobody reads a console on AWS, so it refuses every page'),
    ])
  })
})

describe('the app', () => {
  test.each([
    { given: 'a path that was named', named: 'mine.yaml', there: ['whodunit.yaml'], path: 'mine.yaml', example: false },
    {
      given: 'the project’s own file',
      named: undefined,
      there: ['whodunit.yaml'],
      path: 'whodunit.yaml',
      example: false,
    },
    { given: 'a fresh clone', named: undefined, there: [], path: 'examples/emojivoto/whodunit.yaml', example: true },
  ])('$given', ({ named, there, path, example }) => {
    expect(chooseConfig(named, (candidate) => there.some((file) => file === candidate))).toEqual({ path, example })
  })

  const runApp = (context: object, outdir: string) =>
    new Promise<{ code: number; stderr: string }>((resolve) => {
      const { NODE_OPTIONS: _, ...rest } = process.env
      const env = { ...rest, CDK_CONTEXT_JSON: JSON.stringify(context), CDK_OUTDIR: outdir }
      execFile(process.execPath, ['cdk/app.ts'], { env, timeout: 25_000 }, (error, _stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? -1) : 0, stderr }),
      )
    })

  test('synthesises from a fresh clone without an account, and says that it is the example', async () => {
    const outdir = join(folder, 'app')
    expect(await runApp({ config: 'examples/emojivoto/whodunit.yaml' }, outdir)).toMatchObject({ code: 0 })
    expect(readdirSync(outdir).filter((name) => name.endsWith('.template.json'))).toHaveLength(2)
    expect(readFileSync('cdk.json', 'utf8')).toContain('node_modules/.bin/node cdk/app.ts')
  })

  test.each([
    { given: 'no such file', text: undefined, says: 'Name a config with: cdk synth -c config=PATH' },
    { given: 'a config with a mistake', text: 'services: 1\n', says: 'services' },
  ])('$given: exit 2, a sentence and no stack', async ({ text, says }) => {
    const path = join(folder, 'given.yaml')
    if (text !== undefined) writeFileSync(path, text)
    const { code, stderr } = await runApp(
      { config: text === undefined ? join(folder, 'none.yaml') : path },
      join(folder, 'no'),
    )
    expect(code).toBe(2)
    expect(stderr).toContain(says)
    expect(existsSync(join(folder, 'no', 'manifest.json'))).toBe(false)
  })
})
