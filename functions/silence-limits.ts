import type { Silence } from './hub-state.ts'
import { jsonBytes } from './json-bytes.ts'

/** More at once than anybody can keep an eye on; all of them are one item. */
export const silencesKept = 100
/** The rest of the item is for what they hide. */
const silencesKeptBytes = 48_000

/** Can so many, and so long ones, be kept? */
export const canKeep = (silences: readonly Omit<Silence, 'hid' | 'hidCount'>[]): boolean => {
  if (silences.length > silencesKept) return false
  const bare = silences.map((one) => ({ ...one, hid: [], hidCount: 0 }))
  return jsonBytes(bare) <= silencesKeptBytes
}
