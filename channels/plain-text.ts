/**
 * Text from logs and targets made harmless: one line, nothing that moves a cursor, hides or reorders what follows.
 * Pure, so every rendering of one message is byte for byte the same.
 */

/** Colour and weight only (CSI … m): taking these out loses no information. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what this is about
const styling = /(?:\u001b\[|\u009b)[0-9;:]*m/g
/** Everything that is not seen as itself: controls, bidi and zero-width marks, tags. U+200D joins emoji and stays. */
const unseen =
  /[\p{Cc}\p{Noncharacter_Code_Point}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu
/** Marks piled on one letter until they cover the lines around it. */
const stacked = /(\p{M}{4})\p{M}+/gu

const visible = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}

/** What is looked at of a text before it is cut: enough for `limit` characters, however much styling is in it. */
const lookAt = (limit: number): number => limit * 4 + 256

/**
 * One harmless line of at most `limit` UTF-16 units. Runs of white space, line ends too, become one space; styling
 * goes; other control, bidi and invisible characters are written as `\x1b` or `\u{202e}`. What was cut ends with "…".
 */
export const oneLine = (text: string, limit: number): string => {
  const start = text.slice(0, lookAt(limit)).toWellFormed()
  const plain = start.replace(styling, '').replace(/\s+/g, ' ').trim().replace(unseen, visible).replace(stacked, '$1…')
  return text.length > start.length && plain.length <= limit ? `${cut(plain, limit - 1)}…` : shorten(plain, limit)
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
const graphemes = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment)

/** Cuts between characters a person sees as one, never inside a surrogate pair or an emoji. */
const cut = (text: string, limit: number): string => {
  if (text.length <= limit) return text
  let kept = ''
  for (const grapheme of graphemes(text.slice(0, limit + 64))) {
    if (kept.length + grapheme.length > limit) break
    kept += grapheme
  }
  return kept
}

/** At most `limit` UTF-16 units; what was cut ends with "…". */
export const shorten = (text: string, limit: number): string =>
  text.length <= limit ? text : `${cut(text, Math.max(0, limit - 1)).trimEnd()}…`

const wide =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u
const asciiOnly = /^[\x20-\x7e]*$/

/** Columns a terminal gives to a text without control characters: East Asian wide characters and emoji take two. */
export const columns = (text: string): number =>
  asciiOnly.test(text)
    ? text.length
    : graphemes(text).reduce((sum, grapheme) => sum + (wide.test(grapheme) ? 2 : /^\p{M}+$/u.test(grapheme) ? 0 : 1), 0)

/** Breaks a word that is wider than a line. */
const pieces = (word: string, width: number): string[] => {
  if (columns(word) <= width) return [word]
  const parts: string[] = []
  let part = ''
  let taken = 0
  for (const grapheme of graphemes(word)) {
    const needs = columns(grapheme)
    if (taken + needs > width && part !== '') {
      parts.push(part)
      part = ''
      taken = 0
    }
    part += grapheme
    taken += needs
  }
  return [...parts, part]
}

/** How a paragraph is laid out: what its first and its other lines begin with. */
export type Paragraph = { width: number; first: string; rest: string }

/** Wraps one harmless line at `width` columns; a word wider than a line is broken. No line ends with a space. */
export const wrap = (text: string, layout: Paragraph): string[] => {
  const room = Math.max(8, layout.width - Math.max(columns(layout.first), columns(layout.rest)))
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((each) => pieces(each, room))) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && columns(longer) > room) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line].map((each, at) => `${at === 0 ? layout.first : layout.rest}${each}`.trimEnd())
}

/** Printable ASCII only, as an SNS subject or an SMS in one alphabet wants it: accents go, "…" is written out. */
export const ascii = (text: string): string =>
  text
    .replaceAll('…', '...')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[‘’]/g, "'")
    .replace(/[“”]/g, '"')
    .replace(/[‐-―]/g, '-')
    .replace(/[^\x20-\x7e]/gu, '?')

/** UTC, as a person reads it: `2026-11-23 03:12:09 UTC`. */
export const utcTime = (atMs: number): string => `${isoTime(atMs).slice(0, 19).replace('T', ' ')} UTC`

/** ISO 8601; a time no calendar knows is the epoch's end of range rather than an exception. */
export const isoTime = (atMs: number): string => {
  const latest = 8.64e15
  return new Date(Math.min(latest, Math.max(-latest, Number.isNaN(atMs) ? 0 : atMs))).toISOString()
}

/** The two largest units: `42 s`, `3 min 5 s`, `2 h 10 min`, `4 d 1 h`. A negative duration is none. */
export const duration = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24]
  const [minutes, rest] = [Math.floor(seconds / 60) % 60, seconds % 60]
  if (days > 0) return hours > 0 ? `${days} d ${hours} h` : `${days} d`
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`
  if (minutes > 0) return rest > 0 ? `${minutes} min ${rest} s` : `${minutes} min`
  return `${rest} s`
}
