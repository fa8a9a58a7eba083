import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { placeOf } from '../../cdk/locations.ts'
import { shardsNeeded } from '../../config/shard-count.ts'
import { deploymentOf } from '../../cost/deployment.ts'
import { measured } from '../../cost/measured.ts'
import { configOf, deploymentOf as deployed, monitor, scratch, templatesOf } from '../cdk/deployed.ts'

const monitors = { front: monitor() }

test('a config with only `local` is priced where the hub is', () => {
  const { hubRegion, hubAssumed, places } = deploymentOf(configOf({ monitors, aws: { region: 'eu-west-1' } }))
  expect({ hubRegion, hubAssumed }).toEqual({ hubRegion: 'eu-west-1', hubAssumed: false })
  expect(places.map(({ location, region }) => [location, region])).toEqual([['local', 'eu-west-1']])
})

test('with no region named anywhere it says that it assumes one', () => {
  const { hubRegion, hubAssumed } = deploymentOf(configOf({ monitors }))
  expect({ hubRegion, hubAssumed }).toEqual({ hubRegion: 'us-east-1', hubAssumed: true })
})

test('the hub lives in the first location that is a region', () => {
  const locations = ['local', 'office', 'eu-central-1', 'us-east-1']
  const found = deploymentOf(configOf({ monitors, locations }))
  expect(found.hubRegion).toBe('eu-central-1')
  expect(found.places.map(({ region }) => region)).toEqual(['eu-central-1', 'eu-central-1', 'us-east-1'])
  expect(found.elsewhere).toEqual(['office'])
})

test.each(['local', 'office', 'eu-west-1', 'us-gov-west-1', 'my-place-1', 'eu-west'])(
  '%s is the same place for the stacks',
  (location) => {
    const { places, elsewhere } = deploymentOf(configOf({ monitors, locations: [location] }))
    expect(elsewhere.includes(location)).toBe(placeOf(location).status === 'private')
    expect(places.length + elsewhere.length).toBe(1)
  },
)

test('a monitor with locations of its own is looked at from there and nowhere else', () => {
  const { places } = deploymentOf(
    configOf({
      monitors: { front: monitor(), away: monitor({ locations: ['us-east-1'] }) },
      locations: ['eu-west-1'],
    }),
  )
  expect(places.map(({ location, ticks }) => [location, ticks.map((tick) => tick.monitors)])).toEqual([
    ['eu-west-1', [1]],
    ['us-east-1', [1]],
  ])
})

test('shards are those the monitors need, or more where the config says so', () => {
  const many = Object.fromEntries(Array.from({ length: 251 }, (_, index) => [`m-${index}`, monitor()]))
  expect(deploymentOf(configOf({ monitors: many })).shards).toBe(shardsNeeded(251))
  expect(deploymentOf(configOf({ monitors, shards: 8 })).shards).toBe(8)
})

test('of CloudWatch’s metrics those are counted that a rule reads', () => {
  const metric = (name: string) => ({ namespace: 'AWS/SQS', metric: 'X', stat: 'Sum', name })
  const metrics = [metric('read'), metric('read'), metric('unread')]
  const { scrapes } = deploymentOf(
    configOf({
      monitors,
      clusters: { main: { sources: [{ kind: 'cloudwatch', region: 'eu-west-1', metrics }] } },
      rules: {
        no: { kind: 'absence', service: 'shop', series: { cluster: 'main', selector: 'read' }, forSeconds: 60 },
      },
    }),
  )
  expect(scrapes).toMatchObject([{ metrics: 2 }])
})

describe('what is counted is what the stacks make', () => {
  const { folder, remove } = scratch()
  afterAll(remove)
  const written = {
    monitors: { front: monitor(), slow: monitor({ periodSeconds: 300 }) },
    locations: ['eu-west-1', 'us-east-1'],
    shards: 2,
  }
  const made = deployed(written, join(folder, 'both'))
  const [hub, ...away] = templatesOf([made.hub, ...made.locations])
  const count = (template: (typeof away)[number] | undefined, type: string) =>
    Object.keys(template?.findResources(type) ?? {}).length
  const fifo = Object.values(hub?.findResources('AWS::SQS::Queue', { Properties: { FifoQueue: true } }) ?? {})
  const { alarms, queues } = measured

  test('alarms', () => {
    expect(count(hub, 'AWS::CloudWatch::Alarm')).toBe(alarms.hub)
    expect(away.map((template) => count(template, 'AWS::CloudWatch::Alarm'))).toEqual([
      alarms.location,
      alarms.location,
    ])
  })

  test('queues that a function polls, each with a dead-letter queue that none does', () => {
    expect(count(hub, 'AWS::Lambda::EventSourceMapping')).toBe(queues.hubFifo + queues.hubStandard)
    expect(fifo).toHaveLength(2 * queues.hubFifo)
    expect(away.map((template) => count(template, 'AWS::Lambda::EventSourceMapping'))).toEqual([
      queues.location,
      queues.location,
    ])
  })

  test('schedules', () => {
    // sweep and publish; watch, and two periods in two shards
    expect(count(hub, 'AWS::Scheduler::Schedule')).toBe(2)
    const { places } = deploymentOf(configOf(written))
    expect(away.map((template) => count(template, 'AWS::Scheduler::Schedule'))).toEqual(
      places.map(({ ticks }) => ticks.length + 1),
    )
  })

  test('memory', () => {
    const sizes = [hub, ...away].flatMap((template) =>
      Object.values(template?.findResources('AWS::Lambda::Function') ?? {}).map(
        (one) => one['Properties'].MemorySize / 1024,
      ),
    )
    // `triage` has more and runs in incidents only.
    expect(new Set(sizes)).toEqual(new Set([measured.memoryGb.usual, 1]))
  })
})
