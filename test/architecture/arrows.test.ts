import { expect, test } from '@jest/globals'
import { type Import, importsOf, product } from './sources.ts'

const imports = product.flatMap(importsOf)
const isContract = (path: string) => /(^|\/)contract\.ts$/.test(path)
const isPackage = (to: string) => !/\.(ts|mjs)$/.test(to)
const doors = ['probes', 'sources', 'rules', 'triage', 'channels']
const room = (path: string) => path.split('/')[0] ?? ''
const isDecision = (path: string) => /^functions\/\w+\/(?!handler|step|config)[\w-]+\.ts$/.test(path)

const offences = (allowed: (arrow: Import) => boolean) =>
  imports.filter((arrow) => !allowed(arrow)).map(({ from, to }) => `${from} -> ${to}`)

test('nobody imports a handler, the command line or the CDK app', () => {
  const outer = (path: string) =>
    /^functions\/\w+\/handler\.ts$/.test(path) || room(path) === 'cli' || room(path) === 'cdk'
  expect(offences(({ from, to }) => !outer(to) || (room(from) === room(to) && room(from) !== 'functions'))).toEqual([])
})

test('a kind or a question imports its own room, contracts and packages, and never another kind', () => {
  const isKind = (path: string) =>
    /^(probes|sources|rules|channels)\/kinds\//.test(path) || /^triage\/questions\//.test(path)
  expect(
    offences(({ from, to }) => {
      if (!isKind(from) || isPackage(to)) return true
      return !isKind(to) && !to.endsWith('/registry.ts') && (room(to) === room(from) || isContract(to))
    }),
  ).toEqual([])
})

test('a door imports itself, contracts and packages', () => {
  expect(
    offences(({ from, to }) => {
      if (!doors.includes(room(from)) || isPackage(to)) return true
      return room(to) === room(from) || isContract(to)
    }),
  ).toEqual([])
})

test('decisions import types of contracts, other decisions and what functions share', () => {
  expect(
    offences(({ from, to, typeOnly }) => {
      if (!isDecision(from)) return true
      if (isPackage(to)) return typeOnly
      return isDecision(to) || /^functions\/[\w-]+\.ts$/.test(to) || (isContract(to) && typeOnly)
    }),
  ).toEqual([])
})

test('steps import their own decisions, what functions share, and contracts', () => {
  const isStep = (path: string) => /^functions\/\w+\/step\.ts$/.test(path)
  expect(
    offences(({ from, to }) => {
      if (!isStep(from)) return true
      const own = to.startsWith(from.replace('step.ts', '')) && !to.endsWith('/config.ts')
      return own || isContract(to) || /^functions\/[\w-]+\.ts$/.test(to)
    }),
  ).toEqual([])
})

test('decisions read no clock, wait for nothing and touch no runtime', () => {
  const banned = /\bDate\.now\b|new Date\(\)|\basync\b|\bawait\b|from 'node:|\bprocess\.|Math\.random|\bfetch\(/
  const found = product.filter(({ path, text }) => isDecision(path) && banned.test(text)).map(({ path }) => path)
  expect(found).toEqual([])
})

test('clock, randomness and environment are touched only by handlers, the command line and the CDK app', () => {
  const banned = /\bDate\.now\b|new Date\(\)|Math\.random|\bprocess\.env\b/
  const may = (path: string) => /^functions\/\w+\/handler\.ts$/.test(path) || ['cli', 'cdk'].includes(room(path))
  const found = product.filter(({ path, text }) => !may(path) && banned.test(text)).map(({ path }) => path)
  expect(found).toEqual([])
})

test('only handlers use the adapters for AWS, whose contract the CDK app writes', () => {
  const isHandler = (path: string) => /^functions\/\w+\/handler\.ts$/.test(path)
  expect(
    offences(({ from, to }) => {
      if (room(to) !== 'aws') return true
      return room(from) === 'aws' || isHandler(from) || (room(from) === 'cdk' && isContract(to))
    }),
  ).toEqual([])
})

test('the CDK app knows the config and nothing else of ours', () => {
  expect(
    offences(
      ({ from, to }) => room(from) !== 'cdk' || isPackage(to) || ['cdk', 'config'].includes(room(to)) || isContract(to),
    ),
  ).toEqual([])
})
