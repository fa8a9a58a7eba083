/** The generated world of one seed: what there is to watch, from where, who is told, and what breaks when. */
import type { Route, Severity } from '../../config/contract.ts'
import type { RuleView } from '../../functions/evaluate/decide.ts'
import { shardOf } from '../../functions/shards.ts'
import { judge, type RuleSpec } from '../../rules/registry.ts'
import type { Dice } from './dice.ts'
import { type Trouble, troublesOf, twiceBroken } from './troubles.ts'
import { type Wishes, wishesOf } from './wishes.ts'

export type Service = { id: string; dependsOn: readonly string[] }
export type Monitor = { id: string; service: string; locations: readonly string[]; periodSeconds: number }
export type TownRule = { id: string; monitor: Monitor; severity: Severity; spec: RuleSpec }

export type Town = {
  locations: readonly string[]
  /** How far each location's clock is ahead of the true time. */
  skewMs: Readonly<Record<string, number>>
  services: readonly Service[]
  monitors: readonly Monitor[]
  rules: readonly TownRule[]
  people: readonly string[]
  statusChannels: readonly string[]
  routes: readonly Route[]
  grouping: { by: readonly string[]; stormIncidents: number }
  wishes: Wishes
  troubles: readonly Trouble[]
  /** The numbers of shards that configs ask for, one after the other; the last may have forgotten the ones before. */
  deployments: readonly number[]
}

const everywhere = ['eu-central-1', 'us-east-1', 'ap-southeast-2', 'sa-east-1', 'ap-northeast-1'] as const
const serviceNames = ['database', 'queue', 'users', 'catalog', 'cart', 'till', 'search', 'shop'] as const

/** Each may depend on those before it, so that there is no circle; all but the first few do. */
const servicesOf = (dice: Dice): Service[] =>
  serviceNames.slice(0, dice.between(5, serviceNames.length + 1)).map((id, index) => ({
    id,
    dependsOn: index < 2 ? [] : dice.some(serviceNames.slice(0, index), dice.between(1, 3)),
  }))

const monitorsOf = (dice: Dice, services: readonly Service[], locations: readonly string[]): Monitor[] => {
  const count = dice.between(20, 23)
  // A tick is what costs: seldom towns tell as much in a second of our time as busy ones.
  const usual = dice.pick([60, 120, 120, 300, 300, 300])
  const odd = dice.pick([30, 60, 120, 300])
  // Not one of them in most towns: each period is a schedule of its own in every location and shard.
  const odds = dice.oneIn(4) ? dice.between(1, 4) : 0
  return Array.from({ length: count }, (_, index) => ({
    id: `m${index}`,
    service: services[index % services.length]?.id ?? '',
    locations: dice.oneIn(8) ? dice.some(locations, 3) : locations,
    periodSeconds: index < odds ? odd : usual,
  }))
}

const ruleOf = (dice: Dice, monitor: Monitor): TownRule => {
  const severity = dice.oneIn(6) ? 'ticket' : 'page'
  const quorum = dice.oneIn(4) ? { quorum: dice.between(2, monitor.locations.length + 1) } : {}
  const [failureThreshold, successThreshold] = [dice.pick([2, 3, 3]), dice.pick([1, 1, 2])]
  const fields = { monitor: monitor.id, severity, failureThreshold, successThreshold, ...quorum } as const
  return { id: `${monitor.id}-down`, monitor, severity, spec: { kind: 'availability', ...fields } }
}

const blindRule = (monitor: Monitor): TownRule => ({
  id: `${monitor.id}-blind`,
  monitor,
  severity: 'page',
  spec: { kind: 'absence', monitor: monitor.id, severity: 'page', forSeconds: 120 + monitor.periodSeconds },
})

