import { describe, expect, test } from '@jest/globals'
import { complaintsOf } from './invariants.ts'
import { unchanged } from './mutants/mutant.ts'
import { mutants } from './mutants/registry.ts'
import { play } from './play.ts'
import { digestOf, storyOf } from './story.ts'

const seeds = Array.from({ length: 20 }, (_, index) => index + 1)

test(`${seeds.length} towns with crashes at every await lose no page and send no wrong one`, async () => {
  for (const seed of seeds) {
    const world = await play(seed)
    const { town, faults } = world
    expect([seed, await complaintsOf(world)]).toEqual([seed, []])
    expect(town.locations.length).toBeGreaterThanOrEqual(3)
    expect(town.monitors.length).toBeGreaterThanOrEqual(20)
    expect(town.services.some(({ dependsOn }) => dependsOn.length > 0)).toBe(true)
    expect(Object.values(faults.counts).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(10)
  }
}, 60_000)

test('a seed tells the same story again', async () => {
  const told = async (seed: number) => {
    const story = storyOf()
    await play(seed, { story })
    return { lines: story.lines.length, digest: digestOf(story) }
  }
  const first = await told(7)
  expect(first.lines).toBeGreaterThan(100)
  expect(await told(7)).toEqual(first)
  expect(await told(8)).not.toEqual(first)
})

test('writing the story down changes nothing', async () => {
  const [silent, told] = [await play(3), await play(3, { story: storyOf() })]
  expect(told.ledger.arrivals).toEqual(silent.ledger.arrivals)
})

describe.each(Object.entries(mutants))('a planted bug: %s', (_, { make, seed }) => {
  test(`seed ${seed} finds it, and nothing without it`, async () => {
    expect(await complaintsOf(await play(seed, { mutant: make }))).not.toEqual([])
    expect(await complaintsOf(await play(seed, { mutant: () => unchanged }))).toEqual([])
  })
})
