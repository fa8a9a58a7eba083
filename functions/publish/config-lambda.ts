import type { ConfigFacts } from '../../config/facts.ts'
import type { Config } from '../../config/schema.ts'
import type { Store } from '../../stores/contract.ts'
import { monitorViewsOf } from '../monitor-views.ts'
import { storedShards } from '../shard-count.ts'
import type { PublishWorld } from './step.ts'

/** What the hub's stack tells the function, besides what it tells all. */
export const publishNeeds = ['WHODUNIT_TABLE', 'WHODUNIT_BUCKETS'] as const

/** What is shown, of as many shards as there are now. */
export const publishConfig =
  (config: Config, facts: ConfigFacts, store: Store) => async (): Promise<PublishWorld['config']> => ({
    title: config.statusPage.title,
    locations: config.locations,
    monitors: monitorViewsOf(config, facts),
    shards: await storedShards(store),
  })
