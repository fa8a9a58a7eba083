import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openHistory, type Span } from '../../../cli/backtest/history.ts'
import { Replay } from '../../../cli/backtest/replay.ts'
import type { AlertTransition } from '../../../functions/contract.ts'
import { evaluateView } from '../../../functions/evaluate/config.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { historyKey, historyLine } from '../../../functions/history.ts'
import { historyKeeper } from '../../../functions/history-keeping.ts'
import { fileBlobs } from '../../../stores/files.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { whodunit } from '../serving.ts'
import { configOf, look, minuteMs, shopYaml, startMs } from './town.ts'

const rules = `rules:
  front-slo: { kind: slo, monitor: front, objectivePercent: 99, minEvents: 3 }
  front-blind: { kind: absence, monitor: front, severity: page, forSeconds: 300 }
`
const yaml = shopYaml(rules)
const data = mkdtempSync(join(tmpdir(), 'backtest-'))
const config = join(data, 'whodunit.yaml')
let happened: AlertTransition[] = []

/** Three hours of a hub as it runs: what it keeps is the history, what it decided the truth. */
beforeAll(async () => {
  let nowMs = startMs
  const store = memoryStore({ nowMs: () => nowMs })
  const blobs = fileBlobs({ directory: join(data, 'blobs') })
  const lost = (key: string, cause: string) => {
    throw new Error(`${key}: ${cause}`)
  }
  const keep = historyKeeper({ blobs, lost })
  const step = evaluateStep({
    store,
    nowMs: () => nowMs,
    nudge: async () => undefined,
    keep: async (at) => {
      happened = [...happened, ...at.part.transitions]
      await keep(at)
    },
    ...evaluateView(await configOf(yaml)),
  })
  // A seeded town: failures come in runs, a few looks arrive minutes late, and for ten minutes nobody could look.
  let seed = 7
  const dice = (sides: number) => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    return (seed >> 8) % sides
  }
  let failing = 0
  let late: ReturnType<typeof look>[] = []
  for (let minute = 0; minute < 180; minute++) {
    if (failing === 0 && dice(12) === 0) failing = 1 + dice(9)
    const verdict = minute >= 100 && minute < 110 ? 'unknown' : failing > 0 ? 'fail' : 'pass'
    failing = Math.max(0, failing - 1)
    const seen = [look('front', minute, verdict), look('basket', minute, dice(30) === 0 ? 'fail' : 'pass')]
    for (const row of await store.due(startMs + minute * minuteMs, 1000)) {
      if (row.row.to !== 'evaluate') continue
      nowMs = Math.max(nowMs, row.row.dueAtMs)
      await step({ kind: 'timer', id: row.row.id, shard: '0/1', rowId: row.row.id })
    }
    nowMs = startMs + minute * minuteMs + 100 + dice(900)
    const arrived = dice(10) === 0 ? [] : [...late, ...seen]
    late = arrived.length === 0 ? [...late, ...seen] : []
    if (arrived.length > 0) {
      await step({ kind: 'outcomes', id: `tick:${minute}`, shard: '0/1', outcomes: arrived.map(({ ...one }) => one) })
    }
  }
  writeFileSync(config, yaml)
})
afterAll(() => rmSync(data, { recursive: true }))

const replayed = async (path: string, span: Span = {}) => {
  const replay = new Replay(await configOf(yaml))
  for await (const arrival of openHistory(path, span).arrivals) await replay.apply(arrival)
  return replay
}

const fired = (all: readonly AlertTransition[]) =>
  all.filter(({ from, to }) => to === 'firing' && from !== 'held').map(({ alertId, atMs }) => `${alertId} ${atMs}`)

test('a replay through the config it was seen with fires what fired, at the millisecond it did', async () => {
  const { ledger } = await replayed(data)
  const spells = ledger.spells.filter(({ firedAtMs }) => firedAtMs !== undefined)
  expect(spells.map(({ alertId, firedAtMs }) => `${alertId} ${firedAtMs}`).sort()).toEqual(fired(happened).sort())
  expect(new Set(fired(happened).map((one) => one.split(' ')[0]))).toEqual(
    new Set(['front-availability', 'front-blind', 'front-slo', 'front-slo:ticket']),
  )
})

test.each(['blobs', 'blobs/history', '.'])('the history is found from %s', async (path) => {
  const { arrivals } = openHistory(join(data, path), {})
  for await (const { outcomes } of arrivals) {
    expect(outcomes.length).toBeGreaterThan(0)
    return
  }
  throw new Error('no history')
})

const run = async (...args: string[]) => {
  const running = whodunit(['backtest', ...args], { cwd: data })
  const code = await running.exited
  return { code, out: running.stdout(), said: running.stderr() }
}

test('what is saved is a history itself, with the same answer; a pipe sees no progress', async () => {
  const saved = join(data, 'outcomes.jsonl.gz')
  const [first, from] = [
    await run('--history', '.', '--save', saved, '--json'),
    await run('--history', saved, '--json'),
  ]
  expect([first.code, from.code]).toEqual([0, 0])
  expect(first.said).not.toContain('outcomes')
  expect(JSON.parse(from.out)).toEqual(JSON.parse(first.out))
  expect(JSON.parse(first.out).today.pages.length).toBeGreaterThan(1)
  const [line = ''] = gunzipSync(readFileSync(saved)).toString().split('\n')
  expect(Object.keys(JSON.parse(line)).sort()).toEqual([
    'arrivedAtMs',
    'location',
    'look',
    'monitorId',
    'scheduledAtMs',
    'startedAtMs',
    'timingsMs',
    'verdict',
  ])
})

