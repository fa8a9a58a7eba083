import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { Match, type Template } from 'aws-cdk-lib/assertions'
import * as z from 'zod'
import { chooseConfig } from '../../cdk/config-choice.ts'
import { placeOf } from '../../cdk/locations.ts'
import { scheduleMessage } from '../../functions/probe/config-lambda.ts'
import { allShards } from '../../functions/shards.ts'
import { monitor, scratch, stacksOf, templatesOf, warningsOf } from './deployed.ts'

const { folder, remove } = scratch()
afterAll(remove)

let built = 0
const synth = (written: Parameters<typeof stacksOf>[0]) => stacksOf(written, join(folder, `out${built++}`))

const two = synth({
  monitors: { front: monitor(), search: monitor({ periodSeconds: 300 }), far: monitor({ locations: ['eu-west-1'] }) },
  shards: 2,
})
const [here, far] = templatesOf(two.stacks)
if (!here || !far) throw new Error('two locations are two stacks')

const scheduled = z.object({
  Properties: z.object({ ScheduleExpression: z.string(), Target: z.object({ Input: z.string() }).loose() }),
})
const schedulesIn = (template: Template) =>
  Object.values(template.findResources('AWS::Scheduler::Schedule')).map((resource) => {
    const { ScheduleExpression, Target } = scheduled.parse(resource).Properties
    return { expression: ScheduleExpression, ...scheduleMessage.parse(JSON.parse(Target.Input)) }
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

  test('the Scheduler may only invoke the probe', () => {
    expect(statements(here, 'Scheduler')).toEqual([
      expect.objectContaining({ Action: 'lambda:InvokeFunction', Effect: 'Allow' }),
    ])
  })
})

const policy = z.object({
  Properties: z.object({ PolicyDocument: z.object({ Statement: z.array(z.record(z.string(), z.unknown())) }) }),
})
const statements = (template: Template, name: string) =>
  Object.entries(template.findResources('AWS::IAM::Policy'))
    .filter(([id]) => id.startsWith(name))
    .flatMap(([, resource]) => policy.parse(resource).Properties.PolicyDocument.Statement)

describe('the probe', () => {
  test('may send to the observations queue and write its own log, and nothing else', () => {
    const [queue = ''] = Object.keys(
      here.findResources('AWS::SQS::Queue', { Properties: { RedrivePolicy: Match.anyValue() } }),
    )
    const [log = ''] = Object.keys(here.findResources('AWS::Logs::LogGroup'))
    const allow = { Effect: 'Allow' }
    expect(statements(here, 'ProbeRole')).toEqual([
      { ...allow, Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: { 'Fn::GetAtt': [log, 'Arn'] } },
      { ...allow, Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': [queue, 'Arn'] } },
    ])
    const roles = Object.values(here.findResources('AWS::IAM::Role'))
    expect(roles.filter(({ Properties }) => 'ManagedPolicyArns' in Properties || 'Policies' in Properties)).toEqual([])
  })

  test('runs on Node 24 and arm64, knows its location, and its log does not grow for ever', () => {
    far.hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Environment: { Variables: Match.objectLike({ WHODUNIT_LOCATION: 'eu-west-1' }) },
      LoggingConfig: { LogFormat: 'JSON', LogGroup: Match.anyValue() },
    })
    far.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 })
  })

  test.each([
    { given: 'one quick monitor', monitors: 1, timeoutSeconds: 1, seconds: 92 },
    { given: 'many slow ones', monitors: 201, timeoutSeconds: 60, seconds: 450 },
    { given: 'more than any function may last', monitors: 1000, timeoutSeconds: 60, seconds: 900 },
  ])('$given: time for every look and re-check', ({ monitors, timeoutSeconds, seconds }) => {
    const all = Array.from({ length: monitors }, (_, index) => [`m${index}`, monitor({ timeoutSeconds })])
    const [template] = templatesOf(synth({ monitors: Object.fromEntries(all) }).stacks)
    template?.hasResourceProperties('AWS::Lambda::Function', { Timeout: seconds })
    expect(template).toBeDefined()
  })
})

describe('the observations queue', () => {
  test('is FIFO, forgets repeats within a shard, and sets aside what fails three times into a FIFO queue', () => {
    const queues = here.findResources('AWS::SQS::Queue')
    const [dead = ''] = Object.entries(queues).find(([, { Properties }]) => !Properties.RedrivePolicy) ?? []
    expect(Object.values(queues).map(({ Properties }) => Properties.FifoQueue)).toEqual([true, true])
    here.hasResourceProperties('AWS::SQS::Queue', {
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [dead, 'Arn'] }, maxReceiveCount: 3 },
    })
  })

  test('refuses whoever does not speak TLS', () => {
    here.resourceCountIs('AWS::SQS::QueuePolicy', 2)
    here.allResourcesProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: [Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
      },
    })
  })
})

describe('stacks', () => {
  test('nothing has a name of ours that a second stack could collide with', () => {
    const named = here.toJSON()['Resources'] ?? {}
    const names = ['QueueName', 'FunctionName', 'RoleName', 'LogGroupName']
    const found = Object.values(named).flatMap((resource) => {
      const { Type, Properties } = z
        .object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()) })
        .parse(resource)
      return names.filter((name) => typeof Properties[name] === 'string').map((name) => `${Type} ${name}`)
    })
    expect(found).toEqual([])
  })

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
      { stackName: 'whodunit-local', region: 'any' },
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
      ids: ['whodunit-eu-west-1'],
      elsewhere: ['office'],
    })
    expect(stacks.flatMap(warningsOf)).toEqual([expect.stringContaining('office is no AWS region')])
  })

  test('a location nobody looks from has no stack', () => {
    const { stacks } = synth({
      locations: ['eu-west-1', 'us-east-1'],
      monitors: { a: monitor({ locations: ['us-east-1'] }) },
    })
    expect(stacks.map(({ stackName }) => stackName)).toEqual(['whodunit-us-east-1'])
  })

  test('what a deployed monitor will not find there is said, by name only', () => {
    const headers = { authorization: 'secret:SHOP_TOKEN' }
    const { stacks } = synth({ monitors: { a: monitor({ headers, tls: { caFile: 'own.pem' } }) } })
    expect(stacks.flatMap(warningsOf)).toEqual([
      expect.stringContaining('monitor a: secret:SHOP_TOKEN is not deployed'),
      expect.stringContaining('monitor a: the file own.pem is not deployed'),
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
    expect(existsSync(join(outdir, 'whodunit-local.template.json'))).toBe(true)
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
