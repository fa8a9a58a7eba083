import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import type { ConfigPath, Finding, Locate } from './issues.ts'
import { syntaxMistakes } from './yaml-syntax.ts'

/** Values in one config, each expansion of an alias counted; a config of a thousand monitors has some 20,000. */
const valueLimit = 250_000
const depthLimit = 64

/**
 * A config's text as data, with the place of everything in it. `findings` are what is wrong with the text itself; when
 * `whole` is false the data is not all there and nothing more can be said about it.
 */
export type YamlSource = { data: unknown; findings: Finding[]; locate: Locate; whole: boolean }

type Place = { key?: number; value?: number }
type Mistake = { code: string; message: string; hint?: string; path: ConfigPath; offset: number }

type Walk = {
  places: Map<string, Place>
  anchors: Map<string, Node>
  /** Maps and lists the walk is inside of: an alias to one of them would never end. */
  open: Set<Node>
  /** How many aliases the walk is inside of. */
  aliases: number
  values: number
  /** Some limit was passed: what was read is not the whole. */
  over: boolean
  mistakes: Mistake[]
  lineOf: (offset: number) => number
}

const placeKey = (path: ConfigPath) => JSON.stringify(path)

const offsetOf = (node: unknown): number | undefined =>
  isMap(node) || isSeq(node) || isScalar(node) || isAlias(node) ? node.range?.[0] : undefined

/** A block map or list begins on the line below its key, where a caret says nothing; the key is the better place. */
const valueOffset = (node: unknown): number | undefined => {
  if (isScalar(node) && node.value === null && !node.source) return undefined
  return (isMap(node) || isSeq(node)) && !node.flow ? undefined : offsetOf(node)
}

const note = (walk: Walk, path: ConfigPath, key: number | undefined, value: number | undefined) => {
  walk.places.set(placeKey(path), {
    ...(key === undefined ? {} : { key }),
    ...(value === undefined ? {} : { value }),
  })
}

const keyText = (walk: Walk, key: unknown, path: ConfigPath, fallback: number): string | undefined => {
  const at = { path, offset: offsetOf(key) ?? fallback }
  if (!isScalar(key)) {
    const hint = 'if this is a value that starts with { or [, put quotes around it'
    walk.mistakes.push({ code: 'yaml-key', message: 'a key must be plain text', hint, ...at })
    return undefined
  }
  if (key.anchor !== undefined && walk.aliases === 0) walk.anchors.set(key.anchor, key)
  const text = key.value === null ? '' : String(key.value)
  if (text === '<<') {
    const message = 'merge keys (<<) are not read: YAML 1.2 has none'
    const hint =
      'write the keys out, reuse a whole value with *name, or write a whodunit.ts that spreads what is shared'
    walk.mistakes.push({ code: 'merge-key', message, hint, ...at })
    return undefined
  }
  if (text !== '' && text !== '__proto__') return text
  const message = text === '' ? 'a key is missing before the colon' : '__proto__ cannot be a key'
  walk.mistakes.push({ code: 'yaml-key', message, ...at })
  return undefined
}

const mapData = (walk: Walk, node: unknown, path: ConfigPath): Record<string, unknown> => {
  const data: Record<string, unknown> = {}
  for (const { key, value } of isMap(node) ? node.items : []) {
    const text = keyText(walk, key, path, offsetOf(node) ?? 0)
    if (text === undefined) continue
    const here = [...path, text]
    const offset = offsetOf(key)
    if (Object.hasOwn(data, text)) {
      const first = walk.places.get(placeKey(here))?.key
      const hint = first === undefined ? 'keep one of them' : `the first is on line ${walk.lineOf(first)}; keep one`
      walk.mistakes.push({
        code: 'duplicate-key',
        message: 'this key is here twice',
        hint,
        path: here,
        offset: offset ?? 0,
      })
      continue
    }
    note(walk, here, offset, valueOffset(value))
    data[text] = toData(walk, value, here)
  }
  return data
}

const listData = (walk: Walk, node: unknown, path: ConfigPath): unknown[] =>
  (isSeq(node) ? node.items : []).map((item, index) => {
    const here = [...path, index]
    note(walk, here, undefined, offsetOf(item))
    return toData(walk, item, here)
  })

