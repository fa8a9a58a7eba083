import type { Config } from '../../config/schema.ts'
import { sliOf } from '../../functions/sli-state.ts'
import { type SloSpec, sloBudget } from '../../rules/kinds/slo.ts'
import { ruleMonitor } from '../../rules/registry.ts'
import type { Arrival } from '../backtest/arrivals.ts'
import { type Difference, differenceOf, outagesOf, type Side } from '../backtest/difference.ts'
import type { History } from '../backtest/history.ts'
import type { Spell, Told } from '../backtest/ledger.ts'
import { Replay } from '../backtest/replay.ts'

/** What people would have been told: its monitors and rules besides. */
export type Page = Told & { monitors: string[]; rules: string[]; endedAtMs?: number }
export type SideReport = { pages: Page[]; tickets: Page[] }

export type Spent = { spentRatio: number; good: number; bad: number; unknown: number }
/** One objective's budget at the end. `today` or `new` is missing where the config has no such objective. */
export type BudgetChange = { rule: string; today?: Spent; new?: Spent }

export type Backtest = {
  fromMs: number
  toMs: number
  outcomes: number
  monitors: number
  /** Times of which nothing is known: whodunit was off. */
  gaps: { fromMs: number; toMs: number }[]
  unreadable: number
  today: SideReport
  new: SideReport
  difference: Difference
  budgets: BudgetChange[]
  /** Monitors in the history that a config does not know, and those of a config that are not in the history. */
  unknown: { today: string[]; new: string[] }
  unseen: { today: string[]; new: string[] }
  /** Rules that judge series, of which a history holds nothing. */
  notReplayed: { today: string[]; new: string[] }
}

/** So long without anything, twice the longest period besides, and it was off. */
const offAfterMs = 5 * 60_000

const gapOf = (configs: readonly Config[]): number => {
  const periods = configs.flatMap(({ monitors }) => Object.values(monitors).map(({ periodSeconds }) => periodSeconds))
  return Math.max(offAfterMs, 2 * periods.reduce((most, one) => Math.max(most, one), 0) * 1000 + 60_000)
}

type Passed = { fromMs: number; toMs: number; outcomes: number; monitors: Set<string>; gaps: Backtest['gaps'] }
/** Is told how far it is, about every minute of the history. */
export type Progress = (at: { atMs: number; outcomes: number }) => void

const emptyPast = (): Passed => ({ fromMs: 0, toMs: 0, outcomes: 0, monitors: new Set(), gaps: [] })

/** Plays a history to both configs at once, a message at a time. */
const playAll = async (
  arrivals: AsyncIterable<Arrival>,
  replays: readonly Replay[],
  at: { gapMs: number; progress: Progress; copy: (arrival: Arrival) => Promise<void> },
): Promise<Passed> => {
  const passed = emptyPast()
  let saidMs = Number.NEGATIVE_INFINITY
  for await (const arrival of arrivals) {
    const { atMs, outcomes } = arrival
    if (passed.fromMs === 0) passed.fromMs = atMs
    else if (atMs - passed.toMs > at.gapMs) {
      passed.gaps.push({ fromMs: passed.toMs, toMs: atMs })
      for (const replay of replays) replay.startAgain(atMs)
    }
    for (const replay of replays) await replay.apply(arrival)
    await at.copy(arrival)
    passed.toMs = atMs
    passed.outcomes += outcomes.length
    for (const { monitorId } of outcomes) passed.monitors.add(monitorId)
    if (atMs - saidMs >= 60_000) {
      saidMs = atMs
      at.progress({ atMs, outcomes: passed.outcomes })
    }
  }
  for (const replay of replays) await replay.advance(passed.toMs)
  return passed
}

const endOf = ({ endedAtMs }: { endedAtMs?: number }) => endedAtMs ?? Number.POSITIVE_INFINITY

/** What people were told, with the alerts it was about until they were told the next time. */
const pagesOf = (told: readonly Told[], spells: readonly Spell[]): Page[] => {
  const byIncident = Map.groupBy(
    spells.filter(({ toldAtMs }) => toldAtMs !== undefined),
    ({ incidentId }) => incidentId,
  )
  return told.map((one) => {
    const nextMs = told.find(({ incidentId, atMs }) => incidentId === one.incidentId && atMs > one.atMs)?.atMs
    const own = (byIncident.get(one.incidentId) ?? []).filter(
      (spell) => (spell.toldAtMs ?? 0) < (nextMs ?? Number.POSITIVE_INFINITY) && endOf(spell) >= one.atMs,
    )
    const endedMs = own.reduce((last, spell) => Math.max(last, endOf(spell)), 0)
    return {
      ...one,
      monitors: [...new Set(own.flatMap(({ monitor }) => monitor ?? []))],
      rules: [...new Set(own.map(({ ruleId }) => ruleId))],
      ...(endedMs > 0 && Number.isFinite(endedMs) ? { endedAtMs: endedMs } : {}),
    }
  })
}

