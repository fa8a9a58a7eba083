/** One config over a history: `evaluate`'s decision for every arrival, and `correlate` for what it changes. */
import type { Config } from '../../config/schema.ts'
import type { Observation } from '../../functions/contract.ts'
import { evaluateView } from '../../functions/evaluate/config.ts'
import { decideEvaluate, type RuleView } from '../../functions/evaluate/decide.ts'
import { judgeAllEveryMs } from '../../functions/evaluate/step.ts'
import type { KeptOutcome } from '../../functions/history.ts'
import { emptyShard, type LocationState, type ShardState } from '../../functions/shard-state.ts'
import { allShards, shardOf } from '../../functions/shards.ts'
import { emptySli, type SliState, withWaiting } from '../../functions/sli-state.ts'
import { shortId } from '../../functions/sli-ticks.ts'
import type { ProbeOutcome } from '../../probes/contract.ts'
import { ruleMonitor } from '../../rules/registry.ts'
import type { Arrival } from './arrivals.ts'
import { Ledger } from './ledger.ts'
import { Paging } from './paging.ts'

type Shard = {
  /** Rules about monitors that have been seen: of others the history says nothing, so nobody is blind there. */
  rules: readonly RuleView[]
  shard: ShardState
  locations: Map<string, LocationState>
  slis: Map<string, SliState>
  dueAtMs: number
  /** When every rule was judged last. */
  judgedAtMs: number
}

const nothingYet = (): Omit<Shard, 'rules'> => ({
  shard: emptyShard,
  locations: new Map(),
  slis: new Map(),
  dueAtMs: Number.POSITIVE_INFINITY,
  judgedAtMs: Number.NEGATIVE_INFINITY,
})

/** Rules that judge what a history holds. Series are not in it. */
const judged = (config: Config): Config => ({
  ...config,
  rules: Object.fromEntries(Object.entries(config.rules).filter(([, rule]) => ruleMonitor(rule) !== undefined)),
})

const outcomeOf = ({ address, bodyStart, statusCode, ...kept }: KeptOutcome): ProbeOutcome => ({
  ...kept,
  ...(statusCode === undefined ? {} : { attempt: { statusCode } }),
})

export class Replay {
  readonly ledger: Ledger
  readonly #view: ReturnType<typeof evaluateView>
  readonly #paging: Paging
  readonly #shards = new Map<string, Shard>()
  readonly #watches: (monitorId: string) => boolean
  /** Monitors of this config that were seen, and how many outcomes there were of others. */
  readonly seen = new Set<string>()
  readonly unknown = new Map<string, number>()
  #nowMs = Number.NEGATIVE_INFINITY
  #startedAtMs: number | undefined

  constructor(given: Config) {
    const config = judged(given)
    const view = evaluateView(config)
    const rules = allShards(view.shards).flatMap((shard) => view.rulesOf(shard))
    const known = new Map(rules.map((rule): [string, RuleView] => [rule.alertId, rule]))
    this.#view = view
    this.#watches = view.watches
    this.ledger = new Ledger((alertId) => {
      const rule = known.get(alertId)
      return rule && { monitor: rule.monitor?.monitorId, severity: rule.severity }
    })
    this.#paging = new Paging(config, { ledger: this.ledger, nowMs: () => this.#nowMs })
  }

  /** The hub was off before this: a silence from then is no news. What was due meanwhile is done now. */
  startAgain(atMs: number): void {
    this.#startedAtMs = atMs
    this.#nowMs = Math.max(this.#nowMs, atMs)
  }

  async apply({ atMs, outcomes }: Arrival): Promise<void> {
    await this.advance(atMs)
    const watched = outcomes.filter(({ monitorId }) => {
      if (this.#watches(monitorId)) return true
      this.unknown.set(monitorId, (this.unknown.get(monitorId) ?? 0) + 1)
      return false
    })
    const parts = Map.groupBy(watched, ({ monitorId }) => shardOf(monitorId, this.#view.shards))
    for (const [shard, own] of parts) {
      this.#meet(shard, own)
      await this.#evaluate({ kind: 'outcomes', id: `replay:${atMs}`, shard, outcomes: own.map(outcomeOf) })
    }
  }

  #meet(shard: string, outcomes: readonly KeptOutcome[]): void {
    const news = outcomes.filter(({ monitorId }) => !this.seen.has(monitorId))
    if (news.length === 0) return
    for (const { monitorId } of news) this.seen.add(monitorId)
    const rules = this.#view.rulesOf(shard).filter(({ monitor }) => monitor && this.seen.has(monitor.monitorId))
    const known = this.#shards.get(shard)
    if (known) Object.assign(known, { rules, judgedAtMs: Number.NEGATIVE_INFINITY })
    else this.#shards.set(shard, { rules, ...nothingYet() })
  }

  /** Does what is due until then. */
  async advance(atMs: number): Promise<void> {
    for (;;) {
      const due = [...this.#shards].reduce((first, [, { dueAtMs }]) => Math.min(first, dueAtMs), this.#paging.dueAtMs())
      if (due > atMs) break
      this.#nowMs = Math.max(this.#nowMs, due)
      for (const [shard, own] of this.#shards) {
        if (own.dueAtMs > this.#nowMs) continue
        own.dueAtMs = Number.POSITIVE_INFINITY
        await this.#evaluate({ kind: 'timer', id: 'replay', shard, rowId: '' })
      }
      await this.#paging.runDue(this.#nowMs)
    }
    this.#nowMs = Math.max(this.#nowMs, atMs)
  }

  async #evaluate(observation: Extract<Observation, { kind: 'outcomes' | 'timer' }>): Promise<void> {
    const { shard } = observation
    const nowMs = this.#nowMs
    const own = this.#shards.get(shard)
    if (!own) return
    const onlyConcerned = nowMs - own.judgedAtMs < judgeAllEveryMs
    if (!onlyConcerned) own.judgedAtMs = nowMs
    const decision = decideEvaluate(own, observation, {
      rules: own.rules,
      nowMs,
      watches: this.#watches,
      startedAtMs: this.#startedAtMs,
      onlyConcerned,
    })
    own.shard = decision.shard
    for (const [location, state] of decision.locations) own.locations.set(location, state)
    for (const [ruleId, state] of decision.slis) own.slis.set(ruleId, state)
    own.dueAtMs = Math.min(own.dueAtMs, decision.againAtMs ?? Number.POSITIVE_INFINITY)
    this.ledger.stepped(decision.transitions, decision.shard.alerts)
    if (decision.changes.length > 0) await this.#paging.tell(decision.changes, nowMs)
  }

  /** The events of an objective as they stand now. */
  sliOf(ruleId: string): SliState {
    const id = shortId(ruleId)
    const shard = [...this.#shards.values()].find(({ rules }) => rules.some((rule) => rule.ruleId === ruleId))
    if (!shard) return emptySli
    const { slis, locations } = shard
    const waiting = [...locations].map(([location, { ticks }]) => [location, ticks?.[id] ?? []] as const)
    return withWaiting(slis.get(ruleId) ?? emptySli, waiting, this.#nowMs)
  }
}
