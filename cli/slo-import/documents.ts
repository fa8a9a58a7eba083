import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  visit,
} from 'yaml'

/** Something that was not carried over. */
export type Lost = { line: number; where: string; what: string }

/** A part of a document. What is asked of it counts as carried over; what nobody asks for is found by {@link Reading.unread}. */
export type Part = {
  /** `slos[0].sli` */
  where: string
  line: number
  text: (key: string) => string | undefined
  number: (key: string) => number | undefined
  flag: (key: string) => boolean | undefined
  part: (key: string) => Part | undefined
  parts: (key: string) => Part[]
  /** The part itself, where it is a text. */
  own: () => string | undefined
  /** It is spoken of as a whole. */
  settle: () => void
}

/** One document of a file. */
export type Reading = { root: Part; unread: () => { line: number; where: string; key: string }[] }

/** The file cannot be read as YAML at all. */
export class UnreadableError extends Error {
  override name = 'UnreadableError'
  readonly code = 'unreadable-slos'
  readonly line: number
  constructor(message: string, line: number) {
    super(message)
    this.line = line
  }
}

type Maybe = ParsedNode | null | undefined

/** More than anybody writes by hand. */
const largestBytes = 4 * 1024 * 1024
const deepest = 40

type Left = { line: number; where: string; key: string }
type Asking = {
  asked: ReadonlySet<Maybe>
  touched: Map<Maybe, boolean>
  resolve: (node: Maybe) => Maybe
  lineOf: (node: Maybe) => number
}
type Place = { at: string; value: Maybe; key?: string; name?: Maybe }

/** What is directly inside. */
const placesIn = (node: Maybe, where: string): Place[] => {
  if (isSeq<ParsedNode>(node)) {
    const key = where.replace(/^.*\./, '')
    return node.items.map((value, nth) => ({ at: `${where}[${nth}]`, key, name: value, value }))
  }
  if (!isMap<ParsedNode, ParsedNode | null>(node)) return []
  return node.items.map(({ key: name, value }) => {
    const key = isScalar(name) ? String(name.value) : '?'
    return { at: where === '' ? key : `${where}.${key}`, key, name, value }
  })
}

/** Was it, or anything in it, asked for? Once for each node, since what has an anchor is in many places, even in itself. */
const isTouched = (asking: Asking, node: Maybe, depth = 0): boolean => {
  const known = asking.touched.get(node)
  if (known !== undefined) return known
  asking.touched.set(node, false)
  const value = asking.resolve(node)
  const inside = () =>
    value === node
      ? placesIn(node, '').some((place) => isTouched(asking, place.value, depth + 1))
      : isTouched(asking, value, depth + 1)
  const touched = asking.asked.has(node) || depth > deepest || inside()
  asking.touched.set(node, touched)
  return touched
}

const isEmpty = (node: Maybe) =>
  !node || (isScalar(node) && node.value === null) || ((isMap(node) || isSeq(node)) && node.items.length === 0)

/** The largest parts nobody asked anything of. What an alias means is looked at where its anchor is. */
const leftIn = (asking: Asking, { at: where, value: node }: Place, depth = 0): Left[] => {
  if (asking.asked.has(node) || depth > deepest) return []
  return placesIn(node, where).flatMap((place) => {
    const { at, key = '', name, value } = place
    if (isEmpty(value)) return []
    return isTouched(asking, value) ? leftIn(asking, place, depth + 1) : [{ line: asking.lineOf(name), where: at, key }]
  })
}

const reading = (contents: Maybe, lineAt: (offset: number) => number, resolve: (node: Maybe) => Maybe): Reading => {
  const asked = new Set<Maybe>()
  const lineOf = (node: Maybe) => lineAt(node?.range?.[0] ?? 0)
  /** A map's own value, or that of the maps merged into it with `<<`. */
  const under = (node: Maybe, key: string, depth = 0): Maybe => {
    if (!isMap<ParsedNode, ParsedNode | null>(node) || depth > deepest) return undefined
    const own = (name: string) => node.items.find((pair) => isScalar(pair.key) && pair.key.value === name)
    const found = own(key)
    if (found) return resolve(found.value)
    const merged = resolve(own('<<')?.value)
    for (const one of isSeq<ParsedNode>(merged) ? merged.items : [merged]) {
      const inherited = under(resolve(one), key, depth + 1)
      if (inherited) return inherited
    }
    return undefined
  }
  const scalar = (node: Maybe, key: string): unknown => {
    const value = under(node, key)
    if (!isScalar(value)) return undefined
    asked.add(value)
    return value.value
  }
  const partOf = (node: Maybe, where: string): Part => {
    const at = (key: string) => (where === '' ? key : `${where}.${key}`)
    return {
      where,
      line: lineOf(node),
      text: (key) => {
        const value = scalar(node, key)
        return typeof value === 'string' && value.trim() !== '' ? value : undefined
      },
      number: (key) => {
        const value = scalar(node, key)
        return typeof value === 'number' ? value : undefined
      },
      flag: (key) => {
        const value = scalar(node, key)
        return typeof value === 'boolean' ? value : undefined
      },
      part: (key) => {
        const value = under(node, key)
        return isMap(value) ? partOf(value, at(key)) : undefined
      },
      parts: (key) => {
        const value = under(node, key)
        return isSeq<ParsedNode>(value) ? value.items.map((one, nth) => partOf(resolve(one), `${at(key)}[${nth}]`)) : []
      },
      own: () => {
        if (!isScalar(node) || typeof node.value !== 'string') return undefined
        asked.add(node)
        return node.value
      },
      settle: () => void asked.add(node),
    }
  }
  return {
    root: partOf(contents, ''),
    unread: () => leftIn({ asked, touched: new Map(), resolve, lineOf }, { at: '', value: contents }),
  }
}

/** What each alias of a document means: the last part before it with that anchor. */
const meanings = (document: Document.Parsed): ReadonlyMap<unknown, Maybe> => {
  const anchored = new Map<string, Maybe>()
  const meant = new Map<unknown, Maybe>()
  visit(document, (_, node) => {
    if (isAlias(node)) meant.set(node, anchored.get(node.source))
    else if (isNode(node) && node.anchor !== undefined) anchored.set(node.anchor, node as ParsedNode) // All are parsed.
  })
  return meant
}

/**
 * The documents of a file.
 *
 * @throws UnreadableError
 */
export const readDocuments = (text: string): Reading[] => {
  if (text.length > largestBytes) throw new UnreadableError('the file is larger than 4 MiB', 1)
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter: lines })
  if (!Array.isArray(documents)) return []
  return documents.flatMap((document) => {
    const [error] = document.errors
    if (error) throw new UnreadableError(error.message.split('\n')[0] ?? 'no YAML', lines.linePos(error.pos[0]).line)
    const meant = meanings(document)
    const resolve = (node: Maybe): Maybe => (isAlias(node) ? meant.get(node) : node)
    return document.contents === null
      ? []
      : [reading(document.contents, (offset) => lines.linePos(offset).line, resolve)]
  })
}
