import { expect, test } from '@jest/globals'
import { keys } from '../../functions/contract.ts'
import { passPulse, pulseItem } from '../../functions/pulse.ts'
import { memoryStore } from '../../stores/memory.ts'
import { start } from './builders.ts'

const nowMs = () => start
const key = keys.pulse('correlate')

const play = async (noted: number | undefined, atMs: number) => {
  const store = memoryStore({ nowMs })
  if (noted !== undefined) await store.commit([{ key, expect: 0, value: { atMs: noted } }])
  const passedOn: number[] = []
  const passOn = async (pulseAtMs: number) => void passedOn.push(pulseAtMs)
  const result = await passPulse({ store, nowMs, passOn }, 'correlate')(atMs)
  const item = pulseItem.parse((await store.read([key])).get(key)?.value)
  return { result, passedOn, noted: item.atMs - start }
}

test.each([
  { given: 'the first', noted: undefined, atMs: start, then: { result: 'passed', passedOn: [start], noted: 0 } },
  { given: 'a newer one', noted: start - 60_000, atMs: start, then: { result: 'passed', passedOn: [start], noted: 0 } },
  { given: 'the same again', noted: start, atMs: start, then: { result: 'passed', passedOn: [start], noted: 0 } },
  { given: 'an older one', noted: start, atMs: start - 1, then: { result: 'overtaken', passedOn: [], noted: 0 } },
  {
    given: 'one after a clock was wrong',
    noted: start + 3_600_000,
    atMs: start,
    then: { result: 'passed', passedOn: [start], noted: 0 },
  },
])('$given: $then.result', async ({ noted, atMs, then }) => {
  expect(await play(noted, atMs)).toEqual(then)
})

test('a pulse that cannot be noted is not handed on', async () => {
  const passedOn: number[] = []
  const store = { ...memoryStore({ nowMs }), commit: async () => Promise.reject(new Error('no table')) }
  const passOn = async (atMs: number) => void passedOn.push(atMs)
  await expect(passPulse({ store, nowMs, passOn }, 'deliver')(start)).rejects.toThrow('no table')
  expect(passedOn).toEqual([])
})

test('others that keep writing are a conflict, so that the message comes again', async () => {
  const store = { ...memoryStore({ nowMs }), commit: async () => 'conflict' as const } // `as const`: the literal a store answers
  expect(await passPulse({ store, nowMs }, 'deliver')(start)).toBe('conflict')
})
