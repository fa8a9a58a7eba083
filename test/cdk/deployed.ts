import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Template } from 'aws-cdk-lib/assertions'
import type { Stack } from 'aws-cdk-lib/core'
import * as z from 'zod'
import { newApp } from '../../cdk/stacks.ts'
import { Whodunit } from '../../cdk/whodunit.ts'
import { normalise } from '../../config/normalise.ts'
import { type Config, type ConfigInput, configSchema } from '../../config/schema.ts'

const base: ConfigInput = {
  services: { shop: { owner: { team: 'storefront', role: 'developers' } } },
  monitors: {},
  channels: { theirs: { kind: 'sns', topicArn: 'arn:aws:sns:eu-west-1:123456789012:on-call' } },
  routes: [{ channels: ['theirs'] }],
  aws: { operators: [{ email: 'platform@example.com' }] },
}

type MonitorInput = ConfigInput['monitors'][string]

/** A monitor as a person writes it. */
export const monitor = (extra: Partial<MonitorInput> = {}): MonitorInput => ({
  kind: 'http',
  service: 'shop',
  url: 'https://shop.example/',
  ...extra,
})

export const configOf = (written: Partial<ConfigInput>): Config =>
  normalise(configSchema.parse({ ...base, ...written }))

/** A folder of its own for one test file; `remove` ends it. */
export const scratch = () => {
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-cdk-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Bundles of one empty function: what is in the real ones is not what a template shows. */
export const emptyBundles = (outDir: string) => (name: string) => {
  const directory = join(outDir, `empty.${name}`)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'index.mjs'), `// ${name}\nexport const handler = async () => undefined\n`)
  return directory
}

/** All of whodunit for a config. */
export const deploymentOf = (written: Partial<ConfigInput>, outDir: string) =>
  new Whodunit(newApp(outDir), 'Whodunit', { config: configOf(written), bundle: emptyBundles(outDir) })

/** What those stacks deploy. */
export const templatesOf = (stacks: readonly Stack[]): Template[] => stacks.map((stack) => Template.fromStack(stack))

/** What the command line would warn of; read without a synth, which would print it into the tests' output. */
export const warningsOf = (stack: Stack): string[] =>
  stack.node.metadata.filter(({ type }) => type === 'aws:cdk:warning').map(({ data }) => String(data))

const statement = z.object({
  Effect: z.literal('Allow'),
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: z.unknown(),
  Condition: z.unknown().optional(),
})
const policy = z.object({
  Properties: z.object({ PolicyDocument: z.object({ Statement: z.array(statement) }) }),
})

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  const [[name = '', of] = []] = Object.entries(z.record(z.string(), z.unknown()).parse(value))
  if (name === 'Ref') return textOf(of)
  const parts = z.array(z.unknown()).parse(of)
  if (name === 'Fn::GetAtt') return textOf(parts[0]).replace(/[0-9A-F]{8}$/, '')
  return z.array(z.unknown()).parse(parts[1]).map(textOf).join('')
}

/** What the roles whose id begins so may do, a line a statement: the actions, then what they are about. */
export const allowed = (template: Template, role: string): string[] =>
  Object.entries(template.findResources('AWS::IAM::Policy'))
    .filter(([id]) => id.startsWith(role))
    .flatMap(([, resource]) => policy.parse(resource).Properties.PolicyDocument.Statement)
    .map(({ Action, Resource, Condition }) => {
      const condition = Condition === undefined ? '' : ` if ${JSON.stringify(Condition)}`
      return `${[Action].flat().join(' ')} ${textOf(Resource)}${condition}`
    })
