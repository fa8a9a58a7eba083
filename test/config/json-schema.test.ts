import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { channelKinds } from '../../channels/registry.ts'
import { configJsonSchema, type JsonSchema } from '../../config/json-schema.ts'
import { probeKinds } from '../../probes/registry.ts'
import { ruleKinds } from '../../rules/registry.ts'
import { apiServerSpec } from '../../sources/kube/api-server.ts'
import { sourceKinds } from '../../sources/registry.ts'

const schema = configJsonSchema()

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const typeFits = (type: string, value: unknown): boolean => {
  if (type === 'object') return isMap(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'null') return value === null
  return typeof value === type
}

const objectFits = (node: JsonSchema, value: Record<string, unknown>): boolean =>
  (node.required ?? []).every((key) => key in value) &&
  Object.entries(value).every(([key, inner]) => {
    const child = node.properties?.[key] ?? node.additionalProperties ?? true
    const named = isMap(node.propertyNames) && node.propertyNames.pattern
    return (!named || new RegExp(named).test(key)) && fits(child, inner)
  })

/** Structure only: types, keys, constants, patterns and ranges; enough to see that the schema says what it should. */
const fits = (node: JsonSchema | boolean, value: unknown): boolean => {
  if (typeof node === 'boolean') return node
  const types: readonly string[] = [node.type ?? []].flat()
  if (types.length > 0 && !types.some((type) => typeFits(type, value))) return false
  if (node.const !== undefined && node.const !== value) return false
  if (node.enum && !node.enum.some((one) => one === value)) return false
  if (typeof value === 'string' && node.pattern && !new RegExp(node.pattern, 'u').test(value)) return false
  if (typeof value === 'number' && (value < (node.minimum ?? value) || value > (node.maximum ?? value))) return false
  const branches = node.oneOf ?? node.anyOf
  if (branches && !branches.some((branch) => fits(branch, value))) return false
  if (Array.isArray(value)) {
    const items = Array.isArray(node.items) ? node.items[0] : node.items
    return value.length >= (node.minItems ?? 0) && value.every((item) => fits(items ?? true, item))
  }
  return isMap(value) ? objectFits(node, value) : true
}

const read = (...path: string[]): unknown => parse(readFileSync(join(import.meta.dirname, ...path), 'utf8'))

test('it says which JSON Schema it is written in and what it describes', () => {
  expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'whodunit config' })
  expect(schema.required?.toSorted()).toEqual(['channels', 'monitors', 'routes', 'services'])
})

test('what has a default need not be written', () => {
  expect(schema.required).not.toContain('locations')
  expect(schema.required).not.toContain('statusPage')
})

test.each(readdirSync(join(import.meta.dirname, 'good')))('%s fits it', (file) => {
  expect(fits(schema, read('good', file))).toBe(true)
})

test.each([
  '01-misspelt-key',
  '06-type-for-kind',
  '07-unknown-kind',
  '08-unknown-channel-kind',
  '09-missing-key',
  '10-duration-as-text',
  '11-number-in-quotes',
  '12-out-of-range',
  '15-literal-secret',
  '17-capital-in-name',
  '18-unknown-role',
  '19-single-channel',
  '45-list-at-the-top',
  '46-services-as-a-list',
  '47-missing-parts',
  '53-misspelt-auth',
  '58-other-tools-severity',
  '60-number-for-text',
])('%s does not fit it', (name) => {
  expect(fits(schema, read('mistakes', `${name}.yaml`))).toBe(false)
})

const kindsIn = (node: unknown): string[] => {
  if (Array.isArray(node)) return node.flatMap(kindsIn)
  if (!isMap(node)) return []
  const properties = isMap(node['properties']) ? node['properties'] : {}
  const kind = isMap(properties['kind']) ? properties['kind']['const'] : undefined
  return [...(typeof kind === 'string' ? [kind] : []), ...Object.values(node).flatMap(kindsIn)]
}

const apiServerKinds = apiServerSpec.options.map(({ shape }) => ({ kind: shape.kind.value }))

test.each([
  { part: 'monitors', kinds: probeKinds },
  { part: 'rules', kinds: ruleKinds },
  { part: 'clusters', kinds: [...sourceKinds, ...apiServerKinds] },
  { part: 'channels', kinds: channelKinds },
])('every kind of $part occurs where it belongs', ({ part, kinds }) => {
  const registered = kinds.map(({ kind }) => kind).sort()
  expect(registered.length).toBeGreaterThan(0)
  expect([...new Set(kindsIn(schema.properties?.[part]))].sort()).toEqual(registered)
})

test('whoever changes the schema they got changes nobody else’s', () => {
  delete configJsonSchema().properties
  expect(configJsonSchema().properties).toBeDefined()
})
