import { expect, test } from '@jest/globals'
import { keys, type Observation } from '../../../functions/contract.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import type { Store } from '../../../stores/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { start } from '../builders.ts'

const key = keys.pulse('evaluate')
const pulse = (atMs: number): Observation => ({ kind: 'pulse', id: `pulse:${atMs}`, shard: 'pulse', atMs })

const hub = (given?: { store?: Store; passOn?: (atMs: number) => Promise<void> }) => {
  const store = given?.store ?? memoryStore({ nowMs: () => start })
  const passed: number[] = []
  const evaluate = evaluateStep({
    store,
    nowMs: () => start,
    nudge: async () => undefined,
    locations: ['local'],
    rulesOf: () => [],
    home: { monitor: () => '0/1', rule: () => '0/1' },
    passOn:
      given?.passOn ??
      (async (atMs) => {
        passed.push(atMs)
      }),
  })
  const noted = async () => (await store.read([key])).get(key)?.value
  return { store, evaluate, passed, noted }
}

test('a pulse is noted, then passed on', async () => {
  const { evaluate, passed, noted } = hub()
  expect(await evaluate(pulse(start))).toEqual({ status: 'evaluated', changes: [] })
  expect([await noted(), passed]).toEqual([{ atMs: start }, [start]])
})

test('an older pulse that comes late changes nothing and goes no further; the same again does', async () => {
  const { evaluate, passed, noted } = hub()
  for (const atMs of [start, start - 60_000, start]) await evaluate(pulse(atMs))
  expect([await noted(), passed]).toEqual([{ atMs: start }, [start, start]])
})

test('a pulse that could not be passed on is passed on when its message comes again', async () => {
  const failing = hub({
    passOn: async () => {
      throw new Error('throttled')
    },
  })
  await expect(failing.evaluate(pulse(start))).rejects.toThrow('throttled')
  const { evaluate, passed } = hub({ store: failing.store })
  await evaluate(pulse(start))
  expect(passed).toEqual([start])
})

test('a pulse that a wrong clock dated does not hide the right ones', async () => {
  const { evaluate, passed, noted } = hub()
  for (const atMs of [start + 3_600_000, start]) await evaluate(pulse(atMs))
  expect([await noted(), passed]).toEqual([{ atMs: start }, [start + 3_600_000, start]])
})

test('two at once leave the newer one noted', async () => {
  const { evaluate, noted } = hub()
  await Promise.all([start - 3, start - 1, start, start - 2].map((atMs) => evaluate(pulse(atMs))))
  expect(await noted()).toEqual({ atMs: start })
})

test('a pulse touches no shard', async () => {
  const { evaluate, store } = hub()
  await evaluate(pulse(start))
  expect([...(await store.list('shard/', { limit: 10 })).keys()]).toEqual([])
})
