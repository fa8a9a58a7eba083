/** The truth: which targets were broken when, and who could see it. Invariants compare it with what people were told. */
import type { Verdict } from '../../probes/contract.ts'
import { minuteMs, startMs } from './calendar.ts'
import type { Dice } from './dice.ts'
import type { Monitor, Service } from './town.ts'

export type Trouble = {
  /**
   * `outage`: broken for everybody. `local`: one location's own network fails. `blind`: whoever looks sees nothing.
   * `silence`: no schedule fires at all.
   */
  kind: 'outage' | 'local' | 'blind' | 'silence'
  monitors: readonly string[]
  locations: readonly string[]
  fromMs: number
  toMs: number
}

type Places = {
  locations: readonly string[]
  services: readonly Service[]
  monitors: readonly Monitor[]
  watched: readonly Monitor[]
}

/** All troubles are over by then, early enough for their end to be noticed while the faults last. */
const overAtMs = startMs + 19 * minuteMs

const span = (dice: Dice, at: { longestMs: number }) => {
  const fromMs = startMs + dice.between(minuteMs / 2, 13 * minuteMs)
  // Most are short; some last.
  const longestMs = dice.oneIn(3) ? at.longestMs : at.longestMs / 2
  return { fromMs, toMs: Math.min(overAtMs, fromMs + dice.between(minuteMs, longestMs)) }
}

const idsOf = (monitors: readonly Monitor[], service: string | undefined) =>
  monitors.filter((monitor) => monitor.service === service).map(({ id }) => id)

/** A service breaks, and those that depend on it may break along a little later. */
const outage = (dice: Dice, { locations, services, monitors }: Places): Trouble[] => {
  const [root] = dice.some(services, 1)
  const { fromMs, toMs } = span(dice, { longestMs: 12 * minuteMs })
  const broken = dice.some(idsOf(monitors, root?.id), dice.between(1, 3))
  const dependents = services.filter(({ dependsOn }) => root && dependsOn.includes(root.id) && dice.oneIn(3))
  const along = dice.some(dependents, 1).map(({ id }): Trouble => {
    const [laterMs, longerMs] = [dice.between(0, 40_000), dice.between(0, dice.oneIn(4) ? 15 * minuteMs : 90_000)]
    const some = dice.some(idsOf(monitors, id), dice.between(1, 3))
    return {
      kind: 'outage',
      monitors: some,
      locations,
      fromMs: fromMs + laterMs,
      toMs: Math.min(overAtMs, toMs + longerMs),
    }
  })
  return [{ kind: 'outage', monitors: broken, locations, fromMs, toMs }, ...along]
}

const local = (dice: Dice, { locations, monitors }: Places): Trouble => ({
  kind: 'local',
  monitors: dice.some(monitors, dice.between(1, 4)).map(({ id }) => id),
  locations: dice.some(locations, 1),
  ...span(dice, { longestMs: 6 * minuteMs }),
})

/** Broken, well for a few minutes, and broken again. */
export const twiceBroken = (dice: Dice, { locations, monitors }: Pick<Places, 'locations' | 'monitors'>): Trouble[] => {
  const fromMs = startMs + dice.between(minuteMs, 6 * minuteMs)
  const wellMs = fromMs + dice.between(2 * minuteMs, 5 * minuteMs)
  const againMs = wellMs + dice.between(minuteMs / 2, 4 * minuteMs)
  const broken = { kind: 'outage', monitors: monitors.map(({ id }) => id), locations } as const
  return [
    { ...broken, fromMs, toMs: wellMs },
    { ...broken, fromMs: againMs, toMs: Math.min(overAtMs, againMs + dice.between(2 * minuteMs, 6 * minuteMs)) },
  ]
}

/** Long enough for the absence rule in one case of two. */
const blind = (dice: Dice, { locations, monitors, watched }: Places): Trouble => ({
  kind: 'blind',
  monitors: (dice.oneIn(2) ? watched : dice.some(monitors, 2)).map(({ id }) => id),
  locations: dice.oneIn(3) ? dice.some(locations, 1) : locations,
  ...span(dice, { longestMs: 12 * minuteMs }),
})

/** Nothing wakes a shard then but its timer. */
const silence = (dice: Dice, { locations, monitors }: Places): Trouble => {
  const fromMs = startMs + dice.between(minuteMs, 9 * minuteMs)
  const toMs = fromMs + dice.between(4 * minuteMs, 10 * minuteMs)
  return { kind: 'silence', monitors: monitors.map(({ id }) => id), locations, fromMs, toMs }
}

export const troublesOf = (dice: Dice, places: Places): Trouble[] => {
  const troubles = [...outage(dice, places)]
  if (dice.oneIn(3)) troubles.push(...outage(dice, places))
  if (dice.oneIn(2)) troubles.push(local(dice, places))
  if (dice.oneIn(3)) troubles.push(blind(dice, places))
  if (dice.oneIn(8)) troubles.push(silence(dice, places))
  return troubles
}

/** Troubles by the monitor they concern. */
export type Truth = ReadonlyMap<string, readonly Trouble[]>

export const truthOf = (troubles: readonly Trouble[]): Truth =>
  new Map(
    [...new Set(troubles.flatMap(({ monitors }) => monitors))].map((id) => [
      id,
      troubles.filter(({ monitors }) => monitors.includes(id)),
    ]),
  )

const holds = ({ fromMs, toMs, locations }: Trouble, location: string, atMs: number) =>
  fromMs <= atMs && atMs < toMs && locations.includes(location)

/** What a look that starts now will see. */
export const verdictAt = (truth: Truth, at: { monitorId: string; location: string; atMs: number }): Verdict => {
  const all = truth.get(at.monitorId)
  if (!all) return 'pass'
  const now = all.filter((one) => holds(one, at.location, at.atMs))
  if (now.some(({ kind }) => kind === 'blind')) return 'unknown'
  return now.some(({ kind }) => kind === 'outage' || kind === 'local') ? 'fail' : 'pass'
}

/** Do the schedules fire? */
export const isSilent = (troubles: readonly Trouble[], atMs: number): boolean =>
  troubles.some(({ kind, fromMs, toMs }) => kind === 'silence' && fromMs <= atMs && atMs < toMs)
