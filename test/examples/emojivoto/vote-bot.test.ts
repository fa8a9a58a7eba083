import { afterEach, expect, test } from '@jest/globals'
import { faultSwitch } from '../../../examples/emojivoto/fault-switch.ts'
import { defaultNames } from '../../../examples/emojivoto/names.ts'
import { type Served, serve } from '../../../examples/emojivoto/serving.ts'
import { voteBot } from '../../../examples/emojivoto/vote-bot.ts'
import { createWorld } from '../../../examples/emojivoto/world.ts'

let served: Served | undefined
afterEach(() => served?.close())

const world = createWorld({
  names: defaultNames,
  scene: 'healthy',
  faults: faultSwitch(Date.now),
  nowMs: Date.now,
  random: () => 0.5,
  onLine: () => undefined,
})

/** The bot's first requests as they arrive; up to twenty are under way at once, so some overtake others. */
const arrivals = async (seed: number, count: number): Promise<{ path: string; trace: string }[]> => {
  const seen: { path: string; trace: string }[] = []
  let enough: () => void = () => undefined
  const complete = new Promise<void>((resolve) => {
    enough = resolve
  })
  served = await serve('web', 0, (request, response) => {
    seen.push({ path: request.url ?? '', trace: String(request.headers['x-b3-traceid']) })
    response.end()
    if (seen.length === count) enough()
  })
  const { port, close } = served
  const bot = voteBot(world, { webPort: () => port, requestsPerSecond: 500, seed })
  await complete
  await bot.close()
  await close()
  return seen.slice(0, count)
}

test('asks the same for the same seed, something else for another', async () => {
  const [one, same, other] = [await arrivals(3, 80), await arrivals(3, 80), await arrivals(4, 80)]
  const traces = (all: readonly { trace: string }[]) => new Set(all.map(({ trace }) => trace))
  const known = new Map(same.map(({ trace, path }) => [trace, path]))
  expect(traces(one).size).toBe(80)
  for (const { path, trace } of one.slice(0, 30)) expect({ trace, path: known.get(trace) }).toEqual({ trace, path })
  expect(other.filter(({ trace }) => traces(one).has(trace))).toEqual([])
})

test('votes for the doughnut about every seventh time and now and then reads the list', async () => {
  const all = await arrivals(1, 400)
  const share = (path: string) => all.filter((request) => request.path === path).length / all.length
  expect(share('/api/list')).toBeGreaterThan(0.07)
  expect(share('/api/list')).toBeLessThan(0.13)
  expect(share('/api/vote?choice=:doughnut:')).toBeGreaterThan(0.08)
  expect(share('/api/vote?choice=:doughnut:')).toBeLessThan(0.2)
})
