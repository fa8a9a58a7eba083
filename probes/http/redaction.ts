/** Replaces what must not be shown. */
export type Redact = (text: string) => string

/** A part of a secret that is shorter than this is too common a text to be recognised as one. */
const partLength = 6

const decodedBasic = (credentials: string): string[] => {
  const decoded = Buffer.from(credentials, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  return colon < 0 ? [] : [decoded, decoded.slice(colon + 1)]
}

/** `Bearer abc` is also known by `abc`, and `Basic …` by the password in it. */
const partsOf = (value: string): string[] => {
  const [, scheme = '', credentials = ''] = /^(\S+)\s+(\S.*)$/s.exec(value) ?? []
  const basic = scheme.toLowerCase() === 'basic' ? decodedBasic(credentials) : []
  return [credentials, ...basic].filter((part) => part.length >= partLength)
}

/** How a target may send a text back: as it is, in JSON, in an address, in HTML. */
const writingsOf = (text: string): string[] => [
  text,
  JSON.stringify(text).slice(1, -1),
  encodeURIComponent(text.toWellFormed()),
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
]

/**
 * Hides secrets in whatever a target says: many echo the headers they were sent. `secrets` are the values by what to
 * show in their place.
 */
export const redactor = (secrets: ReadonlyMap<string, string>): Redact => {
  const hidden = [...secrets].flatMap(([value, shown]) =>
    [value, ...partsOf(value)].flatMap((part) => writingsOf(part).map((writing) => ({ writing, shown }))),
  )
  // The longest first, so that none is cut in two by a part of itself.
  const ordered = hidden.filter(({ writing }) => writing !== '').sort((a, b) => b.writing.length - a.writing.length)
  return (text) => ordered.reduce((left, { writing, shown }) => left.replaceAll(writing, () => `[${shown}]`), text)
}

/** Hides secrets in every text of a value. */
export const redacted = <T>(value: T, redact: Redact): T => {
  const walk = (part: unknown): unknown => {
    if (typeof part === 'string') return redact(part)
    if (Array.isArray(part)) return part.map(walk)
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, walk(inner)]))
  }
  // `as`: the same shape with other texts in it.
  return walk(value) as T
}
