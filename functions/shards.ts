const encoder = new TextEncoder()

/** Ids are ASCII, whose characters are their bytes: no need to encode each of them at every tick. */
const bytesOf = (text: string): Uint8Array | undefined => {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return encoder.encode(text)
  return undefined
}

/** FNV-1a, 32 bit: stable for ever, since it names where state lives. */
export const hash = (text: string): number => {
  let value = 0x811c9dc5
  const bytes = bytesOf(text)
  const length = bytes?.length ?? text.length
  for (let index = 0; index < length; index++) {
    value = Math.imul(value ^ (bytes?.[index] ?? text.charCodeAt(index)), 0x01000193)
  }
  return value >>> 0
}

/** Which of `count` shards (a power of two) an id belongs to, as `index/count`: the low bits of its hash. */
export const shardOf = (id: string, count: number): string => `${hash(id) & (count - 1)}/${count}`

/** Every shard of a hub with `count` of them. */
export const allShards = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}/${count}`)

const parts = (shard: string): { index: number; count: number } | undefined => {
  const [, index, count] = /^(\d{1,4})\/(\d{1,4})$/.exec(shard) ?? []
  return index === undefined ? undefined : { index: Number(index), count: Number(count) }
}

/** How many shards there are where a shard is called so; 0 when it is no shard's name. */
export const countOfShard = (shard: string): number => parts(shard)?.count ?? 0

/** Where a shard stands among all of its count: 0 for the first, always below 1. */
export const placeOf = (shard: string): number => {
  const { index = 0, count = 1 } = parts(shard) ?? {}
  return index / count
}

/** The shard this one is split from; undefined for the first. */
export const parentShard = (shard: string): string | undefined => {
  const { index = 0, count = 1 } = parts(shard) ?? {}
  return count === 1 ? undefined : `${index & (count / 2 - 1)}/${count / 2}`
}

/** All that a shard may be split from, the nearest first. */
export const ancestors = (shard: string): string[] => {
  const parent = parentShard(shard)
  return parent === undefined ? [] : [parent, ...ancestors(parent)]
}

/** Is it that shard, or a part of what that was before it was split? */
export const isPartOf = (shard: string, whole: string): boolean => shard === whole || ancestors(shard).includes(whole)

/** The shards of another count that share ids with this one: those it is split into, or the one it came from. */
export const kinOf = (shard: string, count: number): string[] => {
  const named = parts(shard)
  if (!named) return []
  if (count <= named.count) return [`${named.index & (count - 1)}/${count}`]
  return Array.from({ length: count / named.count }, (_, nth) => `${named.index + nth * named.count}/${count}`)
}
