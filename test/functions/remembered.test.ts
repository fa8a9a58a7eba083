import { expect, test } from '@jest/globals'
import { countOutcome } from '../../functions/evaluate/counters.ts'
import { packLocation, unpackLocation } from '../../functions/location-packing.ts'
import { remembered } from '../../functions/remembered.ts'
import { packShard } from '../../functions/shard-packing.ts'
import { emptyShard, type LocationState } from '../../functions/shard-state.ts'
import { outcome, start } from './builders.ts'

const stateOf = (...verdicts: ('pass' | 'fail')[]): LocationState => {
  const front = verdicts.reduce<LocationState['monitors'][string] | undefined>((so, verdict, index) => {
    const scheduledAtMs = start + index * 60_000
    return countOutcome(so, outcome({ verdict, scheduledAtMs, startedAtMs: scheduledAtMs }), scheduledAtMs)
  }, undefined)
  return { monitors: front ? { front } : {} }
}
const item = (version: number, state: LocationState) => ({ version, value: packLocation(state) })
const unreadable = (version: number) => ({ version, value: 'nobody looks at this' })

test('an item is unpacked once for each of its versions', () => {
  const memory = remembered()
  const [first, second] = [stateOf('pass'), stateOf('pass', 'fail')]
  expect(memory.state('a', item(1, first))).toEqual(first)
  expect(memory.state('a', unreadable(1))).toEqual(first)
  expect(memory.state('a', item(2, second))).toEqual(second)
  expect(() => memory.state('a', unreadable(1))).toThrow()
  expect(() => memory.state('b', unreadable(2))).toThrow()
})

test('so is a shard, whatever a location of the same key says', () => {
  const memory = remembered()
  const shard = { ...emptyShard, knownSinceMs: { 'front-down': start } }
  memory.state('a', item(1, stateOf('pass')))
  expect(memory.shard('a', { version: 1, value: packShard(shard) })).toEqual(shard)
  expect(memory.shard('a', unreadable(1))).toEqual(shard)
  expect(() => memory.shard('a', unreadable(2))).toThrow()
})

test('what was written is remembered as it would be read', () => {
  const memory = remembered()
  const [before, now] = [stateOf('fail'), stateOf('fail', 'fail')]
  memory.wrote('a', 2, { before, now })
  expect(memory.state('a', unreadable(2))).toEqual(unpackLocation(packLocation(now)))
  expect(() => memory.state('a', unreadable(3))).toThrow()
})

test('of more items than it has room for the ones used last are remembered', () => {
  const memory = remembered()
  for (let nth = 0; nth < 65; nth++) {
    memory.state(`item/${nth}`, item(1, stateOf('pass')))
    memory.state('item/0', unreadable(1))
  }
  expect(() => memory.state('item/1', unreadable(1))).toThrow()
  expect(memory.state('item/64', unreadable(1))).toEqual(stateOf('pass'))
})
