import {
  type CharacterTest,
  ignoringCase,
  not,
  perlClasses,
  posixClasses,
  range,
  unicodeClass,
} from './regex-characters.ts'

export type Assertion = 'start' | 'end' | 'line-start' | 'line-end' | 'word' | 'no-word'

/** What a pattern says, as a tree. */
export type Pattern =
  | { kind: 'character'; test: CharacterTest }
  | { kind: 'assertion'; at: Assertion }
  | { kind: 'sequence'; parts: Pattern[] }
  | { kind: 'choice'; branches: Pattern[] }
  | { kind: 'repeat'; of: Pattern; min: number; max: number }

/** The pattern is not RE2's, or larger than we take. */
export class RegexError extends Error {
  override name = 'RegexError'
}

type Flags = { i: boolean; s: boolean; m: boolean }
type Reader = { text: string; at: number; flags: Flags; depth: number }

/** RE2's own limit on counted repetition, and a depth no pattern written by a person has. */
const repeatLimit = 1000
const depthLimit = 100

const fail = (why: string): never => {
  throw new RegexError(why)
}

const peek = ({ text, at }: Reader): string => {
  const code = text.codePointAt(at)
  return code === undefined ? '' : String.fromCodePoint(code)
}
const take = (reader: Reader): string => {
  const character = peek(reader)
  reader.at += character.length
  return character
}
const takeText = (reader: Reader, text: string): boolean => {
  if (!reader.text.startsWith(text, reader.at)) return false
  reader.at += text.length
  return true
}
const takeMatch = (reader: Reader, pattern: RegExp): RegExpExecArray | undefined => {
  pattern.lastIndex = reader.at
  const match = pattern.exec(reader.text)
  if (match === null) return undefined
  reader.at += match[0].length
  return match
}

const cased = (reader: Reader, test: CharacterTest): CharacterTest => (reader.flags.i ? ignoringCase(test) : test)
const codeOf = (character: string): number => character.codePointAt(0) ?? 0
const literal = (reader: Reader, code: number): Pattern => ({
  kind: 'character',
  test: cased(reader, (other) => other === code),
})

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }

