import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from '@jest/globals'
import { freePorts } from '../../../examples/emojivoto/ports.ts'
import type { SceneName } from '../../../examples/emojivoto/scenes.ts'
import { startTown, type Town } from '../../../examples/emojivoto/town.ts'
import {
  federate,
  get,
  kube,
  type Line,
  logLines,
  matching,
  parseExposition,
  scrape,
  streams,
  total,
  vote,
} from './reading.ts'

const realCluster = new URL('../../../../shared/fixtures/kube/real-cluster/', import.meta.url)
const sharedTest = existsSync(realCluster) ? test : test.skip

let town: Town | undefined
/** A town whose clock is an argument. */
const open = async (scene: SceneName): Promise<{ here: Town; at: (ms: number) => void; faultMs: number }> => {
  const faultMs = 1_900_000_000_000
  let nowMs = faultMs - 60_000
  town = await startTown({ scene, ports: freePorts, requestsPerSecond: 0, nowMs: () => nowMs })
  return {
    here: town,
    faultMs,
    at: (ms) => {
      nowMs = ms
    },
  }
}
afterEach(async () => {
  await town?.close()
  town = undefined
})

const values = (lines: readonly Line[], name: string, labels: Record<string, string>): number[] =>
  matching(lines, name, labels).map(({ value }) => value)

/** What kube-state-metrics says of one container; absent series are absent here too. */
const container = (lines: readonly Line[], name: string) => {
  const of = { namespace: 'emojivoto', container: name }
  const one = (metric: string) => values(lines, `kube_pod_container_${metric}`, of)[0]
  const reason = (metric: string) => matching(lines, `kube_pod_container_${metric}`, of)[0]?.labels['reason']
  const state = ['running', 'terminated', 'waiting'].filter((kind) => one(`status_${kind}`) === 1).join()
  const facts = {
    state,
    reason: reason('status_waiting_reason') ?? reason('status_terminated_reason'),
    restarts: one('status_restarts_total'),
    ready: one('status_ready'),
    last: reason('status_last_terminated_reason'),
    exitCode: one('status_last_terminated_exitcode'),
    lastAt: one('status_last_terminated_timestamp'),
  }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}

describe('emoji-oom: the container is killed for its memory again and again', () => {
  const killed = { last: 'OOMKilled', exitCode: 137, ready: 0 }
  test.each([
    { afterMs: -1, says: { state: 'running', restarts: 0, ready: 1 } },
    { afterMs: 0, says: { state: 'terminated', reason: 'OOMKilled', restarts: 0, ready: 0 } },
    { afterMs: 1_000, says: { state: 'running', restarts: 1, ...killed, lastAt: 0 } },
    { afterMs: 2_500, says: { state: 'terminated', reason: 'OOMKilled', restarts: 1, ...killed, lastAt: 0 } },
    { afterMs: 3_500, says: { state: 'waiting', reason: 'CrashLoopBackOff', restarts: 1, ...killed, lastAt: 2 } },
    { afterMs: 13_000, says: { state: 'running', restarts: 2, ...killed, lastAt: 2 } },
    { afterMs: 20_000, says: { state: 'waiting', reason: 'CrashLoopBackOff', restarts: 2, ...killed, lastAt: 14 } },
    { afterMs: 600_000, says: { state: 'waiting', reason: 'CrashLoopBackOff', restarts: 6, ...killed, lastAt: 320 } },
  ])('$afterMs ms after the fault it is $says.state with $says.restarts restarts', async ({ afterMs, says }) => {
    const { here, at, faultMs } = await open('emoji-oom')
    at(faultMs)
    if (afterMs >= 0) here.setFault(true)
    at(faultMs + afterMs)
    const { lastAt, ...rest } = { lastAt: undefined, ...says }
    const lines = await kube(here)
    expect(container(lines, 'emoji-svc')).toEqual({
      ...rest,
      ...(lastAt === undefined ? {} : { lastAt: faultMs / 1000 + lastAt }),
    })
    const unavailable = { namespace: 'emojivoto', deployment: 'emoji' }
    expect(values(lines, 'kube_deployment_status_replicas_unavailable', unavailable)).toEqual([1 - says.ready])
    const condition = { deployment: 'emoji', condition: 'Available', status: 'true' }
    expect(values(lines, 'kube_deployment_status_condition', condition)).toEqual([says.ready])
    const endpoint = matching(lines, 'kube_endpointslice_endpoints').find(({ labels }) =>
      labels['targetref_name']?.startsWith('emoji-'),
    )
    expect(endpoint?.labels['ready']).toBe(String(says.ready === 1))
    expect(container(lines, 'voting-svc')).toEqual({ state: 'running', restarts: 0, ready: 1 })
  })

  test('what needs emoji fails, what does not goes on, and recovery leaves the traces Kubernetes keeps', async () => {
    const { here, at, faultMs } = await open('emoji-oom')
    at(faultMs)
    await vote(here, ':joy:')
    here.setFault(true)
    at(faultMs + 5_000)
    const list = await get(`${here.urls.web}/api/list`)
    expect([list.status, (await vote(here, ':joy:')).status, (await get(here.urls.web)).status]).toEqual([
      500, 500, 200,
    ])
    expect(list.body).toContain('code = Unavailable desc = connection error')
    await expect(get(here.urls.emojiMetrics)).rejects.toMatchObject({ code: 'ECONNRESET' })
    const pair = { deployment: 'web', dst_deployment: 'emoji', direction: 'outbound' }
    const mesh = await federate(here)
    expect(total(mesh, 'response_total', { ...pair, classification: 'failure', grpc_status: '14' })).toBe(2)
    expect(total(mesh, 'response_total', { ...pair, classification: 'success' })).toBe(1)
    expect(
      total(mesh, 'response_total', { deployment: 'web', dst_deployment: 'voting', classification: 'failure' }),
    ).toBe(0)
    at(faultMs + 5_001)
    expect(await logLines(here, '{app="web"} |= "connect: connection refused"')).toHaveLength(2)
    at(faultMs + 30_000)
    here.setFault(false)
    expect((await vote(here, ':joy:')).status).toBe(200)
    const emoji = await scrape(here.urls.emojiMetrics)
    expect(total(emoji, 'grpc_server_handled_total')).toBe(1)
    expect(total(emoji, 'process_start_time_seconds')).toBe(faultMs / 1000 + 30)
    expect(container(await kube(here), 'emoji-svc')).toEqual({
      ...{ state: 'running', restarts: 3, ready: 1, last: 'OOMKilled', exitCode: 137 },
      lastAt: faultMs / 1000 + 14,
    })
    at(faultMs + 30_001)
    const starts = await logLines(here, '{app="emoji"} |= "Starting grpc"', { start: String(faultMs * 1e6) })
    expect(starts).toHaveLength(3)
  })
})

