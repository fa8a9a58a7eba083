// What the tests read a town with; written apart from the town, so that one does not vouch for the other.
import { request } from 'node:http'
import type { Town } from '../../../examples/emojivoto/town.ts'

export type Line = { name: string; labels: Record<string, string>; value: number; timestampMs?: number }

const unescaped = (text: string): string => text.replace(/\\(.)/g, (_, mark: string) => (mark === 'n' ? '\n' : mark))

/** Reads the text format 0.0.4 strictly: a line that does not fit throws. */
export const parseExposition = (text: string): Line[] => {
  if (!text.endsWith('\n')) throw new Error('the last line is cut')
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const found = /^([A-Za-z_:][\w:]*)(?:\{((?:[A-Za-z_]\w*="(?:[^"\\]|\\.)*",?)*)\})? (\S+)(?: (\d+))?$/.exec(line)
      const [, name, inside = '', value = '', timestamp] = found ?? []
      if (name === undefined || (Number.isNaN(Number(value)) && !['NaN', '+Inf'].includes(value))) {
        throw new Error(`not a sample: ${line}`)
      }
      const pairs = [...inside.matchAll(/([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g)]
      const labels = Object.fromEntries(pairs.map(([, key = '', quoted = '']) => [key, unescaped(quoted)]))
      return {
        name,
        labels,
        value: Number(value),
        ...(timestamp === undefined ? {} : { timestampMs: Number(timestamp) }),
      }
    })
}

export const matching = (lines: readonly Line[], name: string, labels: Record<string, string> = {}): Line[] =>
  lines.filter(
    (line) => line.name === name && Object.entries(labels).every(([key, value]) => line.labels[key] === value),
  )
export const total = (lines: readonly Line[], name: string, labels: Record<string, string> = {}): number =>
  matching(lines, name, labels).reduce((sum, { value }) => sum + value, 0)

export type Reply = { status: number; headers: [string, string][]; body: string }

/** One request on a connection of its own, headers as they came. */
export const get = (url: string, options: { headers?: Record<string, string>; method?: string; body?: string } = {}) =>
  new Promise<Reply>((resolve, reject) => {
    const { headers = {}, method = 'GET', body } = options
    const sent = request(url, { method, headers, agent: false, signal: AbortSignal.timeout(5_000) }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        const { rawHeaders } = response
        const pairs = rawHeaders.flatMap((name, index): [string, string][] =>
          index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : [],
        )
        resolve({ status: response.statusCode ?? 0, headers: pairs, body: Buffer.concat(parts).toString() })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })

export const scrape = async (url: string): Promise<Line[]> => parseExposition((await get(url)).body)
export const kube = (town: Town): Promise<Line[]> => scrape(`${town.urls.kubeStateMetrics}/metrics`)
export const federate = (town: Town, match = '{job="linkerd-proxy"}'): Promise<Line[]> =>
  scrape(`${town.urls.linkerd}/federate?match[]=${encodeURIComponent(match)}`)

export type Stream = { stream: Record<string, string>; values: [string, string][] }

export const lokiUrl = (town: Town, params: Record<string, string>): string =>
  `${town.urls.loki}/loki/api/v1/query_range?${new URLSearchParams(params)}`

export const streams = async (town: Town, query: string, params: Record<string, string> = {}): Promise<Stream[]> => {
  const { status, body } = await get(lokiUrl(town, { query, limit: '5000', ...params }))
  if (status !== 200) throw new Error(body)
  const parsed: { data: { result: Stream[] } } = JSON.parse(body)
  return parsed.data.result
}
export const logLines = async (town: Town, query: string, params: Record<string, string> = {}): Promise<string[]> =>
  (await streams(town, query, params)).flatMap(({ values }) => values.map(([, line]) => line))

export const vote = (town: Town, shortcode: string): Promise<Reply> =>
  get(`${town.urls.web}${town.names.paths.vote}?${town.names.paths.choice}=${shortcode}`)
