import { expect, test } from '@jest/globals'
import { keys } from '../../../functions/contract.ts'
import type { Told } from '../../../functions/watch/decide.ts'
import { type PingResult, type WatchWorld, watchStep } from '../../../functions/watch/step.ts'
import { watchKey } from '../../../functions/watch-state.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { start } from '../builders.ts'

const minute = 60_000
const never = () => new Promise<never>(() => undefined)

/** A location and its hub on a clock of their own. What is replaced behaves as told from then on. */
const scene = () => {
  let nowMs = start
  const clock = () => nowMs
  const hub = memoryStore({ nowMs: clock })
  const own = memoryStore({ nowMs: clock })
  const pages: Told[] = []
  let pings = 0
  let commits = 0
  const world: WatchWorld = {
    nowMs: clock,
    hub: { read: (wanted) => hub.read(wanted) },
    own: {
      read: (wanted) => own.read(wanted),
      commit: (changes) => {
        commits++
        return own.commit(changes)
      },
    },
    page: async (told) => {
      pages.push(told)
    },
    ping: async (): Promise<PingResult> => {
      pings++
      return { status: 'told' }
    },
  }
  const beat = async (stages: readonly string[] = ['evaluate', 'correlate', 'deliver']) => {
    for (const key of stages.map(keys.pulse)) {
      const expect = (await hub.read([key])).get(key)?.version ?? 0
      await hub.commit([{ key, expect, value: { atMs: nowMs } }])
    }
  }
  return {
    world,
    own,
    pages,
    beat,
    pass: (ms: number) => {
      nowMs += ms
    },
    pings: () => pings,
    commits: () => commits,
    remembered: async () => (await own.read([watchKey])).get(watchKey)?.value,
  }
}

/** A hub that was well and has been silent for so many minutes, looked at in none of them. */
const silentFor = async (minutes: number) => {
  const at = scene()
  await at.beat()
  await watchStep(at.world)()
  at.pass(minutes * minute)
  return at
}

test('a healthy minute writes nothing and tells the dead-man’s switch', async () => {
  const at = await silentFor(0)
  const written = at.commits()
  const step = watchStep(at.world)
  for (let index = 0; index < 3; index++) {
    at.pass(minute)
    await at.beat()
    expect(await step()).toEqual({
      reason: 'pulse-fresh',
      page: 'none',
      memory: 'unchanged',
      ping: 'told',
      troubles: [],
    })
  }
  expect(at.commits()).toBe(written)
  expect(at.pings()).toBe(4)
})

test('a hub that dies is told at the second miss, again every half hour, and once when it is back', async () => {
  const at = await silentFor(1)
  await at.beat(['evaluate', 'correlate'])
  const told: string[] = []
  for (let index = 1; index <= 66; index++) {
    at.pass(minute)
    if (index === 65) await at.beat()
    // Every minute in a process of its own: what it knows comes from its table.
    await watchStep(at.world)()
    const page = at.pages[told.length]
    if (page) told.push(`${index} ${page.event} ${page.finding.status}`)
  }
  expect(told).toEqual(['2 opened stuck', '32 updated stuck', '62 updated stuck', '65 resolved well'])
  expect(at.pages.map(({ sinceMs }) => sinceMs)).toEqual([start, start, start, start])
  expect(at.pings()).toBe(1 + 2)
})

test('the dead-man’s switch is not told from the first miss on', async () => {
  const at = await silentFor(3)
  expect(await watchStep(at.world)()).toMatchObject({ reason: 'first-miss', page: 'none', ping: 'withheld' })
})

test('a table that cannot be read is a miss, and the page says what was answered', async () => {
  const at = await silentFor(1)
  at.world.hub.read = async () => {
    throw new Error('User is not authorized to perform dynamodb:GetItem')
  }
  const step = watchStep(at.world)
  expect((await step()).reason).toBe('first-miss')
  at.pass(minute)
  expect(await step()).toMatchObject({ reason: 'second-miss', page: 'sent', memory: 'kept' })
  expect(at.pages[0]?.finding).toEqual({
    status: 'unreadable',
    why: 'Error: User is not authorized to perform dynamodb:GetItem',
  })
})

test('a region that answers nothing costs two seconds', async () => {
  const at = await silentFor(1)
  at.world.hub.read = never
  const { reason, troubles } = await watchStep(at.world)()
  expect(reason).toBe('first-miss')
  expect(troubles).toEqual(["the hub's table cannot be read: Error: no answer within 2 s"])
})

test('an item that is no pulse is a miss', async () => {
  const at = scene()
  await at.beat()
  at.world.hub.read = async () => new Map([[keys.pulse('deliver'), { value: { atMs: 'noon' }, version: 1 }]])
  expect((await watchStep(at.world)()).troubles).toEqual([
    "the hub's table cannot be read: the item pulse/deliver there is no pulse",
  ])
})

test('a page that was refused is sent in the next minute', async () => {
  const at = await silentFor(3)
  const step = watchStep(at.world)
  await step()
  const { page } = at.world
  at.world.page = async () => {
    throw new Error('Throttling: slow down')
  }
  at.pass(minute)
  expect(await step()).toMatchObject({
    page: 'failed',
    memory: 'unchanged',
    troubles: ['the page was not taken: Error: Throttling: slow down'],
  })
  at.world.page = page
  at.pass(minute)
  expect(await step()).toMatchObject({ reason: 'second-miss', page: 'sent' })
})

