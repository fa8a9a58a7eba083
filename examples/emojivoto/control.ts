// The town's lever, for whoever runs it in another process: POST /fault {"on":true}, POST /sources {"loki":"hang"},
// GET /state. Only JSON is taken, so a web page in a browser cannot pull it.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { answer, notFound, readBody, targetOf } from './serving.ts'
import { isSourceName, type SourceMode, type SourceName } from './sources.ts'

export type Lever = {
  setFault: (on: boolean) => void
  setSource: (name: SourceName, mode: SourceMode) => void
  state: () => unknown
}

const limitBodyBytes = 10_000
const modes: readonly string[] = ['normal', 'hang', 'unavailable'] satisfies SourceMode[]
const isMode = (value: unknown): value is SourceMode => typeof value === 'string' && modes.includes(value)

const reply = (request: IncomingMessage, response: ServerResponse, status: number, body: unknown): void =>
  answer(request, response, { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n` })

const parse = (text: string | undefined): Record<string, unknown> | undefined => {
  try {
    const body: unknown = JSON.parse(text ?? '')
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
    // Checked to be an object; its values stay unknown.
    return body as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** Undefined when it was done, else why not. */
const pull = (lever: Lever, path: string | undefined, body: Record<string, unknown>): string | undefined => {
  if (path === '/fault') {
    const { on } = body
    if (typeof on !== 'boolean') return 'expected {"on": true} or {"on": false}'
    lever.setFault(on)
    return undefined
  }
  for (const [name, mode] of Object.entries(body)) {
    if (!isSourceName(name) || !isMode(mode)) return `expected a source and one of ${modes.join(', ')}`
  }
  for (const [name, mode] of Object.entries(body)) {
    if (isSourceName(name) && isMode(mode)) lever.setSource(name, mode)
  }
  return undefined
}

export const controlHandler =
  (lever: Lever): RequestListener =>
  async (request, response) => {
    const path = targetOf(request)?.pathname
    if (request.method === 'GET' && path === '/state') return reply(request, response, 200, lever.state())
    if (request.method !== 'POST' || (path !== '/fault' && path !== '/sources')) {
      return answer(request, response, notFound)
    }
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      return reply(request, response, 415, { error: 'expected content-type: application/json' })
    }
    const body = parse(await readBody(request, limitBodyBytes))
    const refusal = body === undefined ? 'expected a JSON object' : pull(lever, path, body)
    if (refusal !== undefined) return reply(request, response, 400, { error: refusal })
    reply(request, response, 200, lever.state())
  }
