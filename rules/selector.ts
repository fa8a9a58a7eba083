import type { Matcher, Selector } from '../sources/contract.ts'

const selectorPattern = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s*$/s
const matcherPattern = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/y

const op = (text: string): Matcher['op'] => (text === '=~' || text === '!~' || text === '!=' ? text : '=')

const plain = (text: string) => text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))

/** Reads an instant vector selector such as `kube_pod_info{namespace="shop"}`; undefined when it is not one. */
export const parseSelector = (text: string): Selector | undefined => {
  const [, name, body = ''] = selectorPattern.exec(text) ?? []
  if (name === undefined) return undefined
  const matchers: Matcher[] = []
  const pattern = new RegExp(matcherPattern)
  while (pattern.lastIndex < body.trimEnd().length) {
    const [, label, sign, value] = pattern.exec(body) ?? []
    if (label === undefined || sign === undefined || value === undefined) return undefined
    matchers.push({ label, op: op(sign), value: plain(value) })
  }
  return { name, matchers }
}
