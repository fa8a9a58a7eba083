/** The table's size at first, and how far it grows while it does not suffice. Powers of two. */
const fewSlots = 1 << 9
const mostSlots = 1 << 15

const isSame = (bytes: Buffer, start: number, text: string): boolean => {
  for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text.charCodeAt(at)) return false
  return true
}

/** The text of the ASCII bytes from `start` to `end`; `hash` is theirs. */
export type TextOf = (bytes: Buffer, start: number, end: number, hash: number) => string

/**
 * Keeps the label values seen lately, so that a value which stands in many lines is one string in memory. A newer
 * value takes an older one's slot: the table cannot grow past its limit, whatever arrives, and a bad hash costs a new
 * string, nothing else.
 */
export const createRecentTexts = (): TextOf => {
  let texts: (string | undefined)[] = new Array(fewSlots).fill(undefined)
  let added = 0
  return (bytes, start, end, hash) => {
    const slot = (hash ^ (hash >>> 15)) & (texts.length - 1)
    const known = texts[slot]
    if (known !== undefined && known.length === end - start && isSame(bytes, start, known)) return known
    const text = bytes.toString('latin1', start, end)
    texts[slot] = text
    added += 1
    if (added > texts.length && texts.length < mostSlots) {
      texts = new Array(texts.length * 8).fill(undefined)
      added = 0
    }
    return text
  }
}
