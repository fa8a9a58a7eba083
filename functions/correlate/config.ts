import { peopleOf } from '../../config/people.ts'
import type { Config } from '../../config/schema.ts'
import { hubViewOf } from './config-view.ts'
import type { HubView } from './hub.ts'

/** What `correlate` needs to know of the config. */
export const hubView = (config: Config): HubView => hubViewOf(config, { people: peopleOf(config) })
