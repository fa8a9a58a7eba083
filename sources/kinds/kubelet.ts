import * as z from 'zod'
import { defineSeriesSource, type Reading, type Scrape, type Selector, type SourceWorld } from '../contract.ts'
import { expositionFields, scrapeExposition } from '../exposition/scrape.ts'

const schema = z.strictObject({ kind: z.literal('kubelet'), ...expositionFields })
type Spec = z.output<typeof schema>

/** Where below its address a kubelet serves what: cAdvisor's view of the containers, the outcomes of probes, itself. */
const pathOf = (name: string): string => {
  if (/^(?:container|machine)_/.test(name)) return '/metrics/cadvisor'
  return name.startsWith('prober_') ? '/metrics/probes' : '/metrics'
}

const below = (url: string, path: string): string => {
  const whole = new URL(url)
  whole.pathname = `${whole.pathname.replace(/\/+$/, '')}${path}`
  return whole.href
}

/** Several readings of one kubelet as one; what one path does not give makes the whole incomplete, never empty. */
const together = (readings: readonly Reading<Scrape>[], atMs: number): Reading<Scrape> => {
  const read = readings.flatMap((reading) => (reading.status === 'read' ? [reading.value] : []))
  const why = readings.flatMap((reading) => (reading.status === 'unreadable' ? [reading.why] : []))
  if (read.length === 0 && why.length > 0) return { status: 'unreadable', why: why.join('; ') }
  const incomplete = [...read.flatMap((scrape) => scrape.incomplete ?? []), ...why].join('; ')
  const stale = read.reduce((sum, { staleDropped = 0 }) => sum + staleDropped, 0)
  const value: Scrape = {
    atMs,
    samples: read.flatMap(({ samples }) => samples),
    bytes: read.reduce((sum, { bytes }) => sum + bytes, 0),
    seriesSeen: read.reduce((sum, { seriesSeen }) => sum + seriesSeen, 0),
    ...(stale > 0 && { staleDropped: stale }),
    ...(incomplete !== '' && { incomplete }),
  }
  return { status: 'read', value }
}

const scrape = async (spec: Spec, world: SourceWorld, keep: readonly Selector[]): Promise<Reading<Scrape>> => {
  const atMs = world.nowMs()
  const byPath = Map.groupBy(keep, ({ name }) => pathOf(name))
  // Whoever asks nothing still learns whether it answers, by what costs least.
  const reads: [string, readonly Selector[]][] = byPath.size > 0 ? [...byPath] : [['/metrics/probes', []]]
  const readings = await Promise.all(
    reads.map(([path, selectors]) => {
      // A node whose pods have no probes serves not one line of them.
      const mayBeEmpty = path === '/metrics/probes'
      return scrapeExposition({ ...spec, url: below(spec.url, path), mayBeEmpty }, world, selectors)
    }),
  )
  return together(readings, atMs)
}

/**
 * A node's kubelet: what containers use (`container_*`) and how their probes end (`prober_probe_total`). `url` is what
 * stands before `/metrics`, such as `https://10.0.0.7:10250`; only the paths are read that hold what somebody asks for.
 */
export const kubeletSource = defineSeriesSource({ kind: 'kubelet', reads: 'series', schema, scrape })