const sideReport = ({ ledger }: Replay): SideReport => {
  const all = pagesOf(ledger.told, ledger.spells)
  return {
    pages: all.filter(({ severity }) => severity === 'page'),
    tickets: all.filter(({ severity }) => severity === 'ticket'),
  }
}

const sideOf = (config: Config, { ledger: { spells } }: Replay): Side => ({
  spells,
  outages: outagesOf(spells),
  watches: (about) => Object.hasOwn(config.monitors, about) || Object.hasOwn(config.rules, about),
})

const objectives = ({ rules }: Config): Map<string, SloSpec> =>
  new Map(
    Object.entries(rules).flatMap(([id, rule]) =>
      rule.kind === 'slo' && ruleMonitor(rule) !== undefined ? [[id, rule] as const] : [],
    ),
  )

const spentBy = (id: string, spec: SloSpec | undefined, at: { replay: Replay; nowMs: number }): Spent | undefined => {
  if (!spec) return undefined
  const { spentRatio, good, bad, unknown } = sloBudget(spec, sliOf(at.replay.sliOf(id)), at.nowMs)
  return { spentRatio, good: Math.round(good), bad: Math.round(bad), unknown: Math.round(unknown) }
}

type Both<T> = { today: T; new: T }

const budgetChanges = (configs: Both<Config>, replays: Both<Replay>, nowMs: number): BudgetChange[] => {
  const specs = { today: objectives(configs.today), new: objectives(configs.new) }
  return [...new Set([...specs.today.keys(), ...specs.new.keys()])].map((rule) => {
    const today = spentBy(rule, specs.today.get(rule), { replay: replays.today, nowMs })
    const next = spentBy(rule, specs.new.get(rule), { replay: replays.new, nowMs })
    return { rule, ...(today ? { today } : {}), ...(next ? { new: next } : {}) }
  })
}

const notJudged = ({ rules }: Config) =>
  Object.entries(rules).flatMap(([id, rule]) => (ruleMonitor(rule) === undefined ? [id] : []))

const both = <T>(make: (side: keyof Both<unknown>) => T): Both<T> => ({ today: make('today'), new: make('new') })

/** What today's config and a new one make of the same history. Deterministic: the same history, the same answer. */
export const backtest = async (
  history: History,
  configs: Both<Config>,
  at: { progress: Progress; copy?: (arrival: Arrival) => Promise<void> },
): Promise<Backtest> => {
  const replays = both((side) => new Replay(configs[side]))
  const { fromMs, toMs, outcomes, monitors, gaps } = await playAll(history.arrivals, [replays.today, replays.new], {
    gapMs: gapOf([configs.today, configs.new]),
    progress: at.progress,
    copy: at.copy ?? (async () => undefined),
  })
  const unseen = ({ monitors: all }: Config) => Object.keys(all).filter((id) => !monitors.has(id))
  return {
    fromMs,
    toMs,
    outcomes,
    monitors: monitors.size,
    gaps,
    unreadable: history.unreadable(),
    ...both((side) => sideReport(replays[side])),
    difference: differenceOf(sideOf(configs.today, replays.today), sideOf(configs.new, replays.new)),
    budgets: budgetChanges(configs, replays, toMs),
    unknown: both((side) => [...replays[side].unknown.keys()].sort()),
    unseen: both((side) => unseen(configs[side])),
    notReplayed: both((side) => notJudged(configs[side])),
  }
}

/** What somebody may want to fail for. */
export const failures = ['lost', 'added', 'later'] as const
export type Failure = (typeof failures)[number]

/** Later by more than a look's length is later. */
const laterByMs = 1000

/** Which of these happened. */
export const failed = ({ difference: { lost, added, kept } }: Backtest, on: readonly Failure[]): Failure[] => {
  const happened: Readonly<Record<Failure, boolean>> = {
    lost: lost.length > 0,
    added: added.length > 0,
    later: kept.some(({ delayMs }) => delayMs.after - delayMs.before >= laterByMs),
  }
  return on.filter((one) => happened[one])
}
