import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { invariantNames, invariants } from '../simulation/invariants.ts'
import { mutants } from '../simulation/mutants/registry.ts'

const said = readFileSync('docs/reliability.md', 'utf8')

test.each(invariantNames)('the document says what the simulator holds: %s', (name) => {
  expect(said).toContain(`| ${invariants[name].kind} | ${name} | ${invariants[name].says} |`)
})

test.each(Object.entries(mutants))('the document lists the planted bug: %s', (name, { what, seed }) => {
  expect(said).toContain(`| ${name} | ${what} | ${seed} |`)
})
