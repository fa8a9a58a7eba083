import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { shardsNeeded } from '../../config/shard-count.ts'
import { seededRandom } from '../../examples/emojivoto/random-names.ts'
import { historyKey, historyLine, type KeptOutcome } from '../../functions/history.ts'
import { shardOf } from '../../functions/shards.ts'
import { fileBlobs } from '../../stores/files.ts'
import { atMost } from './figures.ts'

const monitors = 5000
const startMs = Date.UTC(2026, 10, 16)
const minuteMs = 60_000

const idOf = (nth: number) => `shop-monitor-${nth}`

/** One service for twenty monitors, as a large hub has it. */
export const configText = (count: number, failureThreshold: number): string => {
  const names = Array.from({ length: count }, (_, nth) => nth)
  const serviceOf = (nth: number) => `service-${Math.floor(nth / 20)}`
  const url = (nth: number) => `https://shop.example.com/${nth}`
  return JSON.stringify({
    services: Object.fromEntries(
      names.map((nth) => [
        serviceOf(nth),
        { owner: { team: 'shop', role: 'developers' }, runbook: 'https://runbooks.example.com/shop' },
      ]),
    ),
    monitors: Object.fromEntries(
      names.map((nth) => [idOf(nth), { kind: 'http', service: serviceOf(nth), url: url(nth) }]),
    ),
    rules: Object.fromEntries(
      names.map((nth) => [`down-${nth}`, { kind: 'availability', monitor: idOf(nth), failureThreshold }]),
    ),
    channels: { terminal: { kind: 'console' } },
    routes: [{ channels: ['terminal'] }],
    shards: shardsNeeded(count),
  })
}

/** So many minutes of a fleet of which one look in two thousand begins a run of up to eight failures. */
export const writeHistory = async (directory: string, minutes: number): Promise<void> => {
  const blobs = fileBlobs({ directory })
  const random = seededRandom(11)
  const failing = new Map<number, number>()
  const shards = shardsNeeded(monitors)
  const look = (nth: number, scheduledAtMs: number): KeptOutcome => {
    const left = failing.get(nth) ?? (random() < 1 / 2000 ? 1 + Math.floor(8 * random()) : 0)
    failing.set(nth, Math.max(0, left - 1))
    if (left <= 1) failing.delete(nth)
    const seen = {
      monitorId: idOf(nth),
      location: 'local',
      scheduledAtMs,
      startedAtMs: scheduledAtMs,
      look: 'tick' as const,
    }
    const timingsMs = { connect: 5 + 90 * random(), processing: 20 + 400 * random(), total: 30 + 500 * random() }
    const cause = { phase: 'assert' as const, code: 'assert-status', detail: 'expected status 200, saw 500' }
    return left > 0 ? { ...seen, verdict: 'fail', timingsMs, cause } : { ...seen, verdict: 'pass', timingsMs }
  }
  for (let minute = 0; minute < minutes; minute++) {
    const atMs = startMs + minute * minuteMs
    const looks = Array.from({ length: monitors }, (_, nth) => look(nth, atMs))
    for (const [shard, outcomes] of Map.groupBy(looks, ({ monitorId }) => shardOf(monitorId, shards))) {
      const part = { observationId: `tick:${minute}`, outcomes, judgements: [], transitions: [] }
      const line = historyLine({ shard, minuteMs: atMs, parts: [part] })
      await blobs.put(historyKey(atMs, shard), gzipSync(line))
    }
  }
}

type Measured = { outcomes: number; pages: [number, number]; tookMs: number; rssMb: number }

const replay = (folder: string): Measured => {
  const child = new URL('./backtest-child.ts', import.meta.url).pathname
  return JSON.parse(execFileSync(process.execPath, [child, folder, String(monitors)], { encoding: 'utf8' }))
}

/** What a backtest of a large hub takes: how fast, and that a longer history needs no more memory. */
export const measureBacktest = async ([shorter = '20', longer = '80']: readonly string[]): Promise<string[]> => {
  const lines: string[] = []
  let first: Measured | undefined
  for (const minutes of [Number(shorter), Number(longer)]) {
    const folder = mkdtempSync(join(tmpdir(), 'whodunit-backtest-'))
    try {
      await writeHistory(folder, minutes)
      const { outcomes, pages, tookMs, rssMb } = replay(folder)
      const perSecond = Math.round(outcomes / (tookMs / 1000))
      lines.push(
        `${minutes} min of ${monitors} monitors through two configs: ${outcomes.toLocaleString('en')} outcomes, ${perSecond.toLocaleString('en')} a second, ${rssMb.toFixed(0)} MB at most, ${pages.join(' and ')} pages`,
      )
      if (!first) first = { outcomes, pages, tookMs, rssMb }
      else lines.push(atMost('memory for the longer of them', rssMb / first.rssMb, { limit: 1.5, unit: 'times' }))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return lines
}
