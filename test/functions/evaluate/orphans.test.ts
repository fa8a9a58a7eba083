import { expect, test } from '@jest/globals'
import type { Config } from '../../../config/schema.ts'
import { evaluateView } from '../../../functions/evaluate/config.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { shardOf } from '../../../functions/shards.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { outcome, period, seen, start } from '../builders.ts'
import { shopConfig } from '../shop-config.ts'

const nameIn = (shard: string, prefix: string): string => {
  const names = Array.from({ length: 60 }, (_, nth) => `${prefix}-${nth}`)
  return names.find((id) => shardOf(id, Number(shard.split('/')[1])) === shard) ?? ''
}
const front = nameIn('0/4', 'front')
const back = nameIn('2/4', 'back')
const elsewhere = nameIn('1/4', 'elsewhere')

/** A hub whose timers run as they do, and whose config may change. */
const hub = () => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const told: string[] = []
  const play = async (config: Config, minutes: number, verdicts: Record<string, 'pass' | 'fail'>) => {
    const view = evaluateView(config)
    const step = evaluateStep({ store, nowMs: () => clock.nowMs, nudge: async () => {}, ...view })
    const send = async (observation: Parameters<typeof step>[0]) => {
      const result = await step(observation)
      if (result.status === 'evaluated') told.push(...result.changes.map(({ alertId, to }) => `${alertId} ${to}`))
    }
    for (const untilMs = clock.nowMs + minutes * period; clock.nowMs < untilMs; clock.nowMs += period) {
      for (const [monitorId, verdict] of Object.entries(verdicts)) {
        const look = outcome({ monitorId, verdict, scheduledAtMs: clock.nowMs, startedAtMs: clock.nowMs })
        await send(seen([look], shardOf(monitorId, view.shards)))
      }
      for (const { row } of await store.due(clock.nowMs, 100))
        if (row.to === 'evaluate') await send({ kind: 'timer', id: row.id, shard: row.body.shard, rowId: row.id })
    }
  }
  return { play, told }
}

const down = (id: string, monitor: string) => ({ [id]: { kind: 'availability', monitor, failureThreshold: 2 } })
const named = (shard: string) => nameIn(shard, 'down')

test.each([
  { given: 'leaves the config', id: named('0/4'), monitor: undefined },
  { given: 'leaves the config, and its name is of another shard', id: named('1/4'), monitor: undefined },
  { given: 'is pointed at a monitor of another shard', id: named('0/4'), monitor: elsewhere },
])('an alert ends once though shards grow in the deploy in which its rule $given', async ({ id, monitor }) => {
  const { play, told } = hub()
  await play(shopConfig([front, back], { shards: 2, rules: down(id, front) }), 4, { [front]: 'fail', [back]: 'pass' })
  expect(told).toEqual([`${id} firing`])
  const after = shopConfig([back, elsewhere], { shards: 4, rules: monitor === undefined ? {} : down(id, monitor) })
  await play(after, 60, { [back]: 'pass', [elsewhere]: 'pass' })
  expect(told).toEqual([`${id} firing`, `${id} inactive`])
})
