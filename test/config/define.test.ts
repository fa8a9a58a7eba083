import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { defineConfig } from '../../config/define.ts'
import { configSchema } from '../../config/schema.ts'

test('it hands back what it was given', () => {
  const config = defineConfig({
    services: { web: {} },
    monitors: { home: { kind: 'http', service: 'web', url: 'https://example.com/' } },
    channels: { terminal: { kind: 'console' } },
    routes: [{ channels: ['terminal'] }],
  })
  expect(configSchema.safeParse(config).success).toBe(true)
  expect(defineConfig(config)).toBe(config)
})

test('nothing is imported at run time', () => {
  const source = readFileSync(join(import.meta.dirname, '../../config/define.ts'), 'utf8')
  expect(stripTypeScriptTypes(source).replaceAll(/\/\*[\s\S]*?\*\//g, '')).not.toMatch(
    /\bimport\b|\bfrom\b|\brequire\b/,
  )
})
