/** What two configs made of the same history, outage by outage. Pure. */
import type { Severity } from '../../config/contract.ts'
import type { Spell } from './ledger.ts'

/** A time in which people were paged about one monitor (or about a rule that judges none). */
export type Outage = {
  /** The monitor, or the rule. */
  about: string
  service: string
  rules: string[]
  /** The first failing look. */
  sinceMs: number
  pagedAtMs: number
  /** Absent when it lasts as long as the history. */
  endedAtMs?: number
  incidentId: string
  summary: string
  reason: Spell['reason']
}

/** Why nobody was paged about an outage under the other config. */
export type WhyNot =
  | { kind: 'not-watched' }
  | { kind: 'no-rule' }
  | { kind: 'told-as'; severity: Severity; alertId: string }
  | { kind: 'kept-quiet'; by: string; ref: string; alertId: string }
  | { kind: 'told-nobody'; severity: Severity; alertId: string }
  | { kind: 'not-firing'; reason: Spell['reason']; alertId: string; summary: string }

/** Paged about under both. */
export type Kept = { before: Outage; after: Outage; sinceMs: number; delayMs: { before: number; after: number } }
export type Lone = Outage & { why: WhyNot }
/** It pages under one config; under the other its page goes out with that of what it depends on. */
export type Folded = Outage & { into: string }

export type Difference = { kept: Kept[]; lost: Lone[]; added: Lone[]; folded: { lost: Folded[]; added: Folded[] } }

/** A page that comes so soon after an outage is over is still about it. */
const afterwardsMs = 10 * 60_000

const aboutOf = ({ monitor, ruleId }: Spell) => monitor ?? ruleId
const endOf = ({ endedAtMs }: { endedAtMs?: number }) => endedAtMs ?? Number.POSITIVE_INFINITY

const grown = (outage: Outage, spell: Spell): Outage => {
  const { endedAtMs: _, ...rest } = outage
  const endMs = Math.max(endOf(outage), endOf(spell))
  const rules = outage.rules.includes(spell.ruleId) ? outage.rules : [...outage.rules, spell.ruleId]
  const sinceMs = Math.min(outage.sinceMs, spell.sinceMs)
  return { ...rest, rules, sinceMs, ...(Number.isFinite(endMs) ? { endedAtMs: endMs } : {}) }
}

/** The outages that a config paged about, by what they are about. Alerts of one at the same time are one outage. */
export const outagesOf = (spells: readonly Spell[]): Outage[] => {
  const paged = spells.filter(({ toldAs, toldAtMs }) => toldAs === 'page' && toldAtMs !== undefined)
  const all = [...Map.groupBy(paged, aboutOf)].flatMap(([about, own]) => {
    const outages: Outage[] = []
    for (const spell of [...own].sort((a, b) => (a.toldAtMs ?? 0) - (b.toldAtMs ?? 0))) {
      const last = outages.at(-1)
      const { toldAtMs: pagedAtMs = 0, incidentId = '', ruleId, service, sinceMs, summary, reason, endedAtMs } = spell
      const ended = endedAtMs === undefined ? {} : { endedAtMs }
      const said = { incidentId, summary, reason }
      if (last && sinceMs <= endOf(last)) outages[outages.length - 1] = grown(last, spell)
      else outages.push({ about, service, rules: [ruleId], sinceMs, pagedAtMs, ...ended, ...said })
    }
    return outages
  })
  return all.sort((a, b) => a.pagedAtMs - b.pagedAtMs || (a.about < b.about ? -1 : 1))
}

const overlaps = (
  a: { sinceMs: number; endedAtMs?: number },
  b: { sinceMs: number; endedAtMs?: number },
  slackMs = afterwardsMs,
): boolean => a.sinceMs <= endOf(b) + slackMs && b.sinceMs <= endOf(a) + slackMs

export type Side = {
  spells: readonly Spell[]
  outages: readonly Outage[]
  watches: (monitorId: string) => boolean
}

const nearness = ({ toldAtMs, mute, firedAtMs }: Spell): number =>
  toldAtMs !== undefined ? 3 : mute ? 2 : firedAtMs !== undefined ? 1 : 0

const whyNot = (outage: Outage, { watches }: Side, spells: readonly Spell[]): WhyNot => {
  if (!watches(outage.about)) return { kind: 'not-watched' }
  const [nearest] = [...spells].sort((a, b) => nearness(b) - nearness(a) || a.beganMs - b.beganMs)
  if (!nearest) return { kind: 'no-rule' }
  const { alertId, severity, mute, toldAs, firedAtMs, reason, summary } = nearest
  if (toldAs !== undefined) return { kind: 'told-as', severity: toldAs, alertId }
  if (mute) return { kind: 'kept-quiet', by: mute.kind, ref: mute.ref, alertId }
  if (firedAtMs !== undefined) return { kind: 'told-nobody', severity, alertId }
  return { kind: 'not-firing', reason, alertId, summary }
}

type Unmatched = { alone: Lone[]; folded: Folded[] }

/** What pages on one side and not on the other. */
const unmatched = (side: Side, other: Side, matched: ReadonlySet<Outage>): Unmatched => {
  const result: Unmatched = { alone: [], folded: [] }
  const byAbout = Map.groupBy(other.spells, aboutOf)
  const pages = new Set(other.outages.map(({ incidentId }) => incidentId))
  for (const outage of side.outages) {
    if (matched.has(outage)) continue
    const spells = (byAbout.get(outage.about) ?? []).filter((spell) =>
      overlaps(outage, { ...spell, sinceMs: Math.min(spell.sinceMs, spell.beganMs) }),
    )
    const into = spells.find(({ mute }) => mute?.kind === 'dependency' && pages.has(mute.ref))?.mute?.ref
    if (into !== undefined) result.folded.push({ ...outage, into })
    else result.alone.push({ ...outage, why: whyNot(outage, other, spells) })
  }
  return result
}

/** What pages before and not after, the other way, and how much sooner or later the rest does. */
export const differenceOf = (before: Side, after: Side): Difference => {
  const kept: Kept[] = []
  const [matchedBefore, matchedAfter] = [new Set<Outage>(), new Set<Outage>()]
  const byAbout = Map.groupBy(after.outages, ({ about }) => about)
  for (const outage of before.outages) {
    const found = (byAbout.get(outage.about) ?? []).filter((one) => overlaps(outage, one))
    const [first] = found
    if (!first) continue
    matchedBefore.add(outage)
    for (const one of found) matchedAfter.add(one)
    const sinceMs = Math.min(outage.sinceMs, first.sinceMs)
    const delayMs = { before: outage.pagedAtMs - sinceMs, after: first.pagedAtMs - sinceMs }
    kept.push({ before: outage, after: first, sinceMs, delayMs })
  }
  const [lost, added] = [unmatched(before, after, matchedBefore), unmatched(after, before, matchedAfter)]
  return { kept, lost: lost.alone, added: added.alone, folded: { lost: lost.folded, added: added.folded } }
}
