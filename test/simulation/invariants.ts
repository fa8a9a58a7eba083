/** What must hold whatever goes wrong, each with its name. `docs/reliability.md` lists them. */
import type { Incident } from '../../functions/hub-state.ts'
import { minuteMs } from './calendar.ts'
import { dueAlerts, isUnfounded } from './evidence.ts'
import type { Arrival } from './ledger.ts'
import { isPage, type Outcome, outcomeOf, rulesOf, unfinished } from './outcome.ts'
import { alertsLeft, movedTimers, openNow, poisonId, rowsLeft } from './play.ts'
import { mostAtOnce, silentFor, unescalated, unwanted } from './quiet.ts'
import type { World } from './world.ts'

export type Kind = 'lost' | 'unexpected' | 'stuck'
export type Complaint = { kind: Kind; invariant: InvariantName; what: string }

type Evidence = {
  world: World
  outcome: Outcome
  /** Every message once, in the order of first arrival. */
  first: readonly Arrival[]
  /** By incident and channel; a component's changes by it as well. */
  threads: ReadonlyMap<string, readonly Arrival[]>
}
type Invariant = { kind: Kind; says: string; broken: (evidence: Evidence) => string[] | Promise<string[]> }

const threadOf = ({ incidentId, service, channel, to }: Arrival) =>
  `${incidentId}${to === undefined ? '' : ` of ${service}`} on ${channel}`

const sequenceOf = (id: string) => Number(id.split(':').at(-1))

/** The threads that speak of incidents; components of the status page and the ends of silences have their own. */
const pageThreads = ({ world, threads }: Evidence) =>
  [...threads].filter(([, [one]]) => {
    return one !== undefined && world.town.people.includes(one.channel) && one.event !== 'silence-ended'
  })

const reached = ({ world, first }: Evidence, { id }: Incident) =>
  first.some(
    ({ incidentId, event, channel }) => incidentId === id && isPage(event) && world.town.people.includes(channel),
  )

/** Was the page refused there in the end, though it may have arrived? Then its end goes there as well. */
const inDoubt = ({ world: { ledger } }: Evidence, { incidentId, channel }: Arrival) =>
  [...ledger.doubted].some((id) => id.startsWith(`${incidentId}:${channel}:`))

/** Is an end said again because nobody can know whether the first arrived, or whether a page did in between? */
const saidAgain = (evidence: Evidence, end: Arrival, other: Arrival) =>
  evidence.world.ledger.doubted.has(end.id) || pageBetween(evidence, end, other)

/** Was there a page between two messages that was refused in the end, though it may have arrived? */
const pageBetween = ({ world: { ledger } }: Evidence, one: Arrival, other: Arrival) =>
  [...ledger.doubted].some((id) => {
    const isPageOf = id.startsWith(`${one.incidentId}:${one.channel}:`) && isPage(ledger.decided.get(id)?.meaning ?? '')
    return isPageOf && sequenceOf(one.id) < sequenceOf(id) && sequenceOf(id) < sequenceOf(other.id)
  })

const noticed = ({ outcome }: Evidence, ruleId: string, span: { fromMs: number; toMs: number }) =>
  outcome.incidents.some((one) => {
    const overMs = one.resolvedAtMs ?? Number.POSITIVE_INFINITY
    return rulesOf(one).includes(ruleId) && one.sinceMs < span.toMs + 3 * minuteMs && overMs > span.fromMs
  })

