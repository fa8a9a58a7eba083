import { audience } from '../channels/registry.ts'
import type { Config } from './schema.ts'

/** Channels whose audience is people. */
export const peopleOf = ({ channels }: Pick<Config, 'channels'>): string[] =>
  Object.entries(channels).flatMap(([id, spec]) => (audience(spec) === 'people' ? [id] : []))
