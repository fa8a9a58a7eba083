/**
 * So many monitors a shard on average. Its items hold a third more with every one of them failing, since hashes do not
 * spread ids evenly: the fullest of 1024 such shards has about 310.
 */
const monitorsPerShard = 250
const shardsLimit = 1024

/** How many shards so many monitors need: a power of two. */
export const shardsNeeded = (monitors: number): number =>
  Math.min(shardsLimit, 2 ** Math.ceil(Math.log2(Math.max(1, monitors / monitorsPerShard))))