const all = {
  'a page reaches a person': {
    kind: 'lost',
    says: 'Every incident that opened reached at least one person, whatever the channels did.',
    broken: (evidence) =>
      evidence.outcome.incidents.flatMap((one) =>
        reached(evidence, one) || silentFor(one, evidence.outcome, evidence.world) !== undefined
          ? []
          : [`${one.id} (${one.severity}) reached nobody`],
      ),
  },
  'a decided message arrives': {
    kind: 'lost',
    says: 'Every message that a committed decision demands arrived, or its channel refused it and that was noted.',
    broken: ({ world: { ledger }, first }) => {
      const arrived = new Set(first.map(({ id }) => id))
      const owed = [...ledger.decided.keys()].filter((id) => !arrived.has(id) && ledger.receipts.get(id) !== 'rejected')
      return owed.map((id) => `${id} never arrived`)
    },
  },
  'a broken target is noticed': {
    kind: 'lost',
    says: 'A target that everybody sees broken for longer than the detection bound, or nobody sees at all for longer than its absence rule allows, has an incident.',
    broken: (evidence) =>
      evidence.world.town.rules.flatMap((rule) =>
        dueAlerts(evidence.world, rule)
          .filter((span) => !noticed(evidence, rule.id, span))
          .map(({ fromMs, toMs }) => `${rule.id}: nobody noticed ${Math.round((toMs - fromMs) / 1000)} s of it`),
      ),
  },
  'a resolve follows the page': {
    kind: 'lost',
    says: 'Whoever acknowledged the page gets the resolve.',
    broken: async (evidence) => {
      const { underWay } = await openNow(evidence.world)
      return pageThreads(evidence).flatMap(([name, messages]) => {
        if (underWay.some(({ id }) => id === messages[0]?.incidentId)) return []
        const page = messages.findLastIndex(({ event, id }) => {
          return isPage(event) && evidence.world.ledger.receipts.get(id) === 'delivered'
        })
        const ended = messages.slice(page + 1).some(({ event }) => event === 'resolved')
        return page !== -1 && !ended ? [`${name}: no resolve came`] : []
      })
    },
  },
  'what nobody takes on goes on': {
    kind: 'lost',
    says: 'An incident that nobody takes on in time, and that nothing keeps quiet, reaches the next route.',
    broken: ({ world, outcome }) =>
      outcome.incidents.flatMap((one) => (unescalated(one, outcome, world) ? [`${one.id} was not escalated`] : [])),
  },
  'what becomes a page wakes somebody': {
    kind: 'lost',
    says: 'An incident that people heard nothing of, or a ticket, and that becomes a page, wakes somebody then.',
    broken: ({ world: { ledger } }) => ledger.unwoken.map((what) => `${what}, and woke nobody`),
  },
  'whoever takes it on ends that': {
    kind: 'unexpected',
    says: 'An incident that somebody has taken on reminds nobody and goes to no further route.',
    broken: ({ world: { ledger } }) =>
      ledger.woken.flatMap(({ order, incident, wasAcknowledged }) => {
        const goesOn = order.event === 'reminder' || incident.escalation?.atMs === order.atMs
        const isTaken = wasAcknowledged && incident.status === 'acknowledged'
        return goesOn && isTaken ? [`${order.id} (${order.event}) though it was acknowledged`] : []
      }),
  },
  'a silence is kept': {
    kind: 'unexpected',
    says: 'Nobody is paged for alerts that a silence or a maintenance window matches while it lasts.',
    broken: ({ world }) =>
      world.ledger.woken.flatMap((one) =>
        one.isFirst && unwanted(world, one) ? [`${one.order.id} breaks a silence`] : [],
      ),
  },
  'a storm is a few pages': {
    kind: 'unexpected',
    says: 'A channel is told of no more new incidents within a minute than the config allows, and one for the rest.',
    broken: ({ world }) =>
      mostAtOnce(world.ledger.woken).flatMap(({ channel, count }) =>
        count > world.town.grouping.stormIncidents + 1 ? [`${channel} was told of ${count} within a minute`] : [],
      ),
  },
  'only decided messages arrive': {
    kind: 'unexpected',
    says: 'No message arrives that no committed decision demands.',
    broken: ({ world: { ledger }, first }) =>
      first.filter(({ id }) => !ledger.decided.has(id)).map(({ id }) => `${id} was never decided`),
  },
  'an id has one meaning': {
    kind: 'unexpected',
    says: 'The same id never means two things, in a decision or on arrival.',
    broken: ({ world: { ledger } }) => [
      ...ledger.ambiguous.map((id) => `${id} was decided twice, differently`),
      ...ledger.arrivals.flatMap(({ id, event, to }) => {
        const meaning = to === undefined ? event : `${event} ${to}`
        const decided = ledger.decided.get(id)
        return decided && decided.meaning !== meaning ? [`${id} means ${decided.meaning} and came as ${meaning}`] : []
      }),
    ],
  },
  'the page comes first': {
    kind: 'unexpected',
    says: 'No update and no resolve comes to somebody who never got the page.',
    broken: (evidence) =>
      pageThreads(evidence).flatMap(([name, [first]]) =>
        first && first.event !== 'opened' && !inDoubt(evidence, first)
          ? [`${name}: ${first.event} came without the page`]
          : [],
      ),
  },
  'messages keep their order': {
    kind: 'unexpected',
    says: 'The messages of one incident come to one channel in the order of their sequence numbers.',
    broken: ({ threads }) =>
      [...threads].flatMap(([name, messages]) =>
        messages.some(({ id }, index) => sequenceOf(id) < sequenceOf(messages[index - 1]?.id ?? ':0'))
          ? [`${name}: ${messages.map(({ id }) => sequenceOf(id)).join(', ')}`]
          : [],
      ),
  },
  'nothing follows the resolve': {
    kind: 'unexpected',
    says: 'After its resolve an incident is silent, unless it is opened again.',
    broken: (evidence) =>
      pageThreads(evidence).flatMap(([name, messages]) =>
        messages.flatMap((one, index) => {
          const next = one.event === 'resolved' ? messages[index + 1] : undefined
          const isFine = !next || isPage(next.event) || (next.event === 'resolved' && saidAgain(evidence, one, next))
          return isFine ? [] : [`${name}: ${next.event} came after the resolve`]
        }),
      ),
  },
  'a page has grounds': {
    kind: 'unexpected',
    says: 'No incident stands on what fewer locations saw than the quorum while others saw the target well, nor on looks that were only unknown.',
    broken: ({ world, outcome }) =>
      outcome.incidents.flatMap((one) => {
        const rules = world.town.rules.filter(({ id }) => rulesOf(one).includes(id))
        const lastMs = one.resolvedAtMs ?? one.openedAtMs
        // An alert that joined later is judged by the whole life of its incident.
        const unfounded = rules.filter((rule) => {
          const times = [one.openedAtMs, ...(rules.length > 1 ? [(one.openedAtMs + lastMs) / 2, lastMs] : [])]
          return times.every((atMs) => isUnfounded(world, rule, atMs))
        })
        return unfounded.map(({ id }) => `${one.id}: ${id} has no grounds`)
      }),
  },
  'an alert has one incident': {
    kind: 'unexpected',
    says: 'An alert that `correlate` was told fires is in one open incident, never in two, nor in one that is over.',
    broken: ({ world: { ledger } }) => [...new Set(ledger.homeless)],
  },
  'no row is left': {
    kind: 'stuck',
    says: 'When all is well again nothing is left to be done, and nothing was set aside but what nobody could have done.',
    broken: async ({ world }) => [
      ...(await rowsLeft(world)).map(({ id }) => `row ${id} is left`),
      ...world.ledger.quarantined.filter((id) => id !== poisonId).map((id) => `row ${id} was set aside`),
    ],
  },
  'no incident stays open': {
    kind: 'stuck',
    says: 'When all is well again every incident is resolved, waits for no channel, and every component is operational.',
    broken: async ({ world, outcome }) => unfinished(outcome, (await openNow(world)).late),
  },
  'the board shows the end': {
    kind: 'stuck',
    says: 'The last status that a status page was told of each component is operational.',
    broken: ({ world, first }) => {
      const shown = new Map<string, string>()
      for (const { channel, service, to } of first) if (to !== undefined) shown.set(`${service} on ${channel}`, to)
      const wrong = [...shown].filter(([name, to]) => to !== 'operational' && !world.town.people.includes(name))
      return wrong.map(([name, to]) => `${name} is said to be ${to}`)
    },
  },
  'no alert stays behind': {
    kind: 'stuck',
    says: 'When all is well again no shard, moved or not, holds an alert.',
    broken: async ({ world }) => (await alertsLeft(world)).map((alert) => `${alert} is stuck`),
  },
  'no timer wakes a moved shard': {
    kind: 'stuck',
    says: 'Timer rows name shards of today’s count.',
    broken: async ({ world }) => (await movedTimers(world)).map((id) => `${id} wakes a shard that moved`),
  },
} as const satisfies Record<string, Invariant>

export type InvariantName = keyof typeof all
export const invariants: Readonly<Record<InvariantName, Invariant>> = all
export const invariantNames = Object.keys(all) as InvariantName[] // Object.keys forgets what it was given.

const firstArrivals = (arrivals: readonly Arrival[]): Arrival[] => {
  const seen = new Set<string>()
  return arrivals.filter(({ id }) => !seen.has(id) && seen.add(id))
}

/** Everything that is wrong with how a seed ended. */
export const complaintsOf = async (world: World): Promise<Complaint[]> => {
  const first = firstArrivals(world.ledger.arrivals)
  const threads = Map.groupBy(first, threadOf)
  const evidence: Evidence = { world, outcome: await outcomeOf(world.store), first, threads }
  const found: Complaint[] = []
  for (const invariant of invariantNames) {
    const { kind, broken } = invariants[invariant]
    for (const what of await broken(evidence)) found.push({ kind, invariant, what })
  }
  return found
}
