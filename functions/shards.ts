/** FNV-1a, 32 bit: stable for ever, since it names where state lives. */
const hash = (text: string): number => {
  let value = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193)
  return value >>> 0
}

/** Which of `count` shards (a power of two) an id belongs to, as `index/count`: the low bits of its hash. */
export const shardOf = (id: string, count: number): string => `${hash(id) & (count - 1)}/${count}`

/** Every shard of a hub with `count` of them. */
export const allShards = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}/${count}`)

/** The shard this one is split from; undefined for the first. */
export const parentShard = (shard: string): string | undefined => {
  const [index = 0, count = 1] = shard.split('/').map(Number)
  return count === 1 ? undefined : `${index & (count / 2 - 1)}/${count / 2}`
}
