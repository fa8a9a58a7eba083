import { expect, test } from '@jest/globals'
import { emptyIndex, hubIndex, type Incident, incident, keys } from '../../functions/contract.ts'
import { storedShards } from '../../functions/shard-count.ts'
import { unpackShard } from '../../functions/shard-packing.ts'
import { countOfShard } from '../../functions/shards.ts'
import { type Arrival, monitors, people, play, rowsLeft, statusChannel, type World } from './pipeline.ts'

const seeds = Number(process.env['WHODUNIT_SEEDS'] ?? 180)
const firstSeed = Number(process.env['WHODUNIT_FIRST_SEED'] ?? 1)

const incidentsOf = async ({ store }: World): Promise<Incident[]> =>
  [...(await store.list('incident/', { limit: 1000 })).values()].map(({ value }) => incident.parse(value))

const firstArrivals = (arrivals: readonly Arrival[]) => {
  const first = new Map<string, Arrival>()
  for (const arrival of arrivals) if (!first.has(arrival.id)) first.set(arrival.id, arrival)
  return [...first.values()]
}

const sequenceOf = (id: string) => Number(id.split(':')[2])

/** What is wrong with the messages of one incident on one channel. */
const wrongOn = (one: Incident, channel: string, world: World): string[] => {
  const mine = firstArrivals(world.arrivals).filter((at) => at.incidentId === one.id && at.channel === channel)
  const state = one.channels[channel]
  const at = `${one.id} on ${channel}`
  const sequences = mine.map(({ id }) => sequenceOf(id))
  const events = mine.map(({ event }) => event)
  const resolves = events.filter((event) => event === 'resolved').length
  return [
    ...(mine.length > 0 && events[0] !== 'opened' ? [`${at}: ${events[0]} came before the page`] : []),
    ...(sequences.some((sequence, index) => sequence < (sequences[index - 1] ?? 0)) ? [`${at}: out of order`] : []),
    ...(sequences.some((sequence) => sequence > (state?.sequence ?? 0)) ? [`${at}: an id nobody decided`] : []),
    ...(state?.reached && resolves !== 1 ? [`${at}: ${resolves} resolves for who was paged`] : []),
    ...(state && (state.inFlight || state.waiting.length > 0) ? [`${at}: still waiting`] : []),
    ...(events.indexOf('resolved') !== -1 && events.at(-1) !== 'resolved' ? [`${at}: news after the resolve`] : []),
  ]
}

const wrongWith = (one: Incident, world: World): string[] => {
  const paged = world.arrivals.some(({ incidentId, event, channel }) => {
    return incidentId === one.id && event === 'opened' && people.includes(channel)
  })
  return [
    ...(paged ? [] : [`${one.id} reached nobody`]),
    ...(one.status === 'resolved' ? [] : [`${one.id} is ${one.status} for ever`]),
    ...people.flatMap((channel) => wrongOn(one, channel, world)),
  ]
}

/** One id is one message, whatever happens. */
const doubleMeanings = ({ arrivals }: World) => {
  const meanings = new Map<string, Set<string>>()
  for (const { id, event, to } of arrivals) meanings.set(id, new Set([...(meanings.get(id) ?? []), `${event} ${to}`]))
  return [...meanings].flatMap(([id, all]) => (all.size > 1 ? [`${id} means ${[...all].join(' and ')}`] : []))
}

const stuck = async (world: World): Promise<string[]> => {
  const { store } = world
  const index = hubIndex.parse((await store.read([keys.hub])).get(keys.hub)?.value ?? emptyIndex)
  const count = await storedShards(store)
  // Those that moved too: what they left behind would be open for ever.
  const items = [...(await store.list('shard/', { limit: 1000 }))].filter(([key]) => !key.includes('/at/'))
  const alerts = items.flatMap(([, { value }]) => Object.keys(unpackShard(value).alerts))
  const timers = (await store.due(Number.MAX_SAFE_INTEGER, 1000)).flatMap(({ row }) =>
    row.to === 'evaluate' && countOfShard(row.body.shard) !== count ? [row.id] : [],
  )
  const board = new Map(
    world.arrivals.flatMap(({ channel, incidentId, to }) =>
      channel === statusChannel ? [[incidentId.split('-')[0], to]] : [],
    ),
  )
  return [
    ...(await rowsLeft(world)).map(({ id }) => `row ${id} is left`),
    ...world.quarantined.map((id) => `row ${id} was set aside`),
    ...Object.keys(index.open).map((service) => `${service} is open in the index`),
    ...alerts.map((id) => `alert ${id} is stuck`),
    ...timers.map((id) => `${id} wakes a shard that has moved`),
    ...Object.entries(index.components).flatMap(([id, { status }]) =>
      status === 'operational' ? [] : [`${id} is ${status}`],
    ),
    ...[...board].flatMap(([service, to]) => (to === 'operational' ? [] : [`the board says ${service} is ${to}`])),
  ]
}

/** A monitor that was broken for long enough has an incident of its service. */
const missed = (incidents: readonly Incident[], { broken }: World) =>
  broken
    .filter(({ fromMs, toMs, location }) => location === undefined && toMs - fromMs > 60_000)
    .filter(({ monitor }) => !incidents.some(({ service }) => service === monitors[monitor]))
    .map(({ monitor }) => `nobody noticed ${monitor}`)

/** What one location alone saw pages nobody (unless a clock that jumped made the others' looks worthless). */
const wronglyOpened = (incidents: readonly Incident[], { broken, jumpMs }: World) =>
  incidents
    .filter(
      ({ service }) => jumpMs === 0 && broken.every((span) => span.location || monitors[span.monitor] !== service),
    )
    .map(({ id }) => `${id} was opened for what one location alone saw`)

const complaints = async (seed: number): Promise<{ wrong: string[]; world: World; incidents: Incident[] }> => {
  const world = await play(seed)
  const incidents = await incidentsOf(world)
  const wrong = incidents.flatMap((one) => wrongWith(one, world))
  const all = [
    ...wrong,
    ...doubleMeanings(world),
    ...(await stuck(world)),
    ...missed(incidents, world),
    ...wronglyOpened(incidents, world),
  ]
  return { wrong: all.map((what) => `seed ${seed}: ${what}`), world, incidents }
}

test(`${seeds} towns with crashes at every await lose no page and send no wrong one`, async () => {
  const wrong: string[] = []
  const seen = { incidents: 0, deaths: 0, arrivals: 0, opinions: 0, grown: 0 }
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const played = await complaints(seed)
    wrong.push(...played.wrong)
    seen.incidents += played.incidents.length
    seen.deaths += played.world.deaths
    seen.arrivals += played.world.arrivals.length
    seen.opinions += played.world.opinions
    seen.grown += (await storedShards(played.world.store)) > 1 ? 1 : 0
  }
  expect(wrong).toEqual([])
  expect(seen.incidents).toBeGreaterThan(seeds)
  expect(seen.deaths).toBeGreaterThan(seeds)
  expect(seen.arrivals).toBeGreaterThan(3 * seeds)
  expect(seen.opinions).toBeGreaterThan(seeds)
  expect(seen.grown).toBeGreaterThan(seeds / 5)
}, 60_000)

test('a seed plays the same town again', async () => {
  const [first, second] = [await play(firstSeed), await play(firstSeed)]
  expect(second.arrivals).toEqual(first.arrivals)
  expect(second.deaths).toBe(first.deaths)
})