test('exit 1 when a page is lost, 0 when that was not asked for, 2 when there is nothing to replay', async () => {
  const [plain, patient] = [join(data, 'plain.yaml'), join(data, 'patient.yaml')]
  writeFileSync(plain, shopYaml())
  writeFileSync(
    patient,
    shopYaml('rules:\n  front-down: { kind: availability, monitor: front, failureThreshold: 10 }\n'),
  )
  const configs = ['--history', '.', '--today', plain, '--config', patient]
  const lost = await run(...configs)
  expect(lost.code).toBe(1)
  expect(lost.out).toContain('would no longer page')
  expect((await run(...configs, '--fail-on', 'added')).code).toBe(0)
  const nothing = await run(...configs, '--from', '2026-11-17T00:00Z')
  expect(nothing.code).toBe(2)
  expect(nothing.said).toContain('whodunit: nothing was replayed, so nothing is known: exit 2')
})

test.each([
  { given: 'no such history', args: ['--history', 'nowhere'], said: 'there is no nowhere' },
  { given: 'a folder without one', args: ['--history', 'blobs/history/2026-11-16/00'], said: 'holds no history' },
  { given: 'no config of today', args: ['--today', 'gone.yaml'], said: 'there is no gone.yaml to compare with' },
  { given: 'a wish nobody knows', args: ['--fail-on', 'doom'], said: 'one or more of lost, added, later, or none' },
])('$given is exit 2 with a hint', async ({ args, said }) => {
  const result = await run(...args)
  expect(result.code).toBe(2)
  expect(result.said).toContain(said)
})

test.each([
  {
    given: 'a line that is no outcome',
    lines: ['{"monitorId":"front","verdict":"fine"}'],
    said: 'bad.jsonl:1: scheduledAtMs: Invalid input',
  },
  { given: 'a line that is no JSON', lines: ['front failed'], said: 'bad.jsonl:1: no outcome as JSON' },
  { given: 'one endless line', lines: ['x'.repeat(200_000)], said: 'bad.jsonl:1: no outcome as JSON' },
  {
    given: 'lines in disorder',
    lines: ['2026-11-16T01:00:00Z', '2026-11-16T00:30:00Z'].map((at) =>
      JSON.stringify({ monitorId: 'front', verdict: 'pass', scheduledAtMs: at }),
    ),
    said: 'line 2 is more than ten minutes earlier than a line before it',
  },
])('a file with $given is exit 2, with its line', async ({ lines, said }) => {
  writeFileSync(join(data, 'bad.jsonl'), lines.join('\n'))
  const result = await run('--history', 'bad.jsonl')
  expect(result.code).toBe(2)
  expect(result.said).toContain(said)
})

test('only what was asked for is replayed, an object that cannot be read is counted', async () => {
  const hour = join(data, 'blobs', 'history', '2026-11-16', '01')
  const [name = ''] = readdirSync(hour)
  writeFileSync(join(hour, name), 'no history')
  const history = openHistory(data, { fromMs: startMs + 60 * minuteMs, toMs: startMs + 120 * minuteMs })
  const minutes: number[] = []
  for await (const { outcomes } of history.arrivals) {
    for (const { scheduledAtMs } of outcomes) minutes.push((scheduledAtMs - startMs) / minuteMs)
  }
  expect(Math.min(...minutes)).toBeGreaterThanOrEqual(60)
  // What arrived with the last of them is part of it.
  expect(Math.max(...minutes)).toBeLessThan(125)
  expect(history.unreadable()).toBe(1)
})

test('files that somebody else put into a history are no end of it', async () => {
  const copy = join(data, 'copy')
  const part = { observationId: 'tick', outcomes: [look('front', 0, 'pass')], judgements: [], transitions: [] }
  const line = historyLine({ shard: '0/1', minuteMs: startMs, parts: [part] })
  await fileBlobs({ directory: copy }).put(historyKey(startMs, '0/1'), gzipSync(line))
  // A page of names before it.
  const before = join(copy, 'history', '2026-11-15')
  mkdirSync(before)
  for (let nth = 0; nth < 1000; nth++) writeFileSync(join(before, `${nth}.part`), '')
  let outcomes = 0
  for await (const arrival of openHistory(copy, {}).arrivals) outcomes += arrival.outcomes.length
  expect(outcomes).toBe(1)
})

test('a history is not saved over itself, and stays as it was', async () => {
  const line = JSON.stringify({ monitorId: 'front', verdict: 'pass', scheduledAtMs: startMs })
  writeFileSync(join(data, 'own.jsonl'), line)
  const result = await run('--history', 'own.jsonl', '--save', './own.jsonl')
  expect([result.code, result.said]).toEqual([
    2,
    expect.stringContaining('--save would overwrite the history own.jsonl'),
  ])
  expect(readFileSync(join(data, 'own.jsonl'), 'utf8')).toBe(line)
})
