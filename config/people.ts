import { audience, needsTerminal } from '../channels/registry.ts'
import type { Config } from './schema.ts'

/** Channels whose audience is people. */
export const peopleOf = ({ channels }: Pick<Config, 'channels'>): string[] =>
  Object.entries(channels).flatMap(([id, spec]) => (audience(spec) === 'people' ? [id] : []))

/** Channels that reach nobody on AWS, where nobody reads a terminal. */
export const unreadOnAws = ({ channels }: Pick<Config, 'channels'>): string[] =>
  Object.entries(channels).flatMap(([id, spec]) => (needsTerminal(spec) ? [id] : []))

/** Channels that reach people on AWS. */
export const peopleOnAws = (config: Pick<Config, 'channels'>): string[] => {
  const unread = new Set(unreadOnAws(config))
  return peopleOf(config).filter((id) => !unread.has(id))
}

/** Topics that the deployment makes and that the config subscribes nobody to: SNS takes their pages as delivered all the same. */
export const unheardTopics = ({ channels }: Pick<Config, 'channels'>): string[] =>
  Object.entries(channels).flatMap(([id, spec]) =>
    spec.kind === 'sns' && spec.topicArn === undefined && spec.subscriptions.length === 0 ? [id] : [],
  )