/** An escape that means one character; the reader stands behind the backslash. */
const escapedCode = (reader: Reader): number => {
  const octal = takeMatch(reader, /0[0-7]{0,2}|[1-7][0-7]{1,2}/y)
  if (octal) return Number.parseInt(octal[0], 8)
  const hex = takeMatch(reader, /x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\})/y)
  if (hex) {
    const code = Number.parseInt(hex[1] ?? hex[2] ?? '', 16)
    return code <= 0x10ffff ? code : fail('a character beyond U+10FFFF')
  }
  const character = take(reader)
  const control = Object.hasOwn(controls, character) ? controls[character] : undefined
  if (control !== undefined) return control
  // Punctuation always stands for itself; letters and digits only where they mean something.
  return /^[!-/:-@[-`{-~]$/.test(character) ? codeOf(character) : fail(`the escape \\${character}`)
}

/** A class outside or inside brackets: `\d`, `\pL`, `\P{Greek}`; the reader stands behind the backslash. */
const escapedClass = (reader: Reader): CharacterTest | undefined => {
  const letter = peek(reader)
  if (Object.hasOwn(perlClasses, letter)) {
    take(reader)
    return perlClasses[letter]
  }
  const named = takeMatch(reader, /([pP])(?:\{(\^?)(\w+)\}|(\w))/y)
  if (named === undefined) return undefined
  const name = named[3] ?? named[4] ?? ''
  const test = unicodeClass(name) ?? fail(`the class \\p{${name}}`)
  return (named[1] === 'P') !== (named[2] === '^') ? not(test) : test
}

const bracketItem = (reader: Reader): CharacterTest => {
  const posix = takeMatch(reader, /\[:(\^?)(\w*):\]/y)
  if (posix) {
    const name = posix[2] ?? ''
    const test = (Object.hasOwn(posixClasses, name) ? posixClasses[name] : undefined) ?? fail(`the class [:${name}:]`)
    return posix[1] === '^' ? not(test) : test
  }
  const code = () => (takeText(reader, '\\') ? escapedCode(reader) : codeOf(take(reader)))
  if (peek(reader) === '\\') {
    reader.at += 1
    const test = escapedClass(reader)
    if (test !== undefined) return test
    reader.at -= 1
  }
  const low = code()
  if (!/^-[^\]]/su.test(reader.text.slice(reader.at, reader.at + 3))) return range(low, low)
  reader.at += 1
  const high = code()
  return high >= low ? range(low, high) : fail('a range of characters from high to low')
}

/** `[…]`; the reader stands behind the opening bracket. */
const brackets = (reader: Reader): Pattern => {
  const negated = takeText(reader, '^')
  const tests: CharacterTest[] = []
  while (tests.length === 0 || peek(reader) !== ']') {
    if (peek(reader) === '') fail('"[" without "]"')
    tests.push(bracketItem(reader))
  }
  take(reader)
  const test = cased(reader, (code) => tests.some((item) => item(code)))
  return { kind: 'character', test: negated ? not(test) : test }
}

const assertions: Readonly<Record<string, Assertion>> = { A: 'start', z: 'end', b: 'word', B: 'no-word' }

const escaped = (reader: Reader): Pattern => {
  const letter = peek(reader)
  const at = Object.hasOwn(assertions, letter) ? assertions[letter] : undefined
  if (at !== undefined) {
    take(reader)
    return { kind: 'assertion', at }
  }
  if (takeText(reader, 'Q')) {
    const end = reader.text.indexOf('\\E', reader.at)
    const quoted = reader.text.slice(reader.at, end === -1 ? undefined : end)
    reader.at = end === -1 ? reader.text.length : end + 2
    return { kind: 'sequence', parts: [...quoted].map((character) => literal(reader, codeOf(character))) }
  }
  const test = escapedClass(reader)
  return test === undefined ? literal(reader, escapedCode(reader)) : { kind: 'character', test: cased(reader, test) }
}

/** Behind `(`. Flags without a colon hold to the end of the group they stand in. */
const group = (reader: Reader): Pattern => {
  const before = { ...reader.flags }
  const flags = takeMatch(reader, /\?(?=[imsU-])([imsU]*)(?:-([imsU]+))?([:)])/y)
  if (flags) {
    const [, on = '', off = '', end] = flags
    for (const flag of ['i', 'm', 's'] as const) {
      if (on.includes(flag)) reader.flags[flag] = true
      if (off.includes(flag)) reader.flags[flag] = false
    }
    if (end === ')') return { kind: 'sequence', parts: [] }
  } else if (!takeMatch(reader, /\?(?::|P?<\w+>)/y) && peek(reader) === '?') fail('a group RE2 does not know')
  reader.depth += 1
  if (reader.depth > depthLimit) fail(`groups more than ${depthLimit} deep`)
  const inner = choice(reader)
  if (!takeText(reader, ')')) fail('"(" without ")"')
  reader.depth -= 1
  reader.flags = before
  return inner
}

const atom = (reader: Reader): Pattern => {
  const { flags } = reader
  const character = take(reader)
  switch (character) {
    case '(':
      return group(reader)
    case '[':
      return brackets(reader)
    case '\\':
      return escaped(reader)
    case '.':
      return { kind: 'character', test: flags.s ? () => true : (code) => code !== 0x0a }
    case '^':
      return { kind: 'assertion', at: flags.m ? 'line-start' : 'start' }
    case '$':
      return { kind: 'assertion', at: flags.m ? 'line-end' : 'end' }
    case '*':
    case '+':
    case '?':
      return fail(`nothing to repeat before "${character}"`)
    default:
      return literal(reader, codeOf(character))
  }
}

const counts: Readonly<Record<string, readonly [number, number]>> = {
  '*': [0, Number.POSITIVE_INFINITY],
  '+': [1, Number.POSITIVE_INFINITY],
  '?': [0, 1],
}

const repeatCount = (reader: Reader): readonly [number, number] | undefined => {
  const short = counts[peek(reader)]
  if (short !== undefined) {
    take(reader)
    return short
  }
  const counted = takeMatch(reader, /\{(\d{1,5})(,(\d{1,5})?)?\}/y)
  if (counted === undefined) return undefined
  const min = Number(counted[1])
  const max = counted[2] === undefined ? min : Number(counted[3] ?? Number.POSITIVE_INFINITY)
  if (min > repeatLimit || (max > repeatLimit && max !== Number.POSITIVE_INFINITY) || max < min) {
    fail(`the repeat ${counted[0]}`)
  }
  return [min, max]
}

const repeated = (reader: Reader): Pattern => {
  const of = atom(reader)
  const count = repeatCount(reader)
  if (count === undefined) return of
  // Greedy or not, the same texts match.
  takeText(reader, '?')
  if (repeatCount(reader) !== undefined) fail('a repeat of a repeat')
  const [min, max] = count
  return { kind: 'repeat', of, min, max }
}

const choice = (reader: Reader): Pattern => {
  const branches: Pattern[] = []
  do {
    const parts: Pattern[] = []
    while (!['', '|', ')'].includes(peek(reader))) parts.push(repeated(reader))
    branches.push({ kind: 'sequence', parts })
  } while (takeText(reader, '|'))
  return { kind: 'choice', branches }
}

/**
 * Reads a pattern in RE2's syntax (https://github.com/google/re2/wiki/Syntax) with `.` matching line breaks, as
 * Prometheus 3 compiles its matchers.
 *
 * @throws RegexError
 */
export const parsePattern = (text: string): Pattern => {
  const reader: Reader = { text, at: 0, flags: { i: false, s: true, m: false }, depth: 0 }
  const pattern = choice(reader)
  return reader.at === text.length ? pattern : fail('")" without "("')
}
