import type { ConfigPath } from './issues.ts'
import { type JsonSchema, writtenSchema } from './json-schema.ts'

/*
 * What the schema would have accepted at a place in a config, read from the JSON Schema: the same document editors use,
 * so hints and completion never disagree, and a new kind of anything is known here the moment it is registered.
 */

type Outline = JsonSchema | undefined

const asOutline = (schema: JsonSchema | boolean | undefined): Outline =>
  typeof schema === 'object' ? schema : undefined

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const branchesOf = (outline: JsonSchema): JsonSchema[] =>
  [...(outline.oneOf ?? []), ...(outline.anyOf ?? [])].flatMap((branch) => (typeof branch === 'object' ? [branch] : []))

const kindOf = (outline: JsonSchema): unknown => asOutline(outline.properties?.['kind'])?.const

const keyMatches = (outline: JsonSchema, value: unknown) =>
  isMap(value) ? Object.keys(value).filter((key) => outline.properties?.[key] !== undefined).length : 0

const fits = (outline: JsonSchema, value: unknown): number => {
  if (isMap(value)) {
    if (outline.type !== 'object') return -1
    return kindOf(outline) !== undefined && kindOf(outline) === value['kind'] ? 1000 : keyMatches(outline, value)
  }
  if (Array.isArray(value)) return outline.type === 'array' ? 1 : -1
  return outline.type === 'object' || outline.type === 'array' ? -1 : 0
}

/** The branch of a union that is closest to what was written. */
const closestBranch = (outline: JsonSchema, value: unknown): JsonSchema => {
  const [best] = branchesOf(outline)
    .map((branch) => ({ branch, fit: fits(branch, value) }))
    .sort((a, b) => b.fit - a.fit)
  return best === undefined ? outline : closestBranch(best.branch, value)
}

const childValue = (value: unknown, part: string | number): unknown => {
  if (Array.isArray(value)) return typeof part === 'number' ? value[part] : undefined
  return isMap(value) && Object.hasOwn(value, part) ? value[String(part)] : undefined
}

/** The value at a path of a config's data; undefined when there is none. */
export const valueAt = (data: unknown, path: ConfigPath): unknown =>
  path.reduce<unknown>((value, part) => childValue(value, part), data)

/** What the schema accepts at `path`, given the data around it; undefined when it knows nothing there. */
export const outlineAt = (path: ConfigPath, data: unknown): Outline => {
  let outline: Outline = writtenSchema()
  let value = data
  for (const part of path) {
    if (outline === undefined) return undefined
    const here: JsonSchema = closestBranch(outline, value)
    const items = Array.isArray(here.items) ? here.items[0] : here.items
    const property = here.properties?.[String(part)] ?? here.additionalProperties
    outline = asOutline(typeof part === 'number' ? items : property)
    value = childValue(value, part)
  }
  return outline
}

/** The keys a map may have at `path`. */
export const keysAt = (path: ConfigPath, data: unknown): string[] => {
  const outline = outlineAt(path, data)
  const here = outline && closestBranch(outline, valueAt(data, path))
  return Object.keys(here?.properties ?? {})
}

const unboundedBelow = -Number.MAX_SAFE_INTEGER

const range = ({ minimum, maximum, exclusiveMinimum }: JsonSchema): string => {
  const least = minimum !== undefined && minimum > unboundedBelow ? minimum : undefined
  const most = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`
  if (least !== undefined) return ` of at least ${least}`
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`
  return most === undefined ? '' : ` of at most ${most}`
}

const required = (outline: JsonSchema): string => {
  const keys = outline.required ?? []
  if (keys.length > 0) return `a map with ${keys.join(' and ')}`
  const known = Object.keys(outline.properties ?? {})
  return known.length === 0
    ? 'a map'
    : `a map with any of ${known.slice(0, 5).join(', ')}${known.length > 5 ? ', …' : ''}`
}

const describeType = (type: string, outline: JsonSchema): string => {
  switch (type) {
    case 'integer':
      return `a whole number${range(outline)}`
    case 'number':
      return `a number${range(outline)}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return 'a list'
    case 'object':
      return outline.properties === undefined ? 'a map of names to entries' : required(outline)
    case 'string':
      return outline.format === 'uri' ? 'an http:// or https:// address' : 'text'
    default:
      return type
  }
}

/** What is expected, in words: `a whole number from 1 to 60`, `a list`, `one of page, ticket, advisory`. */
export const describe = (outline: Outline): string => {
  if (outline === undefined) return 'something else'
  const branches = branchesOf(outline)
  if (branches.length > 0) {
    const each = branches.every((branch) => kindOf(branch) !== undefined)
      ? ['a map with a kind']
      : branches.map(describe)
    return [...new Set(each)].join(', or ')
  }
  if (outline.const !== undefined) return String(outline.const)
  if (outline.enum) return outline.enum.length === 1 ? String(outline.enum[0]) : `one of ${outline.enum.join(', ')}`
  // A union of plain types is one schema with several.
  const types: readonly string[] = [outline.type ?? []].flat()
  return [...new Set(types.map((type) => describeType(type, outline)))].join(', or ') || 'something else'
}

/** Calls `found` with every key the schema knows and the place where it belongs. */
const eachHome = (outline: Outline, place: string, found: (key: string, home: string) => void) => {
  if (outline === undefined) return
  const kind = kindOf(outline)
  const home = typeof kind === 'string' ? `${place} of kind ${kind}` : place
  for (const [key, child] of Object.entries(outline.properties ?? {})) {
    found(key, home === '' ? 'the top level' : home)
    eachHome(asOutline(child), place === '' ? key : `${place}.${key}`, found)
  }
  eachHome(asOutline(outline.additionalProperties), `${place}.<name>`, found)
  eachHome(asOutline(Array.isArray(outline.items) ? outline.items[0] : outline.items), `${place}[]`, found)
  for (const branch of branchesOf(outline)) eachHome(branch, place, found)
}

let homes: ReadonlyMap<string, ReadonlySet<string>> | undefined

const allHomes = () => {
  const all = new Map<string, Set<string>>()
  eachHome(writtenSchema(), '', (key, home) => all.set(key, (all.get(key) ?? new Set()).add(home)))
  return all
}

/** Where else a key belongs, when that is one place only: `rules.<name> of kind availability`. */
export const homeOf = (key: string): string | undefined => {
  homes ??= allHomes()
  const [only, other] = homes.get(key) ?? []
  return other === undefined ? only : undefined
}
