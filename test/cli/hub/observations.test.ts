import { expect, test } from '@jest/globals'
import { Observations } from '../../../cli/hub/observations.ts'
import type { Observation } from '../../../functions/contract.ts'
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
