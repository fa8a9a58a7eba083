import type * as z from 'zod'
import { timeZoneWords } from './contract.ts'
import type { ConfigPath, Finding } from './issues.ts'
import { describe, homeOf, keysAt, outlineAt, valueAt } from './outline.ts'
import { showsSecret } from './secrecy.ts'
import { seen, typeHint } from './seen.ts'
import { closest, closestTimeZone, listed, oneOf } from './suggest.ts'
import { closestIssues } from './union-branch.ts'

type Issue = z.core.$ZodIssue

/** The parts of a zod path that can stand in a config. */
const configPath = (path: readonly PropertyKey[]): ConfigPath =>
  path.flatMap((part) => (typeof part === 'symbol' ? [] : [part]))

const error = (finding: Omit<Finding, 'severity' | 'hint'>, hint?: string): Finding => ({
  severity: 'error',
  ...finding,
  ...(hint === undefined ? {} : { hint }),
})

/** What the schema's author wrote instead of zod's own sentence, if anything. */
const ownWords = ({ message }: { message: string }): string | undefined =>
  /^(Invalid|Too (small|big)|Unrecognized)\b/.test(message) ? undefined : message

/** `a power of two` → `expected a power of two`; a sentence stays as it is. */
const expectation = (words: string): string => {
  const phrase = /^(an?|the|one|exactly|at (least|most)|\d)/i.test(words)
  const sentence = /^[^,;(]*\b(has|have|is|are|must|cannot|can|needs?|does)\b/.test(words)
  return phrase && !sentence ? `expected ${words}` : words
}

const secretPattern = '/^secret:'

const unknownKeys = (issue: z.core.$ZodIssueUnrecognizedKeys, path: ConfigPath, data: unknown): Finding[] => {
  const known = keysAt(path, data)
  const parent = valueAt(data, path)
  const present = new Set(keysOf(parent))
  const absent = known.filter((key) => !present.has(key))
  return issue.keys.map((key) => {
    const meant = closest(key, absent) ?? closest(key, known)
    const home = homeOf(key)
    const names = known.filter((key) => !key.startsWith('$'))
    const keys = names.length > 0 ? `known keys here: ${listed(names)}` : undefined
    const hint =
      meant !== undefined ? `did you mean ${meant}?` : home === undefined ? keys : `${key} belongs to ${home}`
    return error({ code: 'unknown-key', path: [...path, key], at: 'key', message: 'unknown key' }, hint)
  })
}

const keysOf = (value: unknown): string[] => (typeof value === 'object' && value !== null ? Object.keys(value) : [])

const unknownKind = (issue: z.core.$ZodIssueInvalidUnion, path: ConfigPath, data: unknown): Finding[] => {
  const kinds = 'options' in issue && issue.options ? issue.options.map(String) : []
  const value = valueAt(data, path)
  const name = `${path.at(-1)}`
  if (value === undefined) {
    const message = `missing: ${name} must be ${oneOf(kinds)}`
    const other = keysOf(valueAt(data, path.slice(0, -1))).find((key) => closest(key, [name]) === name)
    const add = kinds.length === 1 ? `add ${name}: ${kinds[0]}` : undefined
    return [error({ code: 'missing-kind', path, at: 'value', message }, other ? `write ${name}, not ${other}` : add)]
  }
  const near = typeof value === 'string' ? closest(value, kinds) : undefined
  const message = `${name} must be ${oneOf(kinds)}, not ${seen(value, path)}`
  return [error({ code: 'unknown-kind', path, at: 'value', message }, near && `did you mean ${near}?`)]
}

const missing = (issue: Issue, path: ConfigPath, data: unknown): Finding => {
  const words = ownWords(issue)
  const expected = words ? expectation(words) : `expected ${describe(outlineAt(path, data))}`
  return error({ code: 'missing-key', path, at: 'value', message: `missing: ${expected}` })
}

/** A literal where only a reference may stand: the value must not be repeated anywhere. */
const literalSecret = (path: ConfigPath): Finding => {
  const words = [path[1], path.at(-1)].filter((part) => typeof part === 'string')
  const name = words
    .join('_')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll(/\W/g, '_')
    .replace(/^\d+/, '')
    .toUpperCase()
  const message = 'expected a reference like secret:NAME, never the secret itself'
  const hint = `put the value into the environment and write secret:${name || 'NAME'}`
  return error({ code: 'literal-secret', path, at: 'value', message }, hint)
}

const size = (issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall, value: unknown): string | undefined => {
  const limit = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`
  if (Array.isArray(value))
    return `expected ${limit} ${limit.endsWith(' 1') ? 'entry' : 'entries'}, got ${value.length}`
  if (typeof value !== 'string') return undefined
  if (value === '') return 'expected a text that is not empty'
  return `expected a text of ${limit} characters, got ${value.length}`
}

const wrongValue = (issue: Issue, path: ConfigPath, data: unknown): Finding => {
  const value = valueAt(data, path)
  const outline = outlineAt(path, data)
  const expected = describe(outline)
  const words = ownWords(issue)
  const at = { path, at: 'value' } as const
  if (issue.code === 'custom') {
    const got = typeof value === 'number' ? `, got ${seen(value, path)}` : ''
    const code = typeof value === 'object' ? 'broken-rule' : 'wrong-value'
    const near = words === timeZoneWords ? closestTimeZone(`${value}`) : undefined
    return error({ code, ...at, message: `${expectation(words ?? expected)}${got}` }, near && `did you mean ${near}?`)
  }
  if (issue.code === 'invalid_format' && issue.pattern?.startsWith(secretPattern)) return literalSecret(path)
  const got = seen(value, path)
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const message = size(issue, value) ?? `expected ${expected}, got ${got}`
    return error({ code: 'wrong-value', ...at, message: words ? expectation(words) : message })
  }
  const described = words ? expectation(words) : `expected ${expected}`
  if (issue.code === 'invalid_type') {
    // A text where a map belongs is often a secret: `auth: abc`.
    const shown = typeof value === 'string' && expected.startsWith('a map') ? 'a text' : got
    return error({ code: 'wrong-type', ...at, message: `${described}, got ${shown}` }, typeHint(expected, value, path))
  }
  const choices = issue.code === 'invalid_value' ? issue.values.map(String) : []
  const near = typeof value === 'string' ? closest(value, choices) : undefined
  const message = words && got === 'a text' ? described : `${described}, got ${got}`
  return error({ code: 'wrong-value', ...at, message }, near && `did you mean ${near}?`)
}

const badName = (issue: z.core.$ZodIssueInvalidKey, path: ConfigPath): Finding => {
  const words = issue.issues[0] && ownWords(issue.issues[0])
  const name = `${path.at(-1)}`
  const better = name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
  const message = expectation(words ?? 'this cannot be a name')
  return error(
    { code: 'bad-name', path, at: 'key', message },
    better !== '' && better !== name && !showsSecret(name) ? `such as ${better}` : undefined,
  )
}

/** The issues of a union within a union, all of them. */
const leaves = (issue: Issue): Issue[] =>
  issue.code === 'invalid_union' && issue.errors.length > 0 ? issue.errors.flat().flatMap(leaves) : [issue]

/** No branch of a union is closer than the others: all that can be said is what would do. */
const noBranch = (issue: z.core.$ZodIssueInvalidUnion, path: ConfigPath, data: unknown): Finding => {
  const value = valueAt(data, path)
  const inner = issue.errors.flat().flatMap(leaves)
  const choices = inner.flatMap((one) => (one.code === 'invalid_value' ? one.values.map(String) : []))
  const near = typeof value === 'string' ? closest(value, choices) : undefined
  // Texts of a wrong form: "expected text" would not help.
  const forms = inner.flatMap((one) =>
    one.code === 'invalid_format' || one.code === 'custom' ? (ownWords(one) ?? []) : [],
  )
  const described =
    forms.length > 0 && typeof value === 'string' ? forms.join(', or ') : describe(outlineAt(path, data))
  const words = ownWords(issue)
  const got = described.includes('a map') && typeof value === 'string' ? 'a text' : seen(value, path)
  const message = `${words ? expectation(words) : `expected ${described}`}${got === 'a map' || got === 'a text' ? '' : `, got ${got}`}`
  const hint = near ? `did you mean ${near}?` : typeHint(described, value, path)
  return error({ code: 'wrong-type', path, at: 'value', message }, hint)
}

const findingsOf = (issue: Issue, base: ConfigPath, data: unknown): Finding[] => {
  const path = [...base, ...configPath(issue.path)]
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue, path, data)
  if (issue.code === 'invalid_key') return [badName(issue, path)]
  if (issue.code === 'invalid_union') {
    if ('discriminator' in issue && issue.discriminator !== undefined) {
      const top = path.at(-1) === issue.discriminator ? path : [...path, issue.discriminator]
      return unknownKind(issue, top, data)
    }
    if (valueAt(data, path) === undefined) return [missing(issue, path, data)]
    const branch = closestIssues(issue.errors, valueAt(data, path))
    if (branch !== undefined) return branch.flatMap((inner) => findingsOf(inner, path, data))
    return [noBranch(issue, path, data)]
  }
  if (issue.code !== 'custom' && valueAt(data, path) === undefined) return [missing(issue, path, data)]
  return [wrongValue(issue, path, data)]
}

/**
 * A misspelt key is one mistake, not two: the required key that is missing is the one its hint names, and a rule that
 * spans the keys of that map cannot be judged.
 */
const withoutEchoes = (findings: readonly Finding[]): Finding[] => {
  const misspelt = findings.flatMap(({ code, hint, path }) => {
    const [, key] = code === 'unknown-key' ? (/^did you mean (.+)\?$/.exec(hint ?? '') ?? []) : []
    return key === undefined ? [] : [{ map: path.slice(0, -1), key }]
  })
  const meant = new Set(misspelt.map(({ map, key }) => JSON.stringify([...map, key])))
  const maps = new Set(misspelt.map(({ map }) => JSON.stringify(map)))
  return findings.filter(({ code, path }) => {
    if (code === 'missing-key') return !meant.has(JSON.stringify(path))
    return code !== 'broken-rule' || !maps.has(JSON.stringify(path))
  })
}

/** What a person meant by each of the schema's complaints about `data`; the noise of unions is folded away. */
export const schemaFindings = (issues: readonly Issue[], data: unknown): Finding[] =>
  withoutEchoes(issues.flatMap((issue) => findingsOf(issue, [], data)))
