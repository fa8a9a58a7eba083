import { expect, test } from '@jest/globals'
import { timerRowId } from '../../../functions/row-ids.ts'
import { growShards } from '../../../functions/shard-count.ts'
import { allShards, shardOf } from '../../../functions/shards.ts'
import { sweepStep } from '../../../functions/sweep/step.ts'
import { wakeShards } from '../../../functions/sweep/step-wake.ts'
import { ruleView, start } from '../builders.ts'
import { townWith } from '../evaluate/hub.ts'

const shards = 4
const blind = ruleView(
  { kind: 'absence', monitor: 'front', severity: 'page', forSeconds: 300 },
  { ruleId: 'front-blind' },
)

/** A hub whose table is empty; each deployment has new processes, a sweep and timers that run as they do. */
const deployed = (rules = [blind]) => {
  const town = townWith(rules)
  const { store, clock } = town
  const deploy = () => {
    const evaluate = town.deployed(shards)
    const nudge = async (rowIds: readonly { rowId: string }[]) => {
      for (const { rowId } of rowIds) {
        const shard = rowId.replace('timer:', '')
        await evaluate({ kind: 'timer', id: rowId, shard, rowId })
      }
    }
    return { sweep: sweepStep({ store, shards, nowMs: () => clock.nowMs, nudge, quarantined: () => undefined }) }
  }
  return { ...town, deploy }
}

test('a hub nobody ever sent a look to says so after the time its absence rule allows', async () => {
  const { deploy, clock, told } = deployed()
  const { sweep } = deploy()
  for (clock.nowMs = start; clock.nowMs < start + 300_000; clock.nowMs += 60_000) await sweep()
  expect(told).toEqual([])
  await sweep()
  expect(told.map(({ alertId, to }) => `${alertId} ${to}`)).toEqual(['front-blind firing'])
})

const waker = (town: ReturnType<typeof townWith>, wanted = shards) => {
  const woken: string[] = []
  const wake = wakeShards({
    store: town.store,
    nowMs: () => start,
    shards: wanted,
    nudge: async (nudges) => {
      woken.push(...nudges.map(({ rowId }) => rowId))
    },
  })
  return { wake, woken }
}

test('each shard is woken once, by whoever comes first; one that has a timer is left alone', async () => {
  const town = townWith([blind])
  const evaluate = town.deployed(shards)
  await evaluate({ kind: 'timer', id: 'x', shard: shardOf('front', shards), rowId: '' })
  const [first, second] = [waker(town), waker(town)]
  expect([await first.wake(), await second.wake()]).toEqual([shards - 1, 0])
  const asleep = allShards(shards).filter((shard) => shard !== shardOf('front', shards))
  expect(first.woken).toEqual(asleep.map(timerRowId))
  for (const shard of asleep) await evaluate({ kind: 'timer', id: shard, shard, rowId: timerRowId(shard) })
  expect(await first.wake()).toBe(0)
  expect((await town.store.due(start + 1, 10)).map(({ row }) => row.id)).toEqual([])
})

test.each([
  { given: 'gets its first rule of silence', before: [], lost: false },
  { given: 'lost its timer', before: [blind], lost: true },
])('a shard that $given judges silence from the next deployment on', async ({ before, lost }) => {
  const rules = [...before]
  const { clock, store, told, ...hub } = deployed(rules)
  for (let nth = 0; nth < 3; nth++) await hub.deploy().sweep()
  if (lost) {
    const id = timerRowId(shardOf('front', shards))
    const timer = await store.row(id)
    await store.commit([], [{ id, expect: timer?.version ?? 0 }])
  }
  rules.splice(0, rules.length, blind)
  const { sweep } = hub.deploy()
  for (let minute = 0; minute < 7; minute++) {
    await sweep()
    clock.nowMs += 60_000
  }
  expect(told.map(({ alertId, to }) => `${alertId} ${to}`)).toEqual(['front-blind firing'])
})

test('a store that has more shards than the config says wakes those it has', async () => {
  const town = townWith([blind])
  await growShards(town.store, 8)
  const { wake, woken } = waker(town)
  await wake()
  expect(woken).toEqual(allShards(8).map(timerRowId))
})

test('once all have been looked at, a process reads no more', async () => {
  const town = townWith([])
  const reads: string[] = []
  const row = async (id: string) => {
    reads.push(id)
    return town.store.row(id)
  }
  const wake = wakeShards({
    store: { ...town.store, row },
    nowMs: () => start,
    shards: 1,
    nudge: async () => undefined,
  })
  for (let nth = 0; nth < 3; nth++) await wake()
  expect(reads).toEqual([timerRowId('0/1')])
})

test('what could not be looked at is looked at by the next sweep', async () => {
  const town = townWith([])
  let isAway = true
  const row = async (id: string) => {
    if (isAway) throw new Error('locked')
    return town.store.row(id)
  }
  const wake = wakeShards({
    store: { ...town.store, row },
    nowMs: () => start,
    shards: 2,
    nudge: async () => undefined,
  })
  await expect(wake()).rejects.toThrow('locked')
  isAway = false
  expect(await wake()).toBe(2)
})
