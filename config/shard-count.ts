import type { Config } from './schema.ts'

/**
 * So many monitors a shard on average. Its items hold a third more with every one of them failing, since hashes do not
 * spread ids evenly: the fullest of 1024 such shards has about 310.
 */
const monitorsPerShard = 250
export const shardsLimit = 1024

/** How many shards so many monitors need: a power of two. */
export const shardsNeeded = (monitors: number): number =>
  Math.min(shardsLimit, 2 ** Math.ceil(Math.log2(Math.max(1, monitors / monitorsPerShard))))

/**
 * How many shards a config asks for: as many as it says, or as its monitors need, or its objectives over counters, of which
 * an item holds no more.
 */
export const shardsWanted = ({ shards, monitors, rules }: Pick<Config, 'shards' | 'monitors' | 'rules'>): number => {
  const counted = Object.values(rules).filter((rule) => rule.kind === 'slo' && rule.series !== undefined).length
  return Math.max(shards, shardsNeeded(Math.max(Object.keys(monitors).length, counted)))
}
