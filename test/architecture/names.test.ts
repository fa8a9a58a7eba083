import { expect, test } from '@jest/globals'
import { allPaths, product, typescript } from './sources.ts'

const withText = (pattern: RegExp, files = product) =>
  files.filter(({ text }) => pattern.test(text)).map(({ path }) => path)

test('files are named by what they know', () => {
  const vague = /(^|\/)(utils?|helpers?|common|shared|lib|misc|types)(\/|\.[cm]?tsx?$)/
  expect(allPaths.filter((path) => vague.test(path))).toEqual([])
})

test('there are no barrels and no default exports', () => {
  expect(withText(/^export \* from/m)).toEqual([])
  expect(withText(/^export default/m)).toEqual([])
})

test('zod is imported as a namespace, so that bundles can shake it', () => {
  expect(withText(/import \{[^}]*\bz\b[^}]*\} from 'zod'/, typescript)).toEqual([])
})

test('nothing is cast to any, and nothing is left unfinished', () => {
  expect(withText(/\bas any\b/)).toEqual([])
  expect(withText(/\b(TODO|FIXME|HACK)\b/)).toEqual([])
})

test('no word of a scene stands where causes are decided: suspects come from evidence', () => {
  const words = /emoji|vot(e|ing)|doughnut|buoyant|leaderboard|rpc error/i
  const rooms = /^(triage|rules|functions|sources|probes)\//
  expect(product.filter(({ path, text }) => rooms.test(path) && words.test(text)).map(({ path }) => path)).toEqual([])
})