describe('voting-bad-rollout: a new version cannot start', () => {
  const sets = (lines: readonly Line[]) =>
    matching(lines, 'kube_replicaset_spec_replicas')
      .filter(({ labels }) => labels['replicaset']?.startsWith('voting-'))
      .map(({ value }) => value)
  const generation = (lines: readonly Line[]) => [
    ...values(lines, 'kube_deployment_metadata_generation', { deployment: 'voting' }),
    ...values(lines, 'kube_deployment_status_observed_generation', { deployment: 'voting' }),
  ]
  const image = (lines: readonly Line[]) =>
    matching(lines, 'kube_pod_container_info', { container: 'voting-svc' }).map(({ labels }) => labels['image'])
  const registry = 'docker.l5d.io/buoyantio/emojivoto-voting-svc'

  test('the cluster shows the rollout, then its undoing', async () => {
    const { here, at, faultMs } = await open('voting-bad-rollout')
    at(faultMs)
    const before = await kube(here)
    expect([generation(before), sets(before), image(before)]).toEqual([[2, 2], [0, 1], [`${registry}:v11`]])
    here.setFault(true)
    const creating = await kube(here)
    expect(container(creating, 'voting-svc')).toEqual({
      state: 'waiting',
      reason: 'ContainerCreating',
      restarts: 0,
      ready: 0,
    })
    expect(values(creating, 'kube_pod_status_phase', { phase: 'Pending' })).toContain(1)
    at(faultMs + 8_000)
    const during = await kube(here)
    expect([generation(during), sets(during), image(during)]).toEqual([[3, 3], [0, 0, 1], [`${registry}:v12`]])
    expect(container(during, 'voting-svc')).toEqual({
      ...{ state: 'waiting', reason: 'CrashLoopBackOff', restarts: 1, ready: 0, last: 'Error', exitCode: 1 },
      lastAt: faultMs / 1000 + 3,
    })
    const created = matching(during, 'kube_replicaset_created').map(({ value }) => value)
    expect(created).toContain(faultMs / 1000)
    here.setFault(false)
    const after = await kube(here)
    expect([generation(after), sets(after), image(after)]).toEqual([[4, 4], [0, 1, 0], [`${registry}:v11`]])
    expect(container(after, 'voting-svc')).toEqual({ state: 'running', restarts: 0, ready: 1 })
    const pods = [before, during, after].map((lines) =>
      matching(lines, 'kube_pod_info').map(({ labels }) => labels['pod']),
    )
    expect(new Set(pods.flat().filter((pod) => pod?.startsWith('voting-'))).size).toBe(3)
  })

  test('every vote fails, reading goes on, and the new pod says why it dies', async () => {
    const { here, at, faultMs } = await open('voting-bad-rollout')
    await vote(here, ':joy:')
    at(faultMs)
    here.setFault(true)
    at(faultMs + 5_000)
    const statuses = [await vote(here, ':joy:'), await vote(here, ':doughnut:'), await get(`${here.urls.web}/api/list`)]
    expect(statuses.map(({ status }) => status)).toEqual([500, 500, 200])
    const panics = await streams(here, '{app="voting"} |= "panic"')
    const pod = matching(await kube(here), 'kube_pod_info').find(({ labels }) => labels['pod']?.startsWith('voting-'))
    expect(panics.map(({ stream, values: lines }) => [stream['pod'], lines.length])).toEqual([[pod?.labels['pod'], 2]])
    const mesh = await federate(here)
    expect(total(mesh, 'route_response_total', { direction: 'outbound', rt_route: 'VoteJoy', grpc_status: '14' })).toBe(
      1,
    )
    expect(matching(mesh, 'response_total', { deployment: 'voting', classification: 'success' })).toEqual([])
    here.setFault(false)
    expect((await vote(here, ':joy:')).status).toBe(200)
    expect(total(await scrape(here.urls.votingMetrics), 'emojivoto_votes_total', { emoji: ':joy:' })).toBe(1)
  })
})

