import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, expect, test } from '@jest/globals'

type Line = Record<string, unknown>
let lines: Line[] = []

beforeAll(() => {
  const child = join('test', 'aws', 'telemetry-child.ts')
  const env = { PATH: process.env['PATH'], NODE_OPTIONS: '--disable-warning=ExperimentalWarning' }
  const { stdout, stderr } = spawnSync(process.execPath, [child], { encoding: 'utf8', env, timeout: 20_000 })
  lines = `${stdout}${stderr}`
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
})

const metricsNamed = (name: string) => lines.filter((line) => name in line)

test('metrics leave as EMF in our namespace, whose only dimensions are the deployment and, for a probe, the location', () => {
  expect(metricsNamed('ScheduleLagMs')).toEqual([
    expect.objectContaining({
      service: 'shop',
      location: 'eu-west-1',
      ScheduleLagMs: 1500,
      LostNudges: 2,
      _aws: expect.objectContaining({
        CloudWatchMetrics: [
          {
            Namespace: 'Whodunit',
            Dimensions: [['service', 'location']],
            Metrics: [
              { Name: 'ScheduleLagMs', Unit: 'Milliseconds' },
              { Name: 'LostNudges', Unit: 'Count' },
            ],
          },
        ],
      }),
    }),
  ])
  const [sweep] = metricsNamed('DueRowAgeMs')
  expect(sweep).toMatchObject({
    DueRowAgeMs: 0,
    Quarantined: 1,
    _aws: { CloudWatchMetrics: [{ Dimensions: [['service']] }] },
  })
})

test('an invocation that measures nothing publishes nothing', () => {
  expect(lines.filter((line) => '_aws' in line)).toHaveLength(2)
})

test('a line says which function of which deployment, and in which request', () => {
  const [line] = lines.filter(({ message }) => message === 'careful')
  expect(line).toMatchObject({
    level: 'WARN',
    service: 'shop',
    function: 'probe',
    location: 'eu-west-1',
    requestId: 'request-1',
    monitors: 3,
  })
})

test('lost nudges are counted, and each cause is said once', () => {
  const [line] = lines.filter(({ message }) => String(message).startsWith('nudges lost'))
  expect(line).toMatchObject({ count: 2, causes: ['SQS is away'] })
})

test('what is thrown keeps its message and loses what it carried', () => {
  const [line] = lines.filter((one) => 'thrown' in one)
  expect(line).toEqual({
    thrown: 'FunctionFailed: Error: no answer from the queue',
    own: ['name', 'code'],
  })
})

test('no body is printed', () => {
  expect(lines.filter((line) => JSON.stringify(line).includes('open sesame'))).toEqual([])
})
