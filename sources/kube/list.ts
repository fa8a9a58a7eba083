import * as z from 'zod'
import type { Reading, SourceWorld } from '../contract.ts'
import { readHttp } from '../http.ts'
import { hostAndPort, oneLine } from '../http-errors.ts'
import { type KubeResource, listPath } from './resources.ts'

/** As much as is ever kept in hand of one answer. */
const pageBytes = 32 * 1024 * 1024
const pageObjects = 500
/** A server that never comes to an end of its pages is left to itself. */
const mostPages = 200

const page = z.object({
  metadata: z.object({ continue: z.string().optional() }).optional(),
  // Go writes an empty list as null.
  items: z.array(z.unknown()).nullish(),
})

/** `incomplete`: there is more than this, for that reason, so that what is missing here may be there. */
export type Listed<T> = { items: T[]; incomplete?: string }

export type ListQuery = {
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  /** At most so many objects. */
  limit: number
}

/** The whole body of a GET to the API server as text; one that is cut off is none. */
export const readKubeText = async (
  path: string,
  world: SourceWorld,
  options: { accept: string; bodyLimitBytes: number },
): Promise<Reading<string>> => {
  const { apiServer } = world
  if (apiServer === undefined) return { status: 'unreadable', why: 'the config does not say where the API server is' }
  if (apiServer.status === 'unreadable') return apiServer
  const parts: Uint8Array[] = []
  const sink = (chunk: Uint8Array): undefined => {
    parts.push(chunk)
  }
  const read = { ...options, begin: () => ({ status: 'read' as const, value: sink }) }
  const body = await readHttp({ url: `${apiServer.value.url}${path}` }, world, read)
  if (body.status === 'unreadable') return body
  if (body.value.incomplete !== undefined) return { status: 'unreadable', why: body.value.incomplete }
  return { status: 'read', value: Buffer.concat(parts).toString('utf8') }
}

const parsedPage = (text: string, place: string): Reading<z.output<typeof page>> => {
  try {
    const parsed = page.safeParse(JSON.parse(text))
    if (parsed.success) return { status: 'read', value: parsed.data }
  } catch {
    // Said below.
  }
  return { status: 'unreadable', why: `${place} did not answer with a list of objects: ${oneLine(text, 80)}` }
}

/**
 * Objects of the Kubernetes API, page by page, each as `shape` reads it; one it cannot read makes the list incomplete.
 * A list that ends early (its continuation ran out, a later page was refused) is what came, and says so.
 */
export const listObjects = async <S extends z.ZodType>(
  what: { resource: KubeResource; shape: S },
  world: SourceWorld,
  query: ListQuery,
): Promise<Reading<Listed<z.output<S>>>> => {
  const { limit, ...filter } = query
  const items: z.output<S>[] = []
  let odd = 0
  let next: string | undefined
  let pages = 0
  do {
    const path = listPath(what.resource, {
      ...filter,
      limit: String(Math.min(pageObjects, limit - items.length)),
      continue: next,
    })
    const text = await readKubeText(path, world, { accept: 'application/json', bodyLimitBytes: pageBytes })
    const place = world.apiServer?.status === 'read' ? hostAndPort(world.apiServer.value.url) : 'the API server'
    const read = text.status === 'read' ? parsedPage(text.value, place) : text
    if (read.status === 'unreadable')
      return items.length === 0 ? read : { status: 'read', value: { items, incomplete: read.why } }
    for (const item of read.value.items ?? []) {
      const parsed = what.shape.safeParse(item)
      if (parsed.success) items.push(parsed.data)
      else odd++
    }
    next = read.value.metadata?.continue || undefined
    pages++
  } while (next !== undefined && items.length < limit && pages < mostPages)
  const incomplete =
    next !== undefined
      ? `there are more ${what.resource} than the ${items.length} that were read`
      : odd > 0
        ? `${odd} ${what.resource} have an unexpected shape`
        : undefined
  return { status: 'read', value: { items, ...(incomplete !== undefined && { incomplete }) } }
}