/** Stays on when the page of its monitor is over, as a spent budget does: what fails then again must page again. */
const slowRule = (monitor: Monitor): TownRule => {
  const spec = { kind: 'availability', monitor: monitor.id, severity: 'ticket' } as const
  const successThreshold = Math.max(1, Math.floor(360 / monitor.periodSeconds))
  return {
    id: `${monitor.id}-slow`,
    monitor,
    severity: 'ticket',
    spec: { ...spec, failureThreshold: 2, successThreshold },
  }
}

const routesOf = (dice: Dice, services: readonly Service[]): Town['routes'] => {
  const special = dice.some(
    services.map(({ id }) => id),
    1,
  )
  const escalation = () => (dice.oneIn(2) ? { escalateAfterSeconds: dice.between(2, 11) * 60 } : {})
  return [
    ...(dice.oneIn(2) ? [{ severities: ['ticket' as const], channels: ['mail'] }] : []),
    ...(dice.oneIn(2) ? [{ services: special, channels: ['chat', 'mail'], ...escalation() }] : []),
    { channels: dice.oneIn(3) ? ['pager'] : ['pager', 'chat'], ...escalation() },
    ...(dice.oneIn(2) ? [{ channels: ['boss'] }] : []),
  ]
}

const growths: readonly [readonly number[], ...(readonly number[])[]] = [[2], [4], [2, 4], [4, 1], [2, 1]]

/** Half of the clocks are right to a second, some are half a minute off, and one of them may be worse. */
const skewOf = (dice: Dice) => (dice.oneIn(2) ? 0 : dice.between(-20_000, 20_000) * (dice.oneIn(8) ? 4 : 1))

export const townOf = (dice: Dice): Town => {
  const locations = dice.some(everywhere, dice.oneIn(5) ? 4 : 3)
  const services = servicesOf(dice)
  const monitors = monitorsOf(dice, services, locations)
  const watched = dice.some(monitors, dice.between(1, 4))
  const town: Town = {
    locations,
    skewMs: Object.fromEntries(locations.map((location) => [location, skewOf(dice)])),
    services,
    monitors,
    rules: [...monitors.map((monitor) => ruleOf(dice, monitor)), ...watched.map(blindRule)],
    people: ['pager', 'chat', 'mail', 'boss'],
    statusChannels: dice.oneIn(4) ? ['board', 'mirror'] : ['board'],
    routes: routesOf(dice, services),
    troubles: troublesOf(dice, { locations, services, monitors, watched }),
    grouping: {
      by: dice.pick([['service'], ['service'], ['service', 'severity'], ['alertname']]),
      stormIncidents: dice.pick([3, 5]),
    },
    wishes: wishesOf(dice, services),
    deployments: dice.oneIn(3) ? dice.pick(growths) : [],
  }
  const slow = dice.oneIn(3) ? dice.some(monitors, dice.between(1, 4)) : []
  const twice = dice.oneIn(2) ? twiceBroken(dice, { locations, monitors: slow }) : []
  return { ...town, rules: [...town.rules, ...slow.map(slowRule)], troubles: [...town.troubles, ...twice] }
}

const monitorOfRule = (ruleId: string) => ruleId.replace(/-(down|blind|slow)$/, '')

/** Where monitors and rules live, as `evaluate` asks. */
export const home = {
  monitor: shardOf,
  rule: (id: string, count: number) => shardOf(monitorOfRule(id), count),
}

/** The rules of a shard as `evaluate` sees them; sorted once for each shard. */
export const rulesIn = ({ rules }: Town): ((shard: string) => readonly RuleView[]) => {
  const known = new Map<string, RuleView[]>()
  const views = rules.map(({ id, monitor, severity, spec }): RuleView => {
    const { service, locations, periodSeconds } = monitor
    const looks = { monitorId: monitor.id, locations, periodSeconds }
    return { ruleId: id, alertId: id, service, severity, monitor: looks, judge: (facts) => judge(spec, facts) }
  })
  return (shard) => {
    const found =
      known.get(shard) ?? views.filter(({ ruleId }) => home.rule(ruleId, Number(shard.split('/')[1])) === shard)
    known.set(shard, found)
    return found
  }
}