describe('web-cert-expired: the HTTPS endpoint', () => {
  const handshake = (here: Town, ca: string) =>
    new Promise<string>((resolve, reject) => {
      const { port } = new URL(here.urls.webSecure)
      const options = { host: '127.0.0.1', port: Number(port), servername: 'localhost', ca, rejectUnauthorized: false }
      const socket = connect(options, () => {
        resolve(socket.authorized ? 'trusted' : String(socket.authorizationError))
        socket.destroy()
      })
      socket.on('error', reject)
    })

  test('is trusted, then expired, then trusted again, while all inside is healthy', async () => {
    town = await startTown({ scene: 'web-cert-expired', ports: freePorts, requestsPerSecond: 0 })
    const here = town
    expect(await handshake(here, here.caPem)).toBe('trusted')
    here.setFault(true)
    expect(await handshake(here, here.caPem)).toBe('CERT_HAS_EXPIRED')
    expect((await vote(here, ':doughnut:')).status).toBe(200)
    expect(values(await kube(here), 'kube_deployment_status_replicas_unavailable', {})).toEqual([0, 0, 0, 0, 0])
    here.setFault(false)
    expect(await handshake(here, here.caPem)).toBe('trusted')
  })
})

test('healthy has no fault to turn on', async () => {
  const { here } = await open('healthy')
  here.setFault(true)
  expect(here.faultWindows()).toEqual([])
  expect((await vote(here, ':doughnut:')).status).toBe(200)
})

test('windows are exact, repeats change nothing, and what is given away cannot be changed from outside', async () => {
  const { here, at, faultMs } = await open('doughnut')
  at(faultMs)
  here.setFault(true)
  at(faultMs + 7)
  here.setFault(true)
  at(faultMs + 1_234)
  here.setFault(false)
  here.setFault(false)
  here.faultWindows().pop()
  expect(here.faultWindows()).toEqual([{ startedAtMs: faultMs, endedAtMs: faultMs + 1_234 }])
})

describe('what a real control plane exports', () => {
  const shapes = (lines: readonly Line[]): Map<string, Set<string>> => {
    const found = new Map<string, Set<string>>()
    for (const { name, labels } of lines) {
      const keys = found.get(name) ?? new Set<string>()
      found.set(name, keys.add(Object.keys(labels).join()))
    }
    return found
  }

  sharedTest.each(['emoji-oom', 'voting-bad-rollout'] as const)(
    '%s uses its metrics, labels and their order',
    async (scene) => {
      const file = new URL('s01/kube-state-metrics/1795406424.prom.gz', realCluster)
      const real = shapes(parseExposition(gunzipSync(readFileSync(file)).toString()))
      const { here, at, faultMs } = await open(scene)
      at(faultMs)
      here.setFault(true)
      at(faultMs + 5_000)
      const ours = shapes(await kube(here))
      // In that scrape no container was waiting.
      ours.delete('kube_pod_container_status_waiting_reason')
      expect(ours.size).toBeGreaterThan(60)
      const strange = [...ours].flatMap(([name, keys]) =>
        [...keys].filter((key) => !real.get(name)?.has(key)).map((key) => `${name}: ${key}`),
      )
      expect(strange).toEqual([])
    },
  )
})
