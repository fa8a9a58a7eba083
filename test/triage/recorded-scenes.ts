import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as yaml from 'yaml'
import * as z from 'zod'
import type { Selector } from '../../sources/contract.ts'
import { seriesToRead } from '../../triage/registry.ts'
import { parse, type Scraped } from './witness-stand.ts'

const root = new URL('../../../shared/fixtures/kube/real-cluster/', import.meta.url)
export const scenesAreHere = existsSync(root)

const thing = z.object({ kind: z.string(), namespace: z.string().optional(), name: z.string() })
const scene = z.object({
  id: z.string(),
  title: z.string(),
  namespace: z.string(),
  service: z.string(),
  workload_kind: z.string(),
  incident_start: z.object({ unix: z.number() }),
  expected: z.object({
    suspects: z.array(
      thing.extend({ also_acceptable: z.array(thing).optional(), not_suspect: z.array(thing).optional() }),
    ),
    service_running: z.object({ answer: z.enum(['yes', 'partly', 'no']) }),
    health_checks_passing: z.object({ answer: z.enum(['yes', 'partly', 'no', 'not-configured']) }),
  }),
  scrapes: z.array(z.object({ unix: z.number(), phase: z.enum(['before', 'during']) })),
})
export type Scene = z.infer<typeof scene>

export const sceneIds = (): string[] =>
  scenesAreHere ? readdirSync(root).filter((name) => existsSync(new URL(`${name}/scene.yaml`, root))) : []

export const loadScene = (id: string): Scene =>
  scene.parse(yaml.parse(readFileSync(new URL(`${id}/scene.yaml`, root), 'utf8')))

/** The scene's scrapes, oldest first, reduced to what is asked for: by default what the questions do. */
export const loadScrapes = (
  { id, scrapes }: Scene,
  reads: readonly Selector[] = seriesToRead('kube-state-metrics'),
): Scraped[] => {
  const wanted = new Set(reads.map(({ name }) => name))
  return scrapes.map(({ unix }) => {
    const packed = readFileSync(new URL(`${id}/kube-state-metrics/${unix}.prom.gz`, root))
    return { atMs: unix * 1000, samples: parse(gunzipSync(packed).toString('utf8'), (name) => wanted.has(name)) }
  })
}
