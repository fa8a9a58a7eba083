import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { fill, type Item, voteMethod } from './names.ts'
import { digest } from './random-names.ts'
import { goError, type Result, type RpcClient } from './rpc.ts'
import { type Answer, answer, notFound, targetOf } from './serving.ts'
import type { World } from './world.ts'

export type Backends = { voting: RpcClient; emoji: RpcClient }

const limitLoggedRequest = 4_096

const canonical = (name: string): string =>
  name.toLowerCase().replace(/(^|-)([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase())

/** `map[Accept:[*\/*] User-Agent:[curl/7.88.1]]`: Go's way to print a map, keys sorted. */
const goMap = (pairs: readonly (readonly [string, string])[]): string => {
  const grouped = new Map<string, string[]>()
  for (const [name, value] of pairs) grouped.set(name, [...(grouped.get(name) ?? []), value])
  const keys = [...grouped.keys()].sort()
  return `map[${keys.map((key) => `${key}:[${(grouped.get(key) ?? []).join(' ')}]`).join(' ')}]`
}

// Go keeps the host elsewhere, the sidecar takes its own away, and Go's client would not have sent the third.
const unlogged = ['Host', 'L5d-Client-Id', 'Connection']

/** A request as Go prints its struct, which is what the real program logs. */
const goRequest = (request: IncomingMessage): string => {
  const { rawHeaders, socket, url = '', method = '', headers } = request
  const pairs = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[canonical(name), rawHeaders[index + 1] ?? ''] as const] : [],
  )
  const header = goMap(pairs.filter(([name]) => !unlogged.includes(name)))
  const form = goMap([...(targetOf(request)?.searchParams ?? [])])
  const remote = `127.0.0.1:${socket.remotePort ?? 0}`
  const pointer = `0x${digest(`${remote} ${url}`, 12)}`
  const start = `${method} ${url} HTTP/1.1 1 1 ${header} {} <nil> 0 [] false ${headers.host ?? ''}`
  const end = `${form} map[] <nil> map[] ${remote} ${url} <nil> <nil> <nil>  ${pointer} <nil> [] map[]`
  return `&{${start} ${end}}`.slice(0, limitLoggedRequest)
}

const json = (status: number, body: unknown): Answer => ({
  status,
  contentType: 'application/json; charset=UTF-8',
  body: `${JSON.stringify(body)}\n`,
})

type Failure = { status: number; error: string }
const failed = (result: Result): Failure => ({ status: 500, error: goError(result) })

// The bodies below come from the town's own programs, whose methods give exactly these shapes.
const itemsOf = (result: Result): Item[] => (result.body ?? []) as Item[]
const votesOf = (result: Result): Record<string, number> => (result.body ?? {}) as Record<string, number>

const list = async ({ names }: World, { emoji }: Backends): Promise<Answer | Failure> => {
  const result = await emoji.call({ method: names.rpc.listAll })
  if (result.code !== 0) return failed(result)
  const { shortcode, unicode } = names.fields
  return json(
    200,
    itemsOf(result).map((item) => ({ [shortcode]: item.shortcode, [unicode]: item.unicode })),
  )
}

const vote = async ({ names }: World, backends: Backends, target: URL): Promise<Answer | Failure> => {
  const shortcode = target.searchParams.get(names.paths.choice) ?? ''
  if (shortcode === '') return { status: 400, error: names.texts.missingItem }
  const found = await backends.emoji.call({ method: names.rpc.find, body: { shortcode } })
  if (found.code !== 0) return failed(found)
  if (found.body === null) return { status: 400, error: fill(names.texts.unknownItem, { item: shortcode }) }
  const method = voteMethod(names, shortcode)
  const voted = await backends.voting.call({ method, route: method })
  return voted.code === 0 ? { status: 200, body: '' } : failed(voted)
}

const leaderboard = async ({ names }: World, { voting, emoji }: Backends): Promise<Answer | Failure> => {
  const { results, listAll } = names.rpc
  const [votes, items] = await Promise.all([
    voting.call({ method: results, route: results }),
    emoji.call({ method: listAll }),
  ])
  if (votes.code !== 0) return failed(votes)
  if (items.code !== 0) return failed(items)
  const { shortcode, unicode, votes: count } = names.fields
  const counted = votesOf(votes)
  const rows = itemsOf(items)
    .map((item) => ({ item, votes: counted[item.shortcode] ?? 0 }))
    .filter((row) => row.votes > 0)
    .sort((a, b) => b.votes - a.votes)
  return json(
    200,
    rows.map((row) => ({ [shortcode]: row.item.shortcode, [unicode]: row.item.unicode, [count]: row.votes })),
  )
}

const homepage = ({ names }: World): Answer => ({
  status: 200,
  contentType: 'text/html; charset=utf-8',
  body: [
    '<!DOCTYPE html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${names.title}</title></head>`,
    `<body><h1>${names.title}</h1><ul>`,
    ...names.items.map(
      ({ shortcode, unicode }) =>
        `<li><a href="${names.paths.vote}?${names.paths.choice}=${shortcode}">${unicode}</a></li>`,
    ),
    `</ul><a href="${names.paths.leaderboard}">#</a></body></html>\n`,
  ].join('\n'),
})

const respond = async (world: World, backends: Backends, target: URL): Promise<Answer | Failure> => {
  const { paths } = world.names
  if (target.pathname === '/') return homepage(world)
  if (target.pathname === paths.list) return list(world, backends)
  if (target.pathname === paths.vote) return vote(world, backends, target)
  if (target.pathname === paths.leaderboard) return leaderboard(world, backends)
  return notFound
}

const send = (world: World, request: IncomingMessage, response: ServerResponse, what: Answer | Failure): void => {
  if (!('error' in what)) {
    answer(request, response, what)
    return
  }
  world.log('web', `${world.names.texts.servingError} [${goRequest(request)}]: ${what.error}`)
  answer(request, response, json(what.status, { error: what.error }))
}

const limitTarget = 2_048

/** The route of a path in the service's profile. */
export const webRoute = ({ paths }: World['names'], pathname: string): string | undefined =>
  [paths.list, paths.vote, paths.leaderboard].includes(pathname) ? `GET ${pathname}` : undefined

/** What users see. `meshed`: whether the sidecar sees HTTP (it cannot look into TLS). */
export const webHandler =
  (world: World, backends: Backends, { meshed }: { meshed: boolean }): RequestListener =>
  async (request, response) => {
    const startedAtMs = performance.now()
    const target = targetOf(request)
    if (target === undefined || target.href.length > limitTarget) {
      return answer(request, response, { status: 400, contentType: 'text/plain', body: '400 Bad Request' })
    }
    const route = webRoute(world.names, target.pathname)
    const client = request.headers['l5d-client-id']
    const count = meshed
      ? world.mesh.inbound({
          to: 'web',
          ...(route === undefined ? {} : { route }),
          ...(typeof client === 'string' ? { clientId: client } : {}),
        })
      : undefined
    const what = await respond(world, backends, target)
    count?.({ statusCode: what.status, latencyMs: performance.now() - startedAtMs })
    send(world, request, response, what)
  }