const aliasData = (walk: Walk, name: string, path: ConfigPath, offset: number): unknown => {
  const target = walk.anchors.get(name)
  if (target === undefined) {
    // Neither this name nor those there are: a text that merely starts with * or & may be a secret.
    const message = 'no such anchor stands before this alias'
    const hint = 'put quotes around a text that starts with *'
    walk.mistakes.push({ code: 'unknown-anchor', message, hint, path, offset })
    return undefined
  }
  if (walk.open.has(target)) {
    walk.mistakes.push({ code: 'alias-loop', message: 'this alias stands inside its own anchor', path, offset })
    return undefined
  }
  walk.aliases += 1
  const data = toData(walk, target, path)
  walk.aliases -= 1
  return data
}

/** Counts a value; true when it is one too many, which is said once. */
const overLimit = (walk: Walk, node: unknown, path: ConfigPath): boolean => {
  walk.values += 1
  const at = { path, offset: offsetOf(node) ?? 0 }
  if (path.length > depthLimit) {
    if (!walk.over)
      walk.mistakes.push({
        code: 'too-deep',
        message: `nested more than ${depthLimit} deep`,
        ...at,
        path: path.slice(0, 4),
      })
    walk.over = true
    return true
  }
  if (walk.values === valueLimit + 1) {
    const bomb = walk.aliases > 0 ? ' once aliases are written out' : ''
    walk.mistakes.push({
      code: 'too-large',
      message: `more than ${valueLimit.toLocaleString('en')} values${bomb}`,
      ...at,
    })
  }
  if (walk.values > valueLimit) walk.over = true
  return walk.values > valueLimit
}

const toData = (walk: Walk, node: unknown, path: ConfigPath): unknown => {
  if (overLimit(walk, node, path)) return undefined
  if (isAlias(node)) return aliasData(walk, node.source, path, offsetOf(node) ?? 0)
  if (!isMap(node) && !isSeq(node) && !isScalar(node)) return null
  if (node.anchor !== undefined && walk.aliases === 0) walk.anchors.set(node.anchor, node)
  if (isScalar(node)) return node.value
  walk.open.add(node)
  const data = isMap(node) ? mapData(walk, node, path) : listData(walk, node, path)
  walk.open.delete(node)
  return data
}

/** A path that is not in the file (a key that is missing, a default) stands where its nearest ancestor does. */
const locator =
  (places: ReadonlyMap<string, Place>, lines: LineCounter): Locate =>
  (path, at) => {
    for (let length = path.length; length >= 0; length -= 1) {
      const place = places.get(placeKey(path.slice(0, length)))
      const wanted = length === path.length ? at : 'key'
      const offset = wanted === 'key' ? (place?.key ?? place?.value) : (place?.value ?? place?.key)
      if (offset === undefined) continue
      const { line, col } = lines.linePos(offset)
      return { line, column: col }
    }
    return undefined
  }

const parse = (text: string): { document: Document; lines: LineCounter } => {
  const lineCounter = new LineCounter()
  // uniqueKeys compares every key with every other; the walk finds repeats in one pass and says where the first is.
  // `silent` would accept a second document without a word.
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, logLevel: 'error' })
  return { document, lines: lineCounter }
}

/** Reads YAML or JSON text. Never throws: whatever is wrong with the text is a finding. */
export const readYaml = (text: string): YamlSource => {
  const { document, lines } = parse(text)
  const places = new Map([[placeKey([]), { value: offsetOf(document.contents) ?? 0 }]])
  const syntax = syntaxMistakes(document, text).map((mistake) => ({ ...mistake, path: [] }))
  const walk: Walk = {
    places,
    anchors: new Map(),
    open: new Set(),
    aliases: 0,
    values: 0,
    over: false,
    mistakes: syntax,
    lineOf: (offset) => lines.linePos(offset).line,
  }
  const parsed = syntax.length === 0
  const data = parsed ? toData(walk, document.contents, []) : undefined
  const findings = walk.mistakes.map(({ offset, ...rest }): Finding => {
    const { line, col } = lines.linePos(offset)
    return { severity: 'error', ...rest, at: 'value', place: { line, column: col } }
  })
  return { data, findings, locate: locator(places, lines), whole: parsed && !walk.over }
}
