import { expect, test } from '@jest/globals'
import { parseSync } from '@swc/core'
import { allPaths, product, type SourceFile, typescript } from './sources.ts'

const fileBudget = 300
const testBudget = 500
const functionBudget = 60
const handlerBudget = 40

test('no file is longer than its budget', () => {
  const long = typescript
    .filter(({ path, lines }) => lines > (path.startsWith('test/') ? testBudget : fileBudget))
    .map(({ path, lines }) => `${path} ${lines}`)
  expect(long).toEqual([])
})

test('a handler only wires', () => {
  const long = product.filter(({ path, lines }) => path.endsWith('/handler.ts') && lines > handlerBudget)
  expect(long.map(({ path }) => path)).toEqual([])
})

type Node = { type?: string; span?: { start: number; end: number }; params?: unknown[]; [key: string]: unknown }
const functionTypes = new Set([
  'ArrowFunctionExpression',
  'FunctionDeclaration',
  'FunctionExpression',
  'ClassMethod',
  'PrivateMethod',
])

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null

const functionsIn = (value: unknown): Node[] => {
  if (Array.isArray(value)) return value.flatMap(functionsIn)
  if (!isNode(value)) return []
  const inner = Object.values(value).flatMap(functionsIn)
  return functionTypes.has(value.type ?? '') ? [value, ...inner] : inner
}

const parsed = product.map((file) => ({
  file,
  module: parseSync(file.text, { syntax: 'typescript', target: 'es2024' }),
}))

/** swc counts bytes from the start of everything it ever parsed; the module's own span says where this file begins. */
const measured = ({ file, module }: { file: SourceFile; module: { span: { start: number } } }) => {
  const bytes = Buffer.from(file.text)
  const lead = file.text.search(/\S/) === -1 ? 0 : leading(file.text)
  return functionsIn(module).map(({ span, params }) => {
    const start = (span?.start ?? 0) - module.span.start + lead
    const end = (span?.end ?? 0) - module.span.start + lead
    const text = bytes.subarray(start, end).toString()
    return {
      where: `${file.path}: ${text.split('\n')[0]?.slice(0, 60)}`,
      lines: text.split('\n').length,
      params: params?.length ?? 0,
    }
  })
}

/** A module's span starts at its first token, behind white space and comments. */
const leading = (text: string) => Buffer.byteLength(text.match(/^(?:\s+|#!.*|\/\/.*|\/\*[\s\S]*?\*\/)*/)?.[0] ?? '')

const functions = parsed.flatMap(measured)

test('no function is longer than its budget', () => {
  expect(functions.length).toBeGreaterThan(100)
  expect(
    functions.filter(({ lines }) => lines > functionBudget).map(({ where, lines }) => `${where} (${lines})`),
  ).toEqual([])
})

test('no function takes more than three parameters before an options object', () => {
  expect(functions.filter(({ params }) => params > 4).map(({ where }) => where)).toEqual([])
})

test('folders are at most three deep', () => {
  const deep = allPaths.filter((path) => path.split('/').length > 4)
  expect(deep).toEqual([])
})
