/** One place of a text: does this code point fit? */
export type CharacterTest = (code: number) => boolean

const between =
  (low: number, high: number): CharacterTest =>
  (code) =>
    code >= low && code <= high
export const isWord: CharacterTest = (code) =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39) || code === 0x5f
const isDigit = between(0x30, 0x39)
/** `\s` of RE2 has no vertical tab, `[[:space:]]` has. */
const isBlank: CharacterTest = (code) => code === 0x20 || (code >= 0x09 && code <= 0x0d && code !== 0x0b)
const ascii =
  (pattern: RegExp): CharacterTest =>
  (code) =>
    code < 0x80 && pattern.test(String.fromCharCode(code))

export const not =
  (test: CharacterTest): CharacterTest =>
  (code) =>
    !test(code)

/** `\d` and its like. RE2 means ASCII by them. */
export const perlClasses: Readonly<Record<string, CharacterTest>> = {
  d: isDigit,
  D: not(isDigit),
  s: isBlank,
  S: not(isBlank),
  w: isWord,
  W: not(isWord),
}

/** `[:alpha:]` and its like, which stand inside brackets. */
export const posixClasses: Readonly<Record<string, CharacterTest>> = {
  alnum: ascii(/[A-Za-z0-9]/),
  alpha: ascii(/[A-Za-z]/),
  ascii: between(0, 0x7f),
  blank: ascii(/[\t ]/),
  cntrl: (code) => code < 0x20 || code === 0x7f,
  digit: isDigit,
  graph: between(0x21, 0x7e),
  lower: between(0x61, 0x7a),
  print: between(0x20, 0x7e),
  punct: ascii(/[!-/:-@[-`{-~]/),
  space: (code) => code === 0x20 || (code >= 0x09 && code <= 0x0d),
  upper: between(0x41, 0x5a),
  word: isWord,
  xdigit: ascii(/[0-9A-Fa-f]/),
}

/** A general category or a script, as `\p{Lu}` or `\p{Greek}` name them. */
export const unicodeClass = (name: string): CharacterTest | undefined => {
  if (name === 'Any') return () => true
  for (const property of [`General_Category=${name}`, `Script=${name}`]) {
    try {
      // One character at a time: nothing here can backtrack.
      const pattern = new RegExp(`^\\p{${property}}$`, 'u')
      return (code) => pattern.test(String.fromCodePoint(code))
    } catch {
      // Not a name of this kind.
    }
  }
  return undefined
}

const single = (text: string, otherwise: number): number => {
  const code = text.codePointAt(0) ?? otherwise
  return text.length === String.fromCodePoint(code).length ? code : otherwise
}
const lower = (code: number): number => single(String.fromCodePoint(code).toLowerCase(), code)
const upper = (code: number): number => single(String.fromCodePoint(code).toUpperCase(), code)

/** The test without regard to case: k, K and the Kelvin sign are one. */
export const ignoringCase = (test: CharacterTest): CharacterTest => {
  const variants = (code: number) => [code, lower(code), upper(code), lower(upper(code))]
  return (code) => {
    if (variants(code).some(test)) return true
    // The two letters of ASCII that have a third form.
    const folded = lower(upper(code))
    return (folded === 0x6b && test(0x212a)) || (folded === 0x73 && test(0x17f))
  }
}

export const range = between
