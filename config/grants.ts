import { channelGrants } from '../channels/registry.ts'
import type { Grant } from './contract.ts'
import type { Config } from './schema.ts'

/** What `deliver` needs of IAM for the channels of a config, each once. */
export const grantsOfChannels = ({ channels }: Config): Grant[] => {
  const all = Object.values(channels).flatMap(channelGrants)
  return [...new Map(all.map((grant) => [`${grant.action} ${grant.resource}`, grant])).values()]
}
