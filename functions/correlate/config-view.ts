import type { Config } from '../../config/schema.ts'
import type { HubView } from './decide.ts'

/** What `correlate` needs to know of the config. `people` are the channels whose audience is people. */
export const hubViewOf = (config: Config, { people }: { people: readonly string[] }): HubView => ({
  routing: { routes: config.routes, people },
  statusChannels: config.statusPage.channels,
  availabilityRules: (service) =>
    Object.entries(config.rules).flatMap(([ruleId, rule]) =>
      rule.kind === 'availability' && rule.service === service && rule.severity === 'page' ? [ruleId] : [],
    ),
})
