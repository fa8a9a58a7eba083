/** What a town's people ask to be left alone with: silences, maintenance windows, a rule by which one alert inhibits others. */
import type { Maintenance } from '../../config/contract.ts'
import type { SilenceBody } from '../../functions/api-contract.ts'
import type { InhibitView } from '../../functions/correlate/hub.ts'
import { minuteMs, startMs } from './calendar.ts'
import type { Dice } from './dice.ts'
import type { House } from './queues.ts'
import type { Service } from './town.ts'
import type { World } from './world.ts'

/** Somebody asks for a silence, and may end it by hand later. */
export type Wish = { atMs: number; body: SilenceBody; endedAfterMs?: number }

export type Wishes = { silences: readonly Wish[]; maintenance: Record<string, Maintenance>; inhibit: InhibitView[] }

const ofService = (service: string) => [`service="${service}"`]

const silenceOf = (dice: Dice, service: string, nth: number): Wish => {
  const atMs = startMs + dice.between(minuteMs, 10 * minuteMs)
  const startsAtMs = atMs + (dice.oneIn(3) ? dice.between(0, 2 * minuteMs) : 0)
  const endsAtMs = startsAtMs + dice.between(minuteMs, 6 * minuteMs)
  const body = { matchers: ofService(service), author: 'lena', reason: `works on it, ${nth}`, startsAtMs, endsAtMs }
  return { atMs, body, ...(dice.oneIn(3) ? { endedAfterMs: dice.between(minuteMs / 2, 3 * minuteMs) } : {}) }
}

const windowOf = (dice: Dice, service: string): Maintenance => {
  const fromMs = startMs + dice.between(0, 10 * minuteMs)
  const toMs = fromMs + dice.between(2 * minuteMs, 6 * minuteMs)
  return {
    services: [service],
    reason: 'moves house',
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
  }
}

export const wishesOf = (dice: Dice, services: readonly Service[]): Wishes => {
  const ids = services.map(({ id }) => id)
  const some = (count: number) => dice.some(ids, count)
  const [source, target] = dice.oneIn(4) ? some(2) : []
  const isBack = dice.oneIn(2)
  const [from, to] = isBack ? [target, source] : [source, target]
  return {
    silences: some(dice.pick([0, 0, 1, 2])).map((service, nth) => silenceOf(dice, service, nth)),
    maintenance: Object.fromEntries((dice.oneIn(5) ? some(1) : []).map((id) => [id, windowOf(dice, id)])),
    inhibit: from && to ? [{ id: 'rule', source: ofService(from), target: ofService(to), equal: ['severity'] }] : [],
  }
}

/** Who hears no answer asks again, for the very same. */
const patience = [0, 15_000, 40_000]

export const planWishes = (world: World, house: House): void => {
  const { time, town } = world
  const ask = (atMs: number, errand: Parameters<House['ask']>[0]) => {
    for (const laterMs of patience) time.at(atMs + laterMs, () => house.ask(errand))
  }
  for (const { atMs, body, endedAfterMs } of town.wishes.silences) {
    ask(atMs, { kind: 'silence', body })
    if (endedAfterMs !== undefined) ask(atMs + endedAfterMs, { kind: 'end-silence', body })
  }
}
