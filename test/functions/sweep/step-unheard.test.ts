import { expect, test } from '@jest/globals'
import { keys } from '../../../functions/contract.ts'
import { timerRowId } from '../../../functions/row-ids.ts'
import { growShards } from '../../../functions/shard-count.ts'
import { allShards, shardOf } from '../../../functions/shards.ts'
import { sweepStep } from '../../../functions/sweep/step.ts'
import { wakeUnheard } from '../../../functions/sweep/step-unheard.ts'
import { ruleView, start } from '../builders.ts'
import { townWith } from '../evaluate/hub.ts'

const shards = 4
const blind = ruleView(
  { kind: 'absence', monitor: 'front', severity: 'page', forSeconds: 300 },
  { ruleId: 'front-blind' },
)

/** A hub that was just deployed, its table empty, and a sweep and timers that run as they do. */
const deployed = () => {
  const town = townWith([blind])
  const { store, clock } = town
  const evaluate = town.deployed(shards)
  const nudge = async (rowIds: readonly { rowId: string }[]) => {
    for (const { rowId } of rowIds) {
      const shard = rowId.replace('timer:', '')
      await evaluate({ kind: 'timer', id: rowId, shard, rowId })
    }
  }
  const sweep = sweepStep({ store, shards, nowMs: () => clock.nowMs, nudge, quarantined: () => undefined })
  return { ...town, sweep, evaluate }
}

test('a hub nobody ever sent a look to says so after the time its absence rule allows', async () => {
  const { sweep, clock, told } = deployed()
  for (clock.nowMs = start; clock.nowMs < start + 300_000; clock.nowMs += 60_000) await sweep()
  expect(told).toEqual([])
  await sweep()
  expect(told.map(({ alertId, to }) => `${alertId} ${to}`)).toEqual(['front-blind firing'])
})

const waker = (town: ReturnType<typeof townWith>, wanted = shards) => {
  const woken: string[] = []
  const wake = wakeUnheard({
    store: town.store,
    nowMs: () => start,
    shards: wanted,
    nudge: async (nudges) => {
      woken.push(...nudges.map(({ rowId }) => rowId))
    },
  })
  return { wake, woken }
}

test('each shard is woken once, by whoever comes first; one that was heard of is left alone', async () => {
  const town = townWith([blind])
  const evaluate = town.deployed(shards)
  await evaluate({ kind: 'timer', id: 'x', shard: shardOf('front', shards), rowId: '' })
  const [first, second] = [waker(town), waker(town)]
  expect([await first.wake(), await second.wake()]).toEqual([shards - 1, 0])
  const unheard = allShards(shards).filter((shard) => shard !== shardOf('front', shards))
  expect(first.woken).toEqual(unheard.map(timerRowId))
  for (const shard of unheard) await evaluate({ kind: 'timer', id: shard, shard, rowId: timerRowId(shard) })
  expect(await waker(town).wake()).toBe(0)
  expect((await town.store.due(start + 1, 10)).map(({ row }) => row.id)).toEqual([])
})

test('a store that has more shards than the config says wakes those it has', async () => {
  const town = townWith([blind])
  await growShards(town.store, 8)
  const { wake, woken } = waker(town)
  await wake()
  expect(woken).toEqual(allShards(8).map(timerRowId))
})

test('once all have been heard of, a process reads no more', async () => {
  const town = townWith([])
  await town.store.commit([{ key: keys.shard('0/1'), expect: 0, value: {} }])
  const reads: string[] = []
  const read = async (wanted: readonly string[]) => {
    reads.push(...wanted)
    return town.store.read(wanted)
  }
  const wake = wakeUnheard({
    store: { ...town.store, read },
    nowMs: () => start,
    shards: 1,
    nudge: async () => undefined,
  })
  for (let nth = 0; nth < 3; nth++) await wake()
  expect(reads).toEqual([keys.shards, keys.shard('0/1')])
})
