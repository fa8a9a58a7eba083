import { involvedServices } from '../../config/contract.ts'
import type { Config } from '../../config/schema.ts'
import { matchable } from '../alert-labels.ts'
import { freshForMs } from '../freshness.ts'
import { isWithin } from '../hours.ts'
import { maintenanceAt } from '../maintenance.ts'
import { hash } from '../shards.ts'
import type { HubView } from './hub.ts'

/** Nothing looks at such a service from outside, so its alerts come from rules; two minutes are a few of their runs. */
const settleMs = 120_000

/** Page rules by the service whose availability they judge, sorted once: every alert of a storm asks for them. */
const availabilityRulesOf = (config: Config): HubView['availabilityRules'] => {
  const all = Object.entries(config.rules).flatMap(([ruleId, rule]) =>
    rule.kind === 'availability' && rule.severity === 'page' ? [{ ruleId, service: rule.service }] : [],
  )
  const sorted = Map.groupBy(all, ({ service }) => service)
  return (service) => (sorted.get(service) ?? []).map(({ ruleId }) => ruleId)
}

/** What `correlate` needs to know of the config. `people` are the channels whose audience is people. */
export const hubViewOf = (config: Config, { people }: { people: readonly string[] }): HubView => {
  const needed = new Map(
    Object.keys(config.services).map((service) => {
      const involved = involvedServices(config.services, service).map((one) => one.service)
      return [service, involved.filter((one) => one !== service)]
    }),
  )
  const teamOf = (service: string) => config.services[service]?.owner?.team
  const periods = Map.groupBy(Object.values(config.monitors), ({ service }) => service)
  const { by, reopenSeconds, stormIncidents, updateEverySeconds } = config.grouping
  return {
    routing: { routes: config.routes, people, fallback: config.fallbackChannel, teamOf, isWithin },
    statusChannels: config.statusPage.channels,
    isChannel: (channel) => Object.hasOwn(config.channels, channel),
    isService: (service) => Object.hasOwn(config.services, service),
    availabilityRules: availabilityRulesOf(config),
    labelsOf: (change) => {
      const team = teamOf(change.service)
      return { ...matchable(change), ...(team === undefined ? {} : { team }) }
    },
    dependenciesOf: (service) => needed.get(service) ?? [],
    settleMs: (service) =>
      Math.max(settleMs, ...(periods.get(service) ?? []).map(({ periodSeconds }) => freshForMs(periodSeconds))),
    inhibit: config.inhibit.map((rule) => ({ id: hash(JSON.stringify(rule)).toString(36), ...rule })),
    maintenanceAt: (nowMs) => maintenanceAt(config.maintenance, nowMs),
    grouping: { by, reopenMs: reopenSeconds * 1000, stormIncidents, updateEveryMs: updateEverySeconds * 1000 },
  }
}
