import { audience } from '../../channels/registry.ts'
import type { Config } from '../../config/schema.ts'
import type { HubView } from './decide.ts'

/** What `correlate` needs to know of the config. */
export const hubView = (config: Config): HubView => ({
  routing: {
    routes: config.routes,
    people: Object.entries(config.channels).flatMap(([id, spec]) => (audience(spec) === 'people' ? [id] : [])),
  },
  statusChannels: config.statusPage.channels,
  availabilityRules: (service) =>
    Object.entries(config.rules).flatMap(([ruleId, rule]) =>
      rule.kind === 'availability' && rule.service === service && rule.severity === 'page' ? [ruleId] : [],
    ),
})
