import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { channelKinds } from '../../channels/registry.ts'
import { probeKinds } from '../../probes/registry.ts'
import { ruleKinds } from '../../rules/registry.ts'
import { sourceKinds } from '../../sources/registry.ts'
import { questions } from '../../triage/registry.ts'
import { allPaths } from './sources.ts'

const doors = [
  { door: 'channels', folder: 'channels/kinds', names: channelKinds.map(({ kind }) => kind) },
  { door: 'probes', folder: 'probes/kinds', names: probeKinds.map(({ kind }) => kind) },
  { door: 'rules', folder: 'rules/kinds', names: ruleKinds.map(({ kind }) => kind) },
  { door: 'sources', folder: 'sources/kinds', names: sourceKinds.map(({ kind }) => kind) },
  { door: 'triage', folder: 'triage/questions', names: questions.map(({ id }) => id) },
]

test.each(doors)('every file in $folder is registered, and every registered one has its file', ({ folder, names }) => {
  const files = readdirSync(folder).map((file) => file.replace(/\.ts$/, ''))
  expect([...names].sort()).toEqual(files.sort())
})

test.each(doors)('everything in $folder has a test of its own', ({ folder, names }) => {
  expect(names.filter((name) => !allPaths.includes(`test/${folder}/${name}.test.ts`))).toEqual([])
})

test.each(doors.filter(({ door }) => door !== 'triage'))(
  'every kind of $door has an example and a reference entry',
  ({ door, names }) => {
    const example = readFileSync('examples/reference/whodunit.yaml', 'utf8')
    const reference = readFileSync('docs/reference.md', 'utf8')
    expect(names.filter((name) => !example.includes(`kind: ${name}`))).toEqual([])
    expect(names.filter((name) => !reference.includes(`### ${door}: \`${name}\``))).toEqual([])
  },
)
