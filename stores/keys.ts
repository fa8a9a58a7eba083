import { keyLimitBytes, quarantineKey, StoreError } from './contract.ts'

const misuse = (message: string, hint: string): StoreError => new StoreError('misuse', message, { hint })

const shown = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)

const checkText = (text: string): void => {
  if (!text.isWellFormed() || text.includes('\0'))
    throw misuse(`the key ${shown(text)} is not proper Unicode text`, 'Build keys from ids, not from raw input.')
  const bytes = Buffer.byteLength(text)
  if (bytes > keyLimitBytes)
    throw new StoreError('too-large', `the key ${shown(text)} has ${bytes} bytes, the limit is ${keyLimitBytes}`, {
      hint: 'Hash the long part of the key.',
    })
}

/** Throws unless `key` is one every store can keep: `kind/name`, proper Unicode, at most `keyLimitBytes`. */
export const checkKey = (key: string): void => {
  checkText(key)
  const slash = key.indexOf('/')
  if (slash < 1 || slash === key.length - 1)
    throw misuse(`the key ${shown(key)} is not of the form kind/name`, 'Use the functions in keys to build it.')
}

/** A row's id must also fit behind `quarantine/`, or its quarantine would fail when it matters. */
export const checkRowId = (id: string): void => {
  if (id === '') throw misuse('a row has no id', 'Give every row a deterministic id.')
  checkText(quarantineKey(id))
}

/** Throws unless `prefix` names at least a kind: `incident/`, never the whole store. */
export const checkPrefix = (prefix: string): void => {
  checkText(prefix)
  if (prefix.indexOf('/') < 1)
    throw misuse(`the prefix ${shown(prefix)} does not name a kind`, 'List one kind of item at a time: incident/.')
}

export const checkLimit = (limit: number): void => {
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw misuse(`a limit of ${limit} makes no sense`, 'Ask for at least one.')
}

/** Compares as UTF-8 bytes do. JavaScript's own `<` compares UTF-16 units and puts U+1F600 before U+FFFD. */
export const byteOrder = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right))

const afterCodePoint = (codePoint: number): number => (codePoint === 0xd7ff ? 0xe000 : codePoint + 1)

/** The smallest text behind everything that starts with `prefix`, which must hold a slash (so that there is one). */
export const prefixEnd = (prefix: string): string => {
  const points = [...prefix].map((character) => character.codePointAt(0) ?? 0)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop() ?? 0
  return String.fromCodePoint(...points, afterCodePoint(last))
}
