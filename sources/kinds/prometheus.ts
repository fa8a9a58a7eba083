import pLimit from 'p-limit'
import * as z from 'zod'
import {
  auth,
  defineSeriesSource,
  type Matcher,
  type Reading,
  type Scrape,
  type Selector,
  type SourceWorld,
  sourceFields,
} from '../contract.ts'
import { askPromqlApi, type PromqlAnswer, type PromqlQuery } from '../promql-api.ts'
import { sigv4 } from '../sigv4.ts'

const schema = z.strictObject({
  kind: z.literal('prometheus'),
  ...sourceFields,
  auth: z.union([...auth.options, z.strictObject({ sigv4 })]).optional(),
  /** Sent as X-Scope-OrgID, as Mimir and Cortex want it. */
  tenant: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'a tenant id without spaces')
    .optional(),
  /** Sources whose series it has, with their own labels (`honor_labels: true`): the questions then ask it instead of them. */
  holds: z.array(z.enum(['kube-state-metrics', 'linkerd', 'node', 'app', 'kubelet'])).default([]),
  /** Matchers every query carries besides its own, such as `cluster="east"`. */
  selector: z.string().min(1).max(500).optional(),
})
export type PrometheusSpec = z.output<typeof schema>

/** Servers and proxies take addresses of 8 KB; encoding makes a query up to three times as long. */
const queryLimit = 2000
const atOnce = 4

const quoted = (text: string): string => JSON.stringify(text.toWellFormed())
const escaped = (name: string): string => name.replace(/[^\w:]/gu, (character) => `\\${character}`)

const matcherText = ({ label, op, value }: Matcher): string => `${label}${op}${quoted(value)}`

/** Names in groups whose queries are not too long. */
const grouped = (names: readonly string[]): string[][] => {
  const groups: string[][] = []
  let length = queryLimit
  for (const name of names) {
    length += name.length + 1
    if (length > queryLimit) {
      groups.push([])
      length = name.length
    }
    groups.at(-1)?.push(name)
  }
  return groups
}

/**
 * Queries for series as they are: names that share their matchers in one, `{__name__=~"a|b",phase="Failed"}`. (`or`
 * would not do: it drops series that differ in nothing but their name.)
 */
const queriesFor = (keep: readonly Selector[], selector: string | undefined): string[] => {
  const byMatchers = Map.groupBy(keep, ({ matchers = [] }) => matchers.map(matcherText).join(','))
  return [...byMatchers].flatMap(([matchers, same]) =>
    grouped([...new Set(same.map(({ name }) => name))]).map((names) => {
      const name = `__name__=~${quoted(names.map(escaped).join('|'))}`
      return `{${[name, matchers, selector?.trim() ?? ''].filter((part) => part !== '').join(',')}}`
    }),
  )
}

const ask = (spec: PrometheusSpec, world: SourceWorld, query: PromqlQuery): Promise<Reading<PromqlAnswer>> =>
  askPromqlApi(
    { ...spec, ...(spec.tenant !== undefined && { headers: { 'x-scope-orgid': spec.tenant } }) },
    world,
    query,
  )

const scrape = async (
  spec: PrometheusSpec,
  world: SourceWorld,
  keep: readonly Selector[],
): Promise<Reading<Scrape>> => {
  const atMs = world.nowMs()
  const limit = pLimit(atOnce)
  // Whoever asks nothing still learns whether it answers.
  const queries = keep.length > 0 ? queriesFor(keep, spec.selector) : ['vector(1)']
  const answers = await Promise.all(queries.map((query) => limit(() => ask(spec, world, { query, atMs }))))
  const read = answers.flatMap((one) => (one.status === 'read' ? [one.value] : []))
  const failed = answers.flatMap((one) => (one.status === 'unreadable' ? [one.why] : []))
  if (read.length === 0) return { status: 'unreadable', why: [...new Set(failed)].join('; ') }
  const series = read.flatMap((one) => one.series)
  const samples = series.flatMap(({ labels: { __name__: name, ...labels }, points: [point] }) =>
    name === undefined || point === undefined
      ? []
      : [{ name, labels: { ...spec.labels, ...labels }, value: point.value }],
  )
  const incomplete = [...new Set([...failed, ...read.flatMap(({ warnings }) => warnings)])].join('; ')
  const bytes = read.reduce((sum, one) => sum + one.bytes, 0)
  const value: Scrape = { atMs, samples, bytes, seriesSeen: series.length }
  return { status: 'read', value: incomplete === '' ? value : { ...value, incomplete } }
}

/**
 * A Prometheus-compatible API (Prometheus, Thanos, Mimir, Amazon Managed Prometheus), asked with PromQL; `url` is what
 * stands before `/api/v1`. Series the other side holds stale are not there, as in any instant query.
 */
export const prometheusSource = {
  ...defineSeriesSource({
    kind: 'prometheus',
    reads: 'series',
    schema,
    scrape,
    speaksFor: ({ holds }) => holds,
    grants: ({ url, auth: pass }) => {
      if (pass === undefined || !('sigv4' in pass) || pass.sigv4.service !== 'aps') return []
      const [, workspace] = /\/workspaces\/(ws-[\w-]+)/.exec(url) ?? []
      const resource = `arn:aws:aps:${pass.sigv4.region}:*:workspace/${workspace ?? '*'}`
      return [{ action: 'aps:QueryMetrics', resource }]
    },
  }),
  ask,
}
