import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { columns as columnsOf } from '../../../channels/plain-text.ts'
import { costText } from '../../../cli/commands/cost.ts'
import { normalise } from '../../../config/normalise.ts'
import { type ConfigInput, configSchema } from '../../../config/schema.ts'
import { costReport } from '../../../cost/report.ts'
import { whodunit } from '../serving.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const written = (extra: Partial<ConfigInput> = {}): ConfigInput => ({
  services: { shop: {} },
  monitors: { front: { kind: 'http', service: 'shop', url: 'https://shop.example/' } },
  channels: { terminal: { kind: 'console' } },
  routes: [{ channels: ['terminal'] }],
  locations: ['eu-central-1'],
  ...extra,
})

const reportOn = (extra: Partial<ConfigInput> = {}) => costReport(normalise(configSchema.parse(written(extra))))

const folderWith = (config: object) => {
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-cost-'))
  closing.push(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'whodunit.yaml'), JSON.stringify(config))
  return folder
}

const run = async (args: readonly string[], config: object) => {
  const running = whodunit(args, { cwd: folderWith(config) })
  const code = await running.exited
  return { code, stdout: running.stdout(), stderr: running.stderr() }
}

test('--json has the price of a check, the totals and the services, and they add up', async () => {
  const { code, stdout } = await run(['cost', '--json'], written())
  expect(code).toBe(0)
  const told = JSON.parse(stdout)
  expect(told).toMatchObject({
    perCheckRegionMonthUsd: expect.any(Number),
    perServiceMonthUsd: 0.6,
    totals: [10, 100, 1000, 10_000].map((monitors) => ({ monitors, locations: 3, usd: expect.any(Number) })),
    byService: { CloudWatch: expect.any(Number), SQS: expect.any(Number), Lambda: expect.any(Number) },
    deployment: {
      monitors: 1,
      checks: 1,
      runs: 43_800,
      hubRegion: 'eu-central-1',
      locations: ['eu-central-1'],
      shards: 1,
    },
  })
  const services = Object.values<number>(told.byService).reduce((sum, usd) => sum + usd, 0)
  const lines = told.lines.reduce((sum: number, { usd }: { usd: number }) => sum + usd, 0)
  expect(services).toBeCloseTo(told.usd, 9)
  expect(lines).toBeCloseTo(told.usd, 9)
  expect(told.lines.filter(({ usd }: { usd: number }) => !(usd > 0))).toEqual([])
})

test('for people it says what it costs, what dominates, what others list and what is left out', async () => {
  const { code, stdout, stderr } = await run(['cost'], written())
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/^\s+at /m) })
  expect(stdout).toMatch(
    /^\$\d+\.\d\d a month: 1 monitor from eu-central-1 \(1 check\), the hub in eu-central-1, 1 shard\.$/m,
  )
  expect(stdout).toMatch(/CloudWatch dominates with \d+ % of it, most of that alarms\./)
  expect(stdout).toMatch(/\$2\.00 {2}alarms: 20 alarms at \$0\.10/)
  expect(stdout).toMatch(/CloudWatch Synthetics: \$52\.56/)
  expect(stdout).toMatch(/Checkly API checks: \$8\.76/)
  expect(stdout).toContain('Not counted')
})

test.each([
  { given: 'a config mistake', args: ['cost', '--json'], config: { services: {} }, says: 'whodunit.yaml' },
  { given: 'no such file', args: ['cost', '--config', 'nowhere.yaml'], config: {}, says: 'nowhere.yaml' },
  { given: 'an unknown flag', args: ['cost', '--jsno'], config: written(), says: 'unknown option' },
])('$given exits 2 with a sentence', async ({ args, config, says }) => {
  const { code, stdout, stderr } = await run(args, config)
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(says)])
  expect(stderr).not.toMatch(/^\s+at /m)
})

test.each([32, 40, 64, 74, 80, 120])('every line fits a terminal of %i columns', (columns) => {
  const text = costText(reportOn({ locations: ['eu-central-1', 'sa-east-1', 'office'] }), { columns })
  expect(text.split('\n').filter((line) => columnsOf(line) > columns)).toEqual([])
})

test('in a pipe nothing wraps: what is said of one thing is one line', () => {
  const lines = costText(reportOn(), { columns: undefined }).split('\n')
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}- incidents: pages, .* two messages of its own$/))
})

test('nothing that is paid is shown as nothing', () => {
  const text = costText(reportOn(), { columns: 100 })
  expect(text).not.toMatch(/\$0(\.0+)?(?![\d.])/)
})

test('a region without prices is priced high and named, a location that is none is named', () => {
  const { notes, usd } = reportOn({ locations: ['sa-east-1', 'office'] })
  expect(notes).toEqual([
    'sa-east-1 has no row here: priced at the highest of the regions that have one',
    'office is no AWS region: nothing is deployed for it, nothing is counted',
  ])
  expect(usd).toBeGreaterThan(reportOn({ locations: ['us-east-1'] }).usd)
})

test('`local` costs what the hub’s region does, and what would be saved below a minute is said', () => {
  const here = reportOn({ locations: ['local'], aws: { region: 'eu-central-1' } })
  expect(here.usd).toBeCloseTo(reportOn().usd, 10)
  expect(here.onceAMinuteSavesUsd).toEqual({ looks: 0, scrapes: 0 })
  const often = reportOn({
    monitors: { front: { kind: 'http', service: 'shop', url: 'https://shop.example/', periodSeconds: 5 } },
  })
  expect(often.usd - often.onceAMinuteSavesUsd.looks).toBeCloseTo(here.usd, 10)
  expect(costText(often, { columns: 100 })).toContain('Looking once a minute instead')
})

test('the price of a check at 250 a shard keeps to two cents; a missed target names its dearest parts', () => {
  const { perCheckRegionMonthUsd, perCheckRegion, targets } = reportOn({ locations: ['us-east-1'] })
  expect(perCheckRegionMonthUsd).toBeGreaterThan(0)
  expect(perCheckRegionMonthUsd).toBeLessThanOrEqual(0.02)
  expect(perCheckRegion.nextShardUsd).toBeLessThan(perCheckRegionMonthUsd)
  expect(targets.filter(({ met }) => !met).every(({ because }) => (because?.length ?? 0) > 0)).toBe(true)
  expect(targets.map(({ usd, targetUsd, met }) => met === usd <= targetUsd)).toEqual([true, true])
})
