import type { Config } from '../config/schema.ts'
import type { Reading, SourceWorld } from '../sources/contract.ts'
import { hostAndPort } from '../sources/http-errors.ts'
import { type ApiServerWorld, apiServerOpener } from '../sources/kube/api-server.ts'
import type { Discovered } from '../sources/kube/discovery.ts'
import { findTargets } from '../sources/kube/find.ts'
import { readsSeries, type SeriesSpec, sourcePlace, sourceSpec } from '../sources/registry.ts'

type Cluster = Config['clusters'][string]

/**
 * Each with the labels its series are given. `incomplete`: there may be more targets than these, for that reason, of the
 * kinds that are `lacking`.
 */
export type Targets = { targets: SeriesSpec[]; incomplete?: string; lacking?: string[] }

/** How to read clusters: it remembers who was found where, and tokens. */
export type ClusterReader = {
  /** What reading one of the cluster's sources takes. */
  world: (cluster: Cluster, signal: AbortSignal) => Promise<SourceWorld>
  /** The targets of the cluster: those listed and those its rules find, or found at most `discoverMs` ago. */
  targets: (name: string, cluster: Pick<Cluster, 'sources' | 'discover'>, world: SourceWorld) => Promise<Targets>
}

/** Targets come and go by the minute, not by the scrape. */
export const discoverMs = 55_000

/** As Prometheus has it: every series says by which job and from which instance it was read. */
const labelled = (spec: SeriesSpec): SeriesSpec => ({
  ...spec,
  labels: { job: spec.kind, instance: 'url' in spec ? hostAndPort(spec.url) : sourcePlace(spec), ...spec.labels },
})

const identity = (spec: SeriesSpec) => `${spec.kind} ${sourcePlace(spec)}`

type Known = { atMs: number; found: Reading<Discovered> }

/** A rule that finds nothing now because it cannot ask keeps what it found before, and says so. */
const orBefore = (now: Reading<Discovered>, before: Reading<Discovered> | undefined): Reading<Discovered> =>
  now.status === 'unreadable' && before?.status === 'read'
    ? { status: 'read', value: { targets: before.value.targets, incomplete: now.why } }
    : now

export const clusterReader = (outside: ApiServerWorld): ClusterReader => {
  const open = apiServerOpener(outside)
  const known = new Map<string, Known>()
  const foundBy = async (name: string, rule: Cluster['discover'][number], world: SourceWorld) => {
    const key = `${name} ${JSON.stringify(rule)}`
    const before = known.get(key)
    const nowMs = outside.nowMs()
    if (before && nowMs - before.atMs < discoverMs) return before.found
    const now = await findTargets(rule, world)
    // What could not be asked is asked again at once, not in a minute.
    if (now.status === 'read') known.set(key, { atMs: nowMs, found: now })
    return orBefore(now, before?.found)
  }
  return {
    world: async ({ apiServer }, signal) => {
      const { nowMs, secret } = outside
      return { nowMs, secret, signal, ...(apiServer && { apiServer: await open(apiServer) }) }
    },
    targets: async (name, cluster, world) => {
      const rules = await Promise.all(cluster.discover.map((rule) => foundBy(name, rule, world)))
      const specs = rules
        .flatMap((rule) => (rule.status === 'read' ? rule.value.targets : []))
        .map((one) => sourceSpec.parse(one))
      const lacks = rules.flatMap((rule, nth) => {
        const why = rule.status === 'read' ? rule.value.incomplete : rule.why
        return why === undefined ? [] : [{ kind: cluster.discover[nth]?.kind ?? '', why }]
      })
      const [first] = lacks
      const listed = cluster.sources.filter(readsSeries)
      // Two rules may find the same target, and one may find what is listed; two listed ones are two all the same.
      const there = new Set(listed.map(identity))
      const found = new Map(specs.filter(readsSeries).map((spec) => [identity(spec), spec]))
      const unlisted = [...found].flatMap(([id, spec]) => (there.has(id) ? [] : [spec]))
      const targets = [...listed, ...unlisted].map(labelled)
      return { targets, ...(first && { incomplete: first.why, lacking: lacks.map(({ kind }) => kind) }) }
    },
  }
}