test('a news of the end that was refused is sent in the next minute, and the switch waits for it', async () => {
  const at = await silentFor(3)
  const step = watchStep(at.world)
  for (let index = 0; index < 2; index++) {
    await step()
    at.pass(minute)
  }
  const { page } = at.world
  at.world.page = async () => {
    throw new Error('no')
  }
  await at.beat()
  expect(await step()).toMatchObject({ reason: 'back', page: 'failed', ping: 'withheld' })
  at.world.page = page
  at.pass(minute)
  await at.beat()
  expect(await step()).toMatchObject({ reason: 'back', page: 'sent', ping: 'told' })
})

test('who dies between the page and its memory pages again', async () => {
  const at = await silentFor(3)
  await watchStep(at.world)()
  at.pass(minute)
  const { commit } = at.world.own
  at.world.own.commit = never
  void watchStep(at.world)()
  await new Promise((resolve) => setImmediate(resolve))
  expect(at.pages).toHaveLength(1)
  at.world.own.commit = commit
  at.pass(minute)
  await watchStep(at.world)()
  expect(at.pages.map(({ event }) => event)).toEqual(['opened', 'opened'])
})

test('two watches at once send the same page, and one death is remembered', async () => {
  const at = await silentFor(3)
  await watchStep(at.world)()
  at.pass(minute)
  const results = await Promise.all([watchStep(at.world)(), watchStep(at.world)()])
  expect(results.map(({ page }) => page)).toEqual(['sent', 'sent'])
  expect(at.pages[0]).toEqual(at.pages[1])
  expect(await at.remembered()).toMatchObject({ phase: 'dead' })
  at.pass(minute)
  expect(await watchStep(at.world)()).toMatchObject({ reason: 'still-dead', page: 'none' })
})

test('two watches that miss at once count one miss', async () => {
  const at = await silentFor(3)
  const results = await Promise.all([watchStep(at.world)(), watchStep(at.world)()])
  expect(results.map(({ memory }) => memory).sort()).toEqual(['kept', 'overtaken'])
  expect(at.pages).toEqual([])
})

test('a slow watch that paged is remembered though a quicker one found the hub well meanwhile', async () => {
  const at = await silentFor(3)
  await watchStep(at.world)()
  at.pass(minute)
  const { page } = at.world
  at.world.page = async (told) => {
    at.world.page = page
    at.pass(20_000)
    await at.beat()
    await watchStep(at.world)()
    await page(told)
  }
  expect(await watchStep(at.world)()).toMatchObject({ page: 'sent', memory: 'kept' })
  at.pass(minute)
  await at.beat()
  await watchStep(at.world)()
  expect(at.pages.map(({ event }) => event)).toEqual(['opened', 'resolved'])
})

test('without its own table a location still counts, pages once and says when it is over', async () => {
  const at = await silentFor(3)
  const broken = async () => {
    throw new Error('the region is unwell')
  }
  at.world.own = { read: broken, commit: broken }
  const step = watchStep(at.world)
  const reasons: string[] = []
  for (let index = 0; index < 4; index++) {
    if (index === 3) await at.beat()
    const { reason, memory, ping } = await step()
    reasons.push(reason)
    expect({ memory, ping }).toEqual({ memory: 'not-kept', ping: 'withheld' })
    at.pass(minute)
  }
  expect(reasons).toEqual(['first-miss', 'second-miss', 'still-dead', 'back'])
  expect(at.pages.map(({ event }) => event)).toEqual(['opened', 'resolved'])
})

test('what was told while the table was away is written when it is there again', async () => {
  const at = await silentFor(3)
  const step = watchStep(at.world)
  await step()
  at.pass(minute)
  const { commit } = at.world.own
  at.world.own.commit = async () => {
    throw new Error('throttled')
  }
  expect(await step()).toMatchObject({ page: 'sent', memory: 'not-kept' })
  at.world.own.commit = commit
  at.pass(minute)
  expect(await step()).toMatchObject({ reason: 'still-dead', page: 'none', memory: 'kept' })
  expect(await at.remembered()).toMatchObject({ phase: 'dead' })
})

test('a process that was not asked for long believes the table, not itself', async () => {
  const at = await silentFor(3)
  const old = watchStep(at.world)
  await old()
  at.pass(minute)
  const { commit } = at.world.own
  at.world.own.commit = async () => {
    throw new Error('throttled')
  }
  await old()
  at.world.own.commit = commit
  at.pass(10 * minute)
  await at.beat()
  await watchStep(at.world)()
  expect(await at.remembered()).toEqual({ phase: 'well' })
  at.pass(minute)
  await at.beat()
  expect(await old()).toMatchObject({ reason: 'pulse-fresh', memory: 'unchanged' })
})

test('a memory nobody understands is replaced, and grants no patience', async () => {
  const at = await silentFor(3)
  const { version = 0 } = (await at.own.read([watchKey])).get(watchKey) ?? {}
  await at.own.commit([{ key: watchKey, expect: version, value: { phase: 'asleep' } }])
  const { reason, troubles } = await watchStep(at.world)()
  expect(reason).toBe('first-miss')
  expect(troubles).toEqual(['watch/state was not understood and is replaced'])
  expect(await at.remembered()).toMatchObject({ phase: 'missed' })
})

test('a switch that cannot be told is a trouble, never an error', async () => {
  const at = await silentFor(0)
  at.world.ping = async () => ({ status: 'failed', why: 'it answered 503' })
  expect(await watchStep(at.world)()).toMatchObject({
    ping: 'failed',
    troubles: ["the dead-man's switch was not told: it answered 503"],
  })
})
