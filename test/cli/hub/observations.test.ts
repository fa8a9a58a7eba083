import { expect, test } from '@jest/globals'
import { Observations, waitingLimit } from '../../../cli/hub/observations.ts'
import type { Observation } from '../../../functions/contract.ts'
import { StoreError } from '../../../stores/contract.ts'
import { outcome, seen } from '../../functions/builders.ts'

const look = (monitorId: string, shard = '0/1') => seen([outcome({ monitorId, verdict: 'fail' })], shard)
const monitorsOf = (one: Observation) =>
  one.kind === 'outcomes' ? one.outcomes.map(({ monitorId }) => monitorId).join(' ') : one.kind

/** Takes nothing until it is opened; then everything but what is about `bad`. */
const evaluator = () => {
  const gate = Promise.withResolvers<void>()
  const applied: string[] = []
  const dropped: string[] = []
  const observations = new Observations(
    async (observation) => {
      await gate.promise
      if (monitorsOf(observation).includes('bad')) throw new Error('no')
      applied.push(monitorsOf(observation))
      return { status: 'evaluated', changes: [] }
    },
    (observation) => dropped.push(monitorsOf(observation)),
    async () => undefined,
  )
  return { ...observations, open: gate.resolve, applied, dropped }
}

test('outcomes that wait behind one another are applied together, and nothing overtakes', async () => {
  const { send, open, applied } = evaluator()
  const timer: Observation = { kind: 'timer', id: 'timer:0/1', shard: '0/1', rowId: 'timer:0/1' }
  const all = [look('a'), look('b'), look('c'), timer, look('d'), look('elsewhere', '1/2')].map(send)
  open()
  await Promise.all(all)
  expect(applied.filter((one) => one !== 'elsewhere')).toEqual(['a', 'b c', 'timer', 'd'])
  expect(applied).toContain('elsewhere')
})

test('no more are applied together than one transaction has room for', async () => {
  const { send, open, applied } = evaluator()
  const all = Array.from({ length: 45 }, (_, index) => send(look(`m${index}`)))
  open()
  await Promise.all(all)
  expect(applied.map((one) => one.split(' ').length)).toEqual([1, 20, 20, 4])
})

test('one that cannot be applied is told and takes none of its neighbours along', async () => {
  const { send, open, applied, dropped, close } = evaluator()
  for (const monitorId of ['a', 'b', 'bad', 'c']) void send(look(monitorId))
  open()
  await close()
  expect({ applied, dropped }).toEqual({ applied: ['a', 'b', 'c'], dropped: ['bad'] })
})

/** A store that is away for everybody. */
const away = () => {
  const gate = Promise.withResolvers<void>()
  const tried: string[] = []
  const dropped: string[] = []
  const whys = new Set<string>()
  const observations = new Observations(
    async (observation) => {
      await gate.promise
      tried.push(monitorsOf(observation))
      throw new StoreError('disk-full', 'the disk is full', { hint: 'make room' })
    },
    (observation, why) => {
      dropped.push(monitorsOf(observation))
      whys.add(why instanceof Error ? why.message : String(why))
    },
    async () => undefined,
  )
  return { ...observations, open: gate.resolve, tried, dropped, whys }
}

test('while the store is away nothing is tried alone that failed together', async () => {
  const { send, open, tried, dropped } = away()
  const all = ['a', 'b', 'c'].map((monitorId) => send(look(monitorId)))
  open()
  await Promise.all(all)
  expect(tried).toEqual([...Array(5).fill('a'), ...Array(5).fill('b c')])
  expect(dropped).toEqual(['a', 'b', 'c'])
})

test('a line that is full gives up what passed before what failed, the oldest first, and says so', async () => {
  const { send, open, dropped, whys, close } = away()
  void send(look('taken'))
  const mixed = (['pass', 'fail'] as const).map((verdict) => outcome({ monitorId: `mixed-${verdict}`, verdict }))
  for (const one of [look('oldest'), seen([outcome({ monitorId: 'pass-1', verdict: 'pass' })]), seen(mixed)])
    void send(one)
  for (let index = 0; index < waitingLimit - 4; index++) void send(look(`m${index}`))
  expect(dropped).toEqual([])
  void send(look('one-more'))
  void send(look('another'))
  expect(dropped).toEqual(['pass-1', 'mixed-pass'])
  void send(look('yet-another'))
  expect(dropped).toEqual(['pass-1', 'mixed-pass', 'oldest'])
  expect([...whys]).toEqual([`more than ${waitingLimit} wait for the store`])
  open()
  await close()
  expect(dropped).toHaveLength(waitingLimit + 4)
})

test('timers and results of rules give way last', async () => {
  const { send, open, dropped, close } = away()
  const timer = (index: number): Observation => ({ kind: 'timer', id: `t${index}`, shard: '0/1', rowId: `t${index}` })
  void send(look('taken'))
  void send(timer(0))
  for (let index = 0; index < waitingLimit; index++) void send(look(`m${index}`))
  expect(dropped).toEqual(['m0'])
  open()
  await close()
})
