import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Template } from 'aws-cdk-lib/assertions'
import type { Stack } from 'aws-cdk-lib/core'
import { addStacks, newApp } from '../../cdk/stacks.ts'
import { normalise } from '../../config/normalise.ts'
import { type Config, type ConfigInput, configSchema } from '../../config/schema.ts'

const base: ConfigInput = {
  services: { shop: { owner: { team: 'storefront', role: 'developers' } } },
  monitors: {},
  channels: { terminal: { kind: 'console' } },
  routes: [{ channels: ['terminal'] }],
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

/** The stacks of a config, as the app adds them. */
export const stacksOf = (written: Partial<ConfigInput>, outDir: string) =>
  addStacks(newApp(outDir), { config: configOf(written), root: process.cwd() })

/** What those stacks deploy. */
export const templatesOf = (stacks: readonly Stack[]): Template[] => stacks.map((stack) => Template.fromStack(stack))

/** What the command line would warn of; read without a synth, which would print it into the tests' output. */
export const warningsOf = (stack: Stack): string[] =>
  stack.node.metadata.filter(({ type }) => type === 'aws:cdk:warning').map(({ data }) => String(data))
