import * as z from 'zod'
import { configSchema } from './schema.ts'

/** A JSON Schema as zod writes it. */
export type JsonSchema = z.core.JSONSchema.BaseSchema

let written: JsonSchema | undefined

/** What the config schema accepts, made once; not to be changed by anybody. */
export const writtenSchema = (): JsonSchema => {
  written ??= z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' })
  return written
}

/**
 * The JSON Schema (draft 2020-12) of what a person may write in a config, for editors. References between parts and a
 * few rules that span keys are beyond it; `whodunit validate` knows them all.
 */
export const configJsonSchema = (): JsonSchema => {
  const { $schema, ...rest } = writtenSchema()
  return structuredClone({
    $schema: $schema ?? 'https://json-schema.org/draft/2020-12/schema',
    title: 'whodunit config',
    description: 'What is watched, by which rules, and who is told: whodunit.yaml.',
    ...rest,
  })
}
