import { existsSync, readdirSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { questions, seriesToRead, seriesToRemember } from '../../triage/registry.ts'

const files = readdirSync(new URL('../../triage/questions/', import.meta.url))

test('every question in the folder is registered and has a test', () => {
  expect(questions.map(({ id }) => `${id}.ts`).sort()).toEqual(files.sort())
  for (const file of files)
    expect(existsSync(new URL(`questions/${file.replace('.ts', '.test.ts')}`, import.meta.url))).toBe(true)
})

test('the talk’s three questions come first, and whose it is comes last', () => {
  expect(questions.map(({ title }) => title)).toEqual([
    'Service running?',
    'Health checks passing?',
    'Logs look okay?',
    'Traffic okay?',
    'Resources okay?',
    'What changed?',
    'Whose is it?',
  ])
})

test.each(['kube-state-metrics', 'linkerd', 'kubelet', 'node', 'app'])(
  'each series of %s is asked for once',
  (kind) => {
    const read = seriesToRead(kind).map((selector) => JSON.stringify(selector))
    expect(read.length).toBeGreaterThan(0)
    expect(new Set(read).size).toBe(read.length)
  },
)

test.each(['kube-state-metrics', 'linkerd', 'kubelet', 'node', 'app'])(
  'nothing of %s is remembered that is not read',
  (kind) => {
    const names = new Set(seriesToRead(kind).map(({ name }) => name))
    expect(seriesToRemember(kind).filter(({ name }) => !names.has(name))).toEqual([])
  },
)

test('a source no question reads wants nothing', () => expect(seriesToRead('loki')).toEqual([]))
