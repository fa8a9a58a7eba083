import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { defaultPorts, freePorts } from '../../../examples/emojivoto/ports.ts'
import { startTown, type Town, type TownOptions } from '../../../examples/emojivoto/town.ts'
import { federate, get, kube, logLines, matching, scrape, total, vote } from './reading.ts'

const observed = new URL('../../../../shared/fixtures/kube/emojivoto/observed/', import.meta.url)
const sharedTest = existsSync(observed) ? test : test.skip
const read = (name: string): string => readFileSync(new URL(name, observed), 'utf8')

let town: Town | undefined
const open = async (options: TownOptions = {}): Promise<Town> => {
  town = await startTown({ ports: freePorts, requestsPerSecond: 0, ...options })
  return town
}
afterEach(async () => {
  await town?.close()
  town = undefined
})

const shape = (text: string): string =>
  text
    .replace(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/g, 'TIME')
    .replace(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replace(/0x[0-9a-f]{12}/g, 'POINTER')
    .replace(/\[[0-9a-f]{16,32}\]/g, '[ID]')
    .replace(/\[[\d.]+\]/g, '[NUMBER]')

describe('what the real programs did', () => {
  sharedTest('a failing vote answers with the same status, headers and body', async () => {
    const here = await open()
    here.setFault(true)
    const [head = '', body] = read('vote-doughnut.http').replaceAll('\r', '').split('\n\n')
    const [statusLine = '', ...headers] = head.split('\n').map((line) => line.replace(/^Date: .*/, 'Date'))
    const reply = await vote(here, ':doughnut:')
    expect(`HTTP/1.1 ${reply.status} Internal Server Error`).toBe(statusLine)
    expect(reply.headers.map(([name, value]) => (name === 'Date' ? 'Date' : `${name}: ${value}`))).toEqual(headers)
    expect(reply.body.trim()).toBe(body?.trim())
  })

  sharedTest('web logs the failing request as Go prints it', async () => {
    const here = await open({ requestsPerSecond: 100 })
    here.setFault(true)
    const real = read('web.log')
      .split('\n')
      .find((line) => line.includes('Go-http-client'))
    const deadlineMs = Date.now() + 10_000
    let ours: string[] = []
    while (ours.length === 0 && Date.now() < deadlineMs) {
      ours = await logLines(here, '{app="web"} |= "Go-http-client"')
    }
    expect(shape(ours[0] ?? '')).toBe(shape(real ?? 'none'))
  })

  sharedTest('voting and emoji log the same kinds of lines', async () => {
    const here = await open()
    await vote(here, ':joy:')
    here.setFault(true)
    await vote(here, ':doughnut:')
    const since = { start: String((Date.now() - 20 * 86_400_000) * 1e6) }
    const kinds = (lines: readonly string[]) => new Set(lines.map((line) => shape(line).replace(/:\w+:/, ':ITEM:')))
    const real = read('voting.log').split('\n').slice(0, -1)
    const ours = await logLines(here, '{app="voting"}', since)
    expect([...kinds(ours)].sort()).toEqual([...kinds(real)].sort())
    const emoji = await logLines(here, '{app="emoji"}', { ...since, direction: 'forward' })
    expect(emoji.map(shape)).toEqual(read('emoji.log').trim().split('\n').map(shape))
  })

  sharedTest('voting exports the series of a failing method with the same labels', async () => {
    const here = await open()
    here.setFault(true)
    await vote(here, ':doughnut:')
    const ours = (await get(here.urls.votingMetrics)).body.split('\n').filter((line) => line.includes('VoteDoughnut'))
    const real = read('voting-metrics.prom')
      .split('\n')
      .filter((line) => line.includes('VoteDoughnut'))
    const series = (lines: readonly string[]) => lines.map((line) => line.replace(/ \S+$/, '')).sort()
    expect(series(ours)).toEqual(series(real))
  })
})

describe('the fault of the scene doughnut', () => {
  test('breaks votes for one emoji from the moment it is on until it is off', async () => {
    const here = await open()
    expect((await vote(here, ':doughnut:')).status).toBe(200)
    here.setFault(true)
    expect((await vote(here, ':doughnut:')).status).toBe(500)
    expect((await vote(here, ':joy:')).status).toBe(200)
    expect((await get(`${here.urls.web}/api/list`)).status).toBe(200)
    here.setFault(false)
    expect((await vote(here, ':doughnut:')).status).toBe(200)
  })

  test('is counted alike by voting, by both proxies and by both logs', async () => {
    const here = await open({ requestsPerSecond: 200, seed: 7 })
    here.setFault(true)
    const failed = async () =>
      total(await scrape(here.urls.votingMetrics), 'grpc_server_handled_total', { grpc_code: 'Unknown' })
    const deadlineMs = Date.now() + 15_000
    while ((await failed()) < 12 && Date.now() < deadlineMs) await vote(here, ':doughnut:')
    await here.pauseBot()
    const count = await failed()
    const mesh = await federate(here)
    const route = { rt_route: 'VoteDoughnut', classification: 'failure', grpc_status: '2', status_code: '200' }
    expect(count).toBeGreaterThanOrEqual(12)
    expect({
      outbound: total(mesh, 'route_response_total', { ...route, direction: 'outbound', deployment: 'web' }),
      inbound: total(mesh, 'route_response_total', { ...route, direction: 'inbound', deployment: 'voting' }),
      pair: total(mesh, 'response_total', { deployment: 'web', dst_deployment: 'voting', classification: 'failure' }),
      users: total(mesh, 'response_total', { deployment: 'web', direction: 'inbound', status_code: '500' }),
      voting: (await logLines(here, '{app="voting"} |= "logging an error for doughnut"')).length,
      web: (await logLines(here, '{app="web"} |= "code = Unknown desc = ERROR"')).length,
    }).toEqual({ outbound: count, inbound: count, pair: count, users: count, voting: count, web: count })
    expect(
      total(mesh, 'route_response_total', { classification: 'failure', deployment: 'web', direction: 'outbound' }),
    ).toBe(count)
  })

  test('leaves the cluster green: every container ready, nothing restarted, except a neighbour long ago', async () => {
    const here = await open()
    here.setFault(true)
    const lines = await kube(here)
    expect(matching(lines, 'kube_pod_container_status_ready').map(({ value }) => value)).toEqual(Array(10).fill(1))
    expect(matching(lines, 'kube_deployment_status_replicas_unavailable').every(({ value }) => value === 0)).toBe(true)
    const restarted = matching(lines, 'kube_pod_container_status_restarts_total').filter(({ value }) => value > 0)
    expect(restarted.map(({ labels }) => labels['namespace'])).toEqual(['shop'])
    expect(matching(lines, 'kube_pod_container_status_waiting_reason')).toEqual([])
    expect(matching(lines, 'kube_cronjob_spec_suspend').map(({ value }) => value)).toEqual([1])
  })
})

describe('opening and closing', () => {
  test('a town opens within a second and leaves no port behind', async () => {
    const startedAtMs = performance.now()
    const here = await open({ requestsPerSecond: 50 })
    expect(performance.now() - startedAtMs).toBeLessThan(1_000)
    const ports = Object.values(here.urls).map((url) => Number(new URL(url).port))
    expect(new Set(ports).size).toBe(ports.length)
    here.setHang(['loki'])
    const hanging = get(here.urls.loki).catch((error: NodeJS.ErrnoException) => error.code)
    await get(here.urls.web)
    await here.close()
    expect(await hanging).toBe('ECONNRESET')
    for (const port of ports) {
      const free = await new Promise<boolean>((resolve) => {
        const probe = createServer()
        probe.once('error', () => resolve(false))
        probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
      })
      expect({ port, free }).toEqual({ port, free: true })
    }
  })

  test('a taken port is refused with a sentence, and nothing stays open', async () => {
    const first = await open()
    const taken = Number(new URL(first.urls.loki).port)
    await expect(startTown({ ports: { ...freePorts, loki: taken } })).rejects.toMatchObject({
      code: 'town-port-taken',
      message: `port ${taken} (loki) is taken on 127.0.0.1; does another town run here?`,
    })
  })

  test('the default ports all differ', () => {
    expect(new Set(Object.values(defaultPorts)).size).toBe(11)
  })

  test('a scheduled fault comes on and goes by itself', async () => {
    const here = await open({ faultAfterMs: 20, faultForMs: 20 })
    const deadlineMs = Date.now() + 5_000
    while (here.faultWindows()[0]?.endedAtMs === undefined && Date.now() < deadlineMs) await get(here.urls.web)
    const [window] = here.faultWindows()
    expect(here.faultWindows()).toHaveLength(1)
    expect((window?.endedAtMs ?? 0) - (window?.startedAtMs ?? 0)).toBeGreaterThanOrEqual(15)
  })
})

describe('the sources', () => {
  test.each([
    { name: 'kube-state-metrics', path: (here: Town) => `${here.urls.kubeStateMetrics}/healthz` },
    { name: 'linkerd', path: (here: Town) => `${here.urls.linkerd}/-/ready` },
    { name: 'loki', path: (here: Town) => `${here.urls.loki}/ready` },
  ] as const)('$name can refuse or hang, and the others go on', async ({ name, path }) => {
    const here = await open()
    const ready = [`${here.urls.kubeStateMetrics}/healthz`, `${here.urls.linkerd}/-/ready`, `${here.urls.loki}/ready`]
    const statuses = () =>
      Promise.all(ready.filter((url) => url !== path(here)).map(async (url) => (await get(url)).status))
    here.setUnavailable([name])
    expect((await get(path(here))).status).toBe(503)
    expect(await statuses()).toEqual([200, 200])
    here.setUnavailable([])
    here.setHang([name])
    const hung = get(path(here)).then(
      () => 'answered',
      () => 'closed without an answer',
    )
    expect(await statuses()).toEqual([200, 200])
    here.setHang([])
    expect((await get(path(here))).status).toBe(200)
    await here.close()
    expect(await hung).toBe('closed without an answer')
  })

  test('are compressed when asked, and say the same', async () => {
    const here = await open()
    const response = await fetch(`${here.urls.kubeStateMetrics}/metrics`, { headers: { 'accept-encoding': 'gzip' } })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect((await response.text()).length).toBe((await get(`${here.urls.kubeStateMetrics}/metrics`)).body.length)
  })

  test('federation gives what a match[] selects, with timestamps, and nothing without one', async () => {
    const here = await open()
    await vote(here, ':joy:')
    const all = await federate(here)
    expect(all.length).toBeGreaterThan(100)
    expect(all.every(({ timestampMs }) => Math.abs((timestampMs ?? 0) - Date.now()) < 10_000)).toBe(true)
    const some = await federate(here, '{__name__=~"route_response_total|nothing",direction="outbound"}')
    expect(some.map(({ name, labels }) => [name, labels['rt_route']])).toEqual([['route_response_total', 'VoteJoy']])
    expect((await get(`${here.urls.linkerd}/federate`)).body).toBe('')
    expect((await get(`${here.urls.linkerd}/federate?match[]={`)).status).toBe(400)
  })
})

describe('the lever for another process', () => {
  const post = (here: Town, path: string, body: string, type = 'application/json') =>
    get(`${here.urls.control}${path}`, { method: 'POST', body, headers: { 'content-type': type } })

  test('turns the fault on and off and tells when', async () => {
    const here = await open()
    expect((await post(here, '/fault', '{"on":true}')).status).toBe(200)
    expect((await vote(here, ':doughnut:')).status).toBe(500)
    expect((await post(here, '/sources', '{"loki":"unavailable"}')).status).toBe(200)
    const state: unknown = JSON.parse((await get(`${here.urls.control}/state`)).body)
    expect(state).toMatchObject({
      scene: 'doughnut',
      faultOn: true,
      faultWindows: here.faultWindows(),
      sources: { loki: 'unavailable', linkerd: 'normal' },
      urls: here.urls,
    })
  })

  test.each([
    { given: 'no JSON', path: '/fault', body: 'on', status: 400 },
    { given: 'an array', path: '/fault', body: '[]', status: 400 },
    { given: 'a word for on', path: '/fault', body: '{"on":"yes"}', status: 400 },
    { given: 'an unknown source', path: '/sources', body: '{"loky":"hang"}', status: 400 },
    { given: 'an unknown mode', path: '/sources', body: '{"loki":"sleep"}', status: 400 },
    { given: 'a form, as a browser sends it', path: '/fault', body: '{"on":true}', type: 'text/plain', status: 415 },
    { given: 'another path', path: '/faults', body: '{"on":true}', status: 404 },
    { given: 'too much', path: '/fault', body: `{"on":true,"x":"${'x'.repeat(20_000)}"}`, status: 400 },
  ])('refuses $given', async ({ path, body, type, status }) => {
    const here = await open()
    expect((await post(here, path, body, type)).status).toBe(status)
    expect(here.faultWindows()).toEqual([])
  })
})
