import * as z from 'zod'
import { channelKinds } from '../channels/registry.ts'
import { probeKinds } from '../probes/registry.ts'
import { ruleKinds } from '../rules/registry.ts'
import { apiServerSpec } from '../sources/kube/api-server.ts'
import { sourceKinds } from '../sources/registry.ts'
import { grouping, hours, inhibitRule, maintenance, route } from './contract.ts'
import { cluster, discoverSpec } from './schema.ts'

type Schema = z.core.JSONSchema.BaseSchema

const doors = [
  { door: 'probes', kinds: probeKinds, what: 'Under `monitors`: how a target is looked at from outside.' },
  { door: 'rules', kinds: ruleKinds, what: 'Under `rules`: what turns outcomes or series into alerts.' },
  { door: 'sources', kinds: sourceKinds, what: 'Under `clusters.<name>.sources`: what can be read inside.' },
  { door: 'channels', kinds: channelKinds, what: 'Under `channels`: where messages go.' },
] as const

/** How alerts become messages: parts of the config that are no kinds. */
const alerting = [
  { name: 'routes', schema: route, what: 'A list. The first route that matches an alert decides who is told.' },
  { name: 'routes[].hours', schema: hours, what: 'A list: the route matches within one of them.' },
  { name: 'grouping', schema: grouping, what: 'How alerts become incidents.' },
  {
    name: 'inhibit',
    schema: inhibitRule,
    what: 'A list: while `source` fires, `target` with equal labels tells nobody.',
  },
  {
    name: 'maintenance',
    schema: maintenance,
    what: 'By name: once (`from`, `to`) or by `cron` and `durationSeconds`.',
  },
] as const

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null

const bounds = ({ minimum, maximum }: Schema) => {
  const high = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? '' : `${maximum}`
  const low = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? '' : `${minimum}`
  return low || high ? ` (${low || '…'} to ${high || '…'})` : ''
}

const typeText = (schema: Schema): string => {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ')
  const branches = schema.anyOf ?? schema.oneOf
  if (branches) return [...new Set(branches.filter(isSchema).map(typeText))].join(' or ')
  if (schema.type === 'array') return `list of ${isSchema(schema.items) ? typeText(schema.items) : 'anything'}`
  if (schema.properties)
    return `map of ${Object.keys(schema.properties)
      .map((key) => `\`${key}\``)
      .join(', ')}`
  if (schema.type === 'object') return 'map'
  return `${String(schema.type ?? 'anything')}${bounds(schema)}`
}

const cell = (text: string) => text.replaceAll('|', '\\|')

const fieldRow = (name: string, schema: Schema, required: boolean) => {
  const preset = schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``
  return `| \`${name}\` | ${cell(typeText(schema))} | ${required ? 'required' : cell(preset)} |`
}

const fieldsText = (schema: Schema): string => {
  const required = new Set(schema.required ?? [])
  const rows = Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    isSchema(field) ? [fieldRow(name, field, required.has(name))] : [],
  )
  return ['| field | takes | default |', '|---|---|---|', ...rows, ''].join('\n')
}

const jsonSchema = (schema: z.ZodType): Schema => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })

/** What a cluster has besides its sources. */
const clusterText = (): string => {
  const parts = [
    { title: 'cluster', schema: cluster },
    { title: 'discover', schema: discoverSpec },
    ...apiServerSpec.options.map((one) => ({ title: `apiServer: \`${one.shape.kind.value}\``, schema: one })),
  ]
  const texts = parts.map(({ title, schema }) => `### ${title}\n\n${fieldsText(jsonSchema(schema))}`)
  const about = 'Under `clusters.<name>`: what is read in one place; guides are in [docs/](.) as `kubernetes-….md`.'
  return ['## clusters', '', about, '', ...texts].join('\n')
}

/** `docs/reference.md`: every kind's fields, from the schemas that read them. */
export const referenceText = (): string => {
  const parts = doors.map(({ door, kinds, what }) => {
    const texts = kinds.map(({ kind, schema }) => `### ${door}: \`${kind}\`\n\n${fieldsText(jsonSchema(schema))}`)
    return [`## ${door}`, '', what, '', ...texts].join('\n')
  })
  const alerts = alerting.map(
    ({ name, schema, what }) => `### \`${name}\`\n\n${what}\n\n${fieldsText(jsonSchema(schema))}`,
  )
  const about = 'Who is told of an alert, and when; [alerting.md](alerting.md) explains it.'
  const last = ['## alerting', '', about, '', ...alerts].join('\n')
  const intro =
    'Written by `npm run docs` from the schemas; an example of everything is in `examples/reference/whodunit.yaml`.'
  return `# Reference\n\n${intro}\n\n${[...parts, clusterText(), last].join('\n')}`
}
