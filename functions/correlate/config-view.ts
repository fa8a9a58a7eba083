import type { Config } from '../../config/schema.ts'
import type { HubView } from './decide.ts'

/** Page rules by the service whose availability they judge, sorted once: every alert of a storm asks for them. */
const availabilityRulesOf = (config: Config): HubView['availabilityRules'] => {
  const all = Object.entries(config.rules).flatMap(([ruleId, rule]) =>
    rule.kind === 'availability' && rule.severity === 'page' ? [{ ruleId, service: rule.service }] : [],
  )
  const sorted = Map.groupBy(all, ({ service }) => service)
  return (service) => (sorted.get(service) ?? []).map(({ ruleId }) => ruleId)
}

/** What `correlate` needs to know of the config. `people` are the channels whose audience is people. */
export const hubViewOf = (config: Config, { people }: { people: readonly string[] }): HubView => ({
  routing: { routes: config.routes, people },
  statusChannels: config.statusPage.channels,
  availabilityRules: availabilityRulesOf(config),
})
