import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../../examples/emojivoto/random-names.ts'
import { evaluateStep } from '../../functions/evaluate/step.ts'
import { forgetHistory, historyKeeper } from '../../functions/history-keeping.ts'
import { allShards, shardOf } from '../../functions/shards.ts'
import type { ProbeOutcome } from '../../probes/contract.ts'
import { fileBlobs } from '../../stores/files.ts'
import { memoryStore } from '../../stores/memory.ts'
import { outcome, period, seen, start } from '../functions/builders.ts'

const monitors = 5000
const shards = 32
const minutes = 10

/** Every target has its own usual times, and each look is a little off them. */
const fleetOf = (random: () => number) => {
  const usual = Array.from({ length: monitors }, () => ({
    connect: 5 + 90 * random(),
    processing: 20 + 400 * random(),
  }))
  const jitter = (ms: number) => ms * (0.8 + 0.3 * random() + (random() < 0.05 ? 2 * random() : 0))
  return (scheduledAtMs: number): ProbeOutcome[] =>
    usual.map(({ connect, processing }, nth) => {
      const took = {
        resolve: jitter(4),
        connect: jitter(connect),
        tls: jitter(2 * connect),
        processing: jitter(processing),
        transfer: jitter(3),
      }
      const total = Object.values(took).reduce((sum, ms) => sum + ms, 0.4 + random())
      const monitorId = `shop-monitor-${nth}`
      const startedAtMs = scheduledAtMs + Math.floor(random() * 900)
      return {
        ...outcome({ verdict: 'pass', monitorId, scheduledAtMs, startedAtMs }),
        timingsMs: { ...took, total },
        attempt: { statusCode: 200 },
      }
    })
}

const diskBytes = (folder: string) => Number(/^\d+/.exec(execFileSync('du', ['-s', '-B1', folder]).toString())?.[0])

/** What the history of a large hub takes on this disk, and how long keeping it takes. */
export const measureHistory = async (): Promise<string[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-history-'))
  try {
    const blobs = fileBlobs({ directory: folder })
    const clock = { nowMs: start }
    const lost: string[] = []
    const keep = historyKeeper({ blobs, lost: (key) => lost.push(key) })
    const spent = { keepMs: 0 }
    const evaluate = evaluateStep({
      store: memoryStore({ nowMs: () => clock.nowMs }),
      nowMs: () => clock.nowMs,
      nudge: async () => undefined,
      locations: ['local'],
      shards,
      rulesOf: () => [],
      home: { monitor: shardOf, rule: shardOf },
      keep: async (at) => {
        const began = performance.now()
        await keep(at)
        spent.keepMs += performance.now() - began
      },
    })
    const fleet = fleetOf(seededRandom(11))
    for (let nth = 0; nth < minutes; nth++) {
      clock.nowMs = start + nth * period + 1000
      const byShard = Map.groupBy(fleet(start + nth * period), ({ monitorId }) => shardOf(monitorId, shards))
      for (const shard of allShards(shards)) await evaluate(seen(byShard.get(shard) ?? [], shard))
    }
    const bytes = diskBytes(folder)
    const weekGb = ((bytes / minutes) * 7 * 24 * 60) / 1e9
    let rounds = 0
    while ((await forgetHistory(blobs, { nowMs: start + 3 * 86_400_000, retentionDays: 1 })) > 0) rounds++
    return [
      `${monitors} monitors a minute, ${shards} shards, ${minutes} minutes: ${(spent.keepMs / minutes / shards).toFixed(1)} ms an object, ${lost.length} lost`,
      `after its retention: ${diskBytes(folder)} B left, deleted in ${rounds} rounds`,
      `onDiskBytesPerOutcome ${(bytes / minutes / monitors).toFixed(1)}`,
      `weekGb ${weekGb.toFixed(2)}`,
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
