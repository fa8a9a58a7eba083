import { seededRandom } from '../../examples/emojivoto/random-names.ts'
import { evaluateStep } from '../../functions/evaluate/step.ts'
import { historyKeeper } from '../../functions/history-keeping.ts'
import { latencyKeeper } from '../../functions/latency-keeping.ts'
import { shardOf } from '../../functions/shards.ts'
import { judge, ruleSli, ruleSpec } from '../../rules/registry.ts'
import type { Change } from '../../stores/contract.ts'
import { memoryBlobs, memoryStore } from '../../stores/memory.ts'
import { outcome, period, seen, start } from '../functions/builders.ts'
import { atMost } from './figures.ts'

const objectives = 100
const locations = ['eu', 'us', 'ap']
const hourMs = 3_600_000

const rules = Array.from({ length: objectives }, (_, nth) => {
  const monitor = `monitor-${nth}`
  const spec = ruleSpec.parse({ kind: 'slo', monitor, objectivePercent: 99.9 })
  const sli = ruleSli(spec)
  return {
    ruleId: `${monitor}-slo`,
    alertId: `${monitor}-slo`,
    service: 'shop',
    severity: 'page' as const,
    monitor: { monitorId: monitor, locations, periodSeconds: period / 1000 },
    judge: (facts: Parameters<typeof judge>[1]) => judge(spec, facts),
    ...(sli ? { sli } : {}),
  }
})

/** What a commit writes for objectives: their own items, and what waits for them in the locations'. */
const bytesOf = ({ key, value }: Change): number => {
  const waiting = (value as { ticks?: unknown }).ticks // `as`: a location's item, packed.
  return JSON.stringify(key.startsWith('slo/') ? value : (waiting ?? '')).length
}

/** What an objective writes in an hour: a look a minute from three places, so many of which fail. */
const bytesAnHour = async (failing: number): Promise<{ counters: number; latencies: number }> => {
  const clock = { nowMs: start }
  const nowMs = () => clock.nowMs
  const [store, blobs, random] = [memoryStore({ nowMs }), memoryBlobs(), seededRandom(11)]
  const written = { counters: 0 }
  const evaluate = evaluateStep({
    store: {
      ...store,
      commit: async (changes, rows) => {
        for (const change of changes) written.counters += bytesOf(change)
        return store.commit(changes, rows)
      },
    },
    nowMs,
    nudge: async () => undefined,
    locations,
    rulesOf: () => rules,
    home: { monitor: shardOf, rule: shardOf },
    keep: historyKeeper({ blobs, lost: () => undefined }),
  })
  const look = (monitorId: string, location: string) => {
    const verdict = random() < failing ? ('fail' as const) : ('pass' as const)
    const at = { scheduledAtMs: clock.nowMs, startedAtMs: clock.nowMs }
    return { ...outcome({ ...at, monitorId, location, verdict }), timingsMs: { total: 80 + 400 * random() ** 3 } }
  }
  for (let minute = 0; minute < 120; minute++) {
    if (minute === 60) written.counters = 0
    clock.nowMs = start + minute * period
    for (const location of locations) {
      const looks = rules.map(({ monitor }) => look(monitor.monitorId, location))
      await evaluate({ ...seen(looks), id: `${location}:${minute}` })
    }
  }
  clock.nowMs = start + 3 * hourMs
  const monitors = new Set(rules.map(({ monitor }) => monitor.monitorId))
  const makeHour = latencyKeeper({ blobs, nowMs, shards: 1, monitors })
  while (await makeHour()) {
    // One hour of one shard at a time.
  }
  const keys = await blobs.list('latency/2026-11-23/07', { limit: 10 })
  const sizes = await Promise.all(keys.map(async (key) => (await blobs.get(key))?.byteLength ?? 0))
  const latencies = sizes.reduce((sum, bytes) => sum + bytes, 0)
  return { counters: written.counters / objectives, latencies: latencies / objectives }
}

/** As many failures as an objective of 99.9 % promises, and while one is being missed five times over. */
export const measureSloBytes = async (): Promise<string[]> => {
  const [promised, missed] = [await bytesAnHour(1 / 1000), await bytesAnHour(1 / 200)]
  const { counters, latencies } = promised
  return [
    atMost('written for an objective in an hour', Math.round(counters + latencies), { limit: 2048, unit: 'B' }),
    `of it ${Math.round(counters)} B of counters and ${Math.round(latencies)} B of latencies`,
    `with five times the failures it promises ${Math.round(missed.counters + missed.latencies)} B`,
  ]
}
