import { type Document, visit, type YAMLError } from 'yaml'

/** What is wrong with the text of a YAML file, at an offset into it. Never quotes the file: it may hold a secret. */
export type SyntaxMistake = { code: string; message: string; hint?: string; offset: number }

/** One mistake early in a file makes the parser see many; beyond these they are echoes. */
const syntaxLimit = 10

type Wording = { code: string; library: RegExp; message: string; hint?: string }

/** The parser's errors in our words, the first that fits; its own may quote the file. */
const wordings: readonly Wording[] = [
  {
    code: 'TAB_AS_INDENT',
    library: /./,
    message: 'a tab cannot indent YAML',
    hint: 'indent with spaces',
  },
  {
    code: 'BAD_INDENT',
    library: /must start at the same column/,
    message: 'wrong indentation: the entries of one map or list must start at the same column',
    hint: 'line this up with the entries above it',
  },
  {
    code: 'BAD_INDENT',
    library: /sufficiently indented and end with/,
    message: 'a [ or { before this is never closed',
    hint: 'close it with ] or }, or indent what belongs to it',
  },
  { code: 'BAD_INDENT', library: /./, message: 'wrong indentation' },
  {
    code: 'MULTIPLE_DOCS',
    library: /./,
    message: 'a second document starts here (---); a config is one document',
    hint: 'remove the --- or give each document a file of its own',
  },
  {
    code: 'MISSING_CHAR',
    library: /Missing closing/,
    message: 'this quoted text is never closed',
    hint: 'close it with the same quote it starts with',
  },
  {
    code: 'MISSING_CHAR',
    library: /Missing , or :|Missing , between/,
    message: 'a comma is missing between two entries',
  },
  { code: 'MISSING_CHAR', library: /Missing space after :/, message: 'a space is missing after the colon' },
  {
    code: 'MISSING_CHAR',
    library: /Implicit map keys need to be followed/,
    message: 'a key without a colon and value behind it',
    hint: 'write key: value',
  },
  {
    code: 'MISSING_CHAR',
    library: /Sequence item without/,
    message: 'an entry of this list does not start with a dash',
  },
  {
    code: 'MULTILINE_IMPLICIT_KEY',
    library: /./,
    message: 'a line without key: value',
    hint: 'put a colon and a space behind the key',
  },
  {
    code: 'BLOCK_AS_IMPLICIT_KEY',
    library: /./,
    message: 'two colons on one line: a map cannot start here',
    hint: 'put quotes around a value with a colon and a space in it',
  },
  {
    code: 'BAD_SCALAR_START',
    library: /./,
    message: 'a value cannot start with this character',
    hint: 'put quotes around the value',
  },
  {
    code: 'BAD_DQ_ESCAPE',
    library: /./,
    message: 'an unknown escape sequence in double quotes',
    hint: 'use single quotes for text with backslashes, such as a regular expression',
  },
  { code: 'UNEXPECTED_TOKEN', library: /node end/, message: 'unexpected text behind a finished value' },
  { code: 'UNEXPECTED_TOKEN', library: /Block scalar header/, message: 'text behind | or > must be on the next line' },
  { code: 'TAG_RESOLVE_FAILED', library: /./, message: 'tags are not read', hint: 'a secret is written secret:NAME' },
  { code: 'BAD_COLLECTION_TYPE', library: /./, message: 'tags are not read' },
  { code: 'NON_STRING_KEY', library: /./, message: 'a key must be plain text' },
  { code: 'RESOURCE_EXHAUSTION', library: /./, message: 'nested too deep to be read' },
]

const ownCodes: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'yaml-tab',
  MULTIPLE_DOCS: 'yaml-documents',
  TAG_RESOLVE_FAILED: 'yaml-tag',
  BAD_COLLECTION_TYPE: 'yaml-tag',
  RESOURCE_EXHAUSTION: 'too-deep',
}

/** Where the quoted text begins that is not closed at `end`: the parser itself points behind it. */
const openingQuote = (document: Document, end: number): number => {
  let opening = end
  visit(document, {
    Scalar: (_key, { type, range }) => {
      const quoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE'
      if (quoted && range && range[0] < end && range[1] >= end) opening = range[0]
    },
  })
  return opening
}

/** `key:value` or `key:{`, but not an address. */
const crowded = /^\s*(?:-\s+)*[\w.-]+:(?!\/\/)[^\s:]/

const lineStart = (text: string, offset: number) => text.lastIndexOf('\n', offset - 1) + 1

const lineAt = (text: string, start: number) => text.slice(start, start + 1000).split('\n', 1)[0] ?? ''

/** A line such as `kind:http`, on which or behind which the parser stumbles; the offset of what is on it. */
const crowdedLine = (error: YAMLError, text: string): number | undefined => {
  if (!error.code.endsWith('IMPLICIT_KEY') && error.code !== 'BAD_INDENT') return undefined
  const here = lineStart(text, error.pos[0])
  const before = lineStart(text, Math.max(here - 1, 0))
  const start = [here, before].find((at) => crowded.test(lineAt(text, at)))
  return start === undefined ? undefined : start + lineAt(text, start).search(/\S/)
}

const worded = (error: YAMLError, document: Document, text: string): SyntaxMistake => {
  const noSpace = crowdedLine(error, text)
  if (noSpace !== undefined) {
    const message = 'a key and its value without a space between them'
    return { code: 'yaml-syntax', message, hint: 'put a space behind the colon', offset: noSpace }
  }
  const wording = wordings.find(({ code, library }) => code === error.code && library.test(error.message))
  const code = ownCodes[error.code] ?? 'yaml-syntax'
  const [at] = error.pos
  if (wording === undefined) return { code, message: 'this cannot be read as YAML', offset: at }
  const unclosed = /^Missing closing/.test(error.message)
  // Wrong indentation is reported at the start of the line; what stands there is the better place.
  const blank = error.code === 'BAD_INDENT' ? (/^ */.exec(text.slice(at, at + 1000))?.[0].length ?? 0) : 0
  const offset = unclosed ? openingQuote(document, at) : at + blank
  return { code, message: wording.message, offset, ...(wording.hint === undefined ? {} : { hint: wording.hint }) }
}

/** Behind something that is never closed the rest of the file means nothing. */
const last = /never closed|too deep/

/** Errors of the parser, and those of its warnings that would change what the config means: unknown tags. */
export const syntaxMistakes = (document: Document, text: string): SyntaxMistake[] => {
  const tags = document.warnings.filter(({ code }) => code === 'TAG_RESOLVE_FAILED')
  const mistakes = [...document.errors, ...tags]
    .slice(0, 100)
    .map((error) => worded(error, document, text))
    .sort((a, b) => a.offset - b.offset)
  const end = mistakes.findIndex(({ message }) => last.test(message))
  const told = end < 0 ? mistakes : mistakes.slice(0, end + 1)
  // The same again on this line or the next is the same mistake.
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length
  const lines = new Map<string, number>()
  const first = told.filter(({ message, offset }) => {
    const line = lineOf(offset)
    const before = Math.max(lines.get(message) ?? -1, lines.get('any') === line ? line : -1)
    lines.set(message, line).set('any', line)
    return before < 0 || line - before > 1
  })
  return first.slice(0, syntaxLimit)
}
