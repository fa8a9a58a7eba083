import { channelGrants } from '../channels/registry.ts'
import { sourceGrants } from '../sources/registry.ts'
import type { Grant } from './contract.ts'
import type { Config } from './schema.ts'

const distinct = (grants: readonly Grant[]): Grant[] => [
  ...new Map(grants.map((grant) => [`${grant.action} ${grant.resource}`, grant])).values(),
]

/** What `deliver` needs of IAM for the channels of a config, each once. */
export const grantsOfChannels = ({ channels }: Config): Grant[] =>
  distinct(Object.values(channels).flatMap(channelGrants))

/** What `scrape` and `triage` need of IAM for the sources of a config, each once. */
export const grantsOfSources = ({ clusters }: Config): Grant[] =>
  distinct(Object.values(clusters).flatMap(({ sources }) => sources.flatMap(sourceGrants)))
