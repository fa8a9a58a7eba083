import type * as z from 'zod'
import { type Config, configSchema } from './schema.ts'

type Issue = z.core.$ZodIssue

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const sections = ['services', 'monitors', 'rules', 'clusters', 'channels', 'maintenance']

/** Routes and the like cannot lose one entry without moving the others: they stay or go as a whole. */
const sound = (data: Record<string, unknown>, issues: readonly Issue[]): Record<string, unknown> => {
  const broken = new Set(issues.map(({ path }) => JSON.stringify(path.slice(0, 2))))
  const brokenTop = new Set(issues.map(({ path }) => path[0]))
  const entries = Object.entries(data).flatMap(([name, part]) => {
    const unknown = issues.some(({ code, path }) => code === 'unrecognized_keys' && path.length === 0)
    if (unknown && !(name in configSchema.shape)) return []
    if (!sections.includes(name)) return brokenTop.has(name) ? [] : [[name, part] as const]
    const kept = isMap(part) ? Object.entries(part).filter(([id]) => !broken.has(JSON.stringify([name, id]))) : []
    return [[name, Object.fromEntries(kept)] as const]
  })
  const required = { services: {}, monitors: {}, channels: {}, routes: [{ channels: ['nowhere'] }] }
  return { ...required, ...Object.fromEntries(entries) }
}

/**
 * Leaves out the entries the schema refused, so that one run tells the mistakes of shape and those of meaning;
 * undefined when too little is left. Routes that are not all right are left out altogether.
 */
export const salvage = (data: unknown, issues: readonly Issue[]): Config | undefined => {
  if (!isMap(data)) return undefined
  const parsed = configSchema.safeParse(sound(data, issues))
  if (!parsed.success) return undefined
  const complete =
    Array.isArray(data['routes']) && !issues.some(({ path }) => path[0] === 'routes' || path[0] === 'services')
  return complete ? parsed.data : { ...parsed.data, routes: [] }
}
