import { request } from 'node:https'
import { afterEach, expect, test } from '@jest/globals'
import { freePorts } from '../../../examples/emojivoto/ports.ts'
import type { SceneName } from '../../../examples/emojivoto/scenes.ts'
import { startTown, type Town } from '../../../examples/emojivoto/town.ts'
import { kube, type Line, logLines, matching, parseExposition, scrape, total } from './reading.ts'

/** A whole second of now: the town's certificate is of its own time, and we trust it in ours. */
const faultMs = Math.floor(Date.now() / 1000) * 1000
let town: Town | undefined
let nowMs = 0
const open = async (scene: SceneName): Promise<Town> => {
  nowMs = faultMs - 60_000
  town = await startTown({ scene, ports: freePorts, requestsPerSecond: 0, nowMs: () => nowMs })
  return town
}
/** The fault begins, and some time goes by. */
const faultFor = (ms: number): void => {
  nowMs = faultMs
  town?.setFault(true)
  nowMs = faultMs + ms
}
afterEach(async () => {
  await town?.close()
  town = undefined
})

const ask = (path: string, token = town?.token) =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const options = { ca: town?.caPem, headers: { authorization: `Bearer ${token}` }, agent: false }
    const sent = request(`${town?.urls.kubernetes}${path}`, options, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
      )
    })
    sent.on('error', reject)
    sent.end()
  })
const proxied = async (path: string): Promise<Line[]> => parseExposition((await ask(path)).body)
const nodes = ['worker-01', 'worker-02']
const fromNodes = async (path: string): Promise<Line[]> =>
  (await Promise.all(nodes.map((node) => proxied(`/api/v1/nodes/${node}${path}`)))).flat()
const cadvisor = () => fromNodes('/proxy/metrics/cadvisor')

// biome-ignore lint/suspicious/noExplicitAny: objects of the Kubernetes API, of which each test looks at its part.
type Listed = any
const items = async (path: string): Promise<Listed[]> => JSON.parse((await ask(path)).body).items
const own = '/namespaces/emojivoto'

test('nobody is let in without the token, and what is not served is not found', async () => {
  await open('healthy')
  for (const token of ['', 'wrong', undefined])
    expect(await ask('/api/v1/pods', token ?? 'none')).toMatchObject({ status: 401 })
  expect((await ask('/api/v1/secrets')).status).toBe(404)
  expect((await ask('/api/v1/nodes/worker-09/proxy/metrics/cadvisor')).status).toBe(404)
  expect((await ask(`/api/v1${own}/pods/nobody:8801/proxy/metrics`)).status).toBe(404)
})

test('lists go by selectors and page by page', async () => {
  await open('healthy')
  const page = async (more = '') => JSON.parse((await ask(`/api/v1/pods?limit=3${more}`)).body)
  const first = await page()
  const second = await page(`&continue=${first.metadata.continue}`)
  expect([first.items.length, second.items.length, second.metadata.continue]).toEqual([3, 2, undefined])
  const names = async (query: string) =>
    (await items(`/api/v1/pods?${query}`)).map(({ metadata }) => metadata.labels.app)
  expect(await names('labelSelector=app=web')).toEqual(['web'])
  expect(await names('fieldSelector=metadata.namespace!=emojivoto')).toEqual(['catalog'])
  expect((await ask('/api/v1/pods?labelSelector=app+in+(web)')).status).toBe(400)
})

test('the API and kube-state-metrics tell of the same pods while one of them dies and comes back', async () => {
  const here = await open('emoji-oom')
  for (const ms of [500, 1_200, 6_000, 12_000, 40_000]) {
    faultFor(ms)
    const [pods, lines] = [await items(`/api/v1${own}/pods`), await kube(here)]
    for (const { metadata, status } of pods) {
      const [container] = status.containerStatuses
      const of = { pod: metadata.name, container: container.name }
      const told = {
        restarts: total(lines, 'kube_pod_container_status_restarts_total', of),
        ready: total(lines, 'kube_pod_container_status_ready', of),
        waiting: matching(lines, 'kube_pod_container_status_waiting_reason', of)[0]?.labels['reason'],
        last: matching(lines, 'kube_pod_container_status_last_terminated_reason', of)[0]?.labels['reason'],
      }
      expect(told).toEqual({
        restarts: container.restartCount,
        ready: Number(container.ready),
        waiting: container.state.waiting?.reason,
        last: container.lastState.terminated?.reason,
      })
    }
  }
})

test('memory grows to its limit before each death, the node counts the kill, and a dead container uses nothing', async () => {
  await open('emoji-oom')
  const memory = async () =>
    matching(await cadvisor(), 'container_memory_working_set_bytes', { container: 'emoji-svc' })
  const limit = 64 * 1024 ** 2
  expect((await memory()).map(({ value }) => value < limit / 2)).toEqual([true])
  const kills = async () => total(await fromNodes(':9100/proxy/metrics'), 'node_vmstat_oom_kill')
  expect(await kills()).toBe(0)
  faultFor(500)
  expect([await memory(), await kills()]).toEqual([[], 1])
  // It starts again after a second, and lives for one and a half.
  nowMs = faultMs + 2_499
  expect((await memory()).map(({ value }) => value > limit * 0.99 && value <= limit)).toEqual([true])
  nowMs = faultMs + 3_000
  expect([await memory(), await kills()]).toEqual([[], 2])
})

test.each<SceneName>(['healthy', 'emoji-oom', 'voting-bad-rollout'])(
  'a node is busy with what its containers use at least, and its counters never fall: %s',
  async (scene) => {
    await open(scene)
    const busy = async () =>
      (await fromNodes(':9100/proxy/metrics'))
        .filter(
          ({ name, labels }) => name === 'node_cpu_seconds_total' && ['user', 'system'].includes(labels['mode'] ?? ''),
        )
        .reduce((sum, { value }) => sum + value, 0)
    let before = await busy()
    expect(before).toBeGreaterThan(total(await cadvisor(), 'container_cpu_usage_seconds_total'))
    for (const ms of [500, 1_500, 2_400, 5_000, 20_000]) {
      faultFor(ms)
      const now = await busy()
      expect(now).toBeGreaterThanOrEqual(before)
      before = now
    }
    town?.setFault(false)
    nowMs += 5_000
    expect(await busy()).toBeGreaterThanOrEqual(before)
  },
)

test('a failing probe is counted by the kubelet and told in an Event, and only while it fails', async () => {
  await open('emoji-oom')
  const failed = async () =>
    total(await fromNodes('/proxy/metrics/probes'), 'prober_probe_total', { result: 'failed', container: 'emoji-svc' })
  const events = () => items(`/api/v1${own}/events?fieldSelector=type=Warning`)
  expect([await failed(), await events()]).toEqual([0, []])
  faultFor(15_000)
  const told = Object.fromEntries((await events()).map(({ reason, count, message }) => [reason, { count, message }]))
  expect(await failed()).toBeGreaterThan(0)
  expect(told['Unhealthy']).toEqual({
    count: await failed(),
    message: expect.stringMatching(/^Readiness probe failed: /),
  })
  expect(told['BackOff']?.message).toContain('Back-off restarting failed container emoji-svc in pod emoji-')
})

test('a rollout is a new revision with another image, and undoing it makes the old one the newest', async () => {
  await open('voting-bad-rollout')
  const history = async () =>
    (await items(`/apis/apps/v1${own}/replicasets?labelSelector=app=voting`))
      .map(({ metadata, spec }) => [
        Number(metadata.annotations['deployment.kubernetes.io/revision']),
        spec.template.spec.containers[0].image.split(':')[1],
        spec.replicas,
      ])
      .sort(([a], [b]) => a - b)
  expect(await history()).toEqual([
    [1, 'previous', 0],
    [2, 'v11', 1],
  ])
  faultFor(3_000)
  expect((await history()).slice(1)).toEqual([
    [2, 'v11', 0],
    [3, 'v12', 1],
  ])
  const scalings = await items(`/api/v1${own}/events?fieldSelector=reason=ScalingReplicaSet`)
  expect(scalings.map(({ message }) => message.replace(/-\w{10}/, ''))).toEqual([
    'Scaled up replica set voting from 0 to 1',
    'Scaled down replica set voting from 1 to 0',
  ])
  town?.setFault(false)
  expect((await history()).slice(1)).toEqual([
    [3, 'v12', 0],
    [4, 'v11', 1],
  ])
})

test('the last lines of the life before are those the logs have of it', async () => {
  const here = await open('voting-bad-rollout')
  faultFor(20_000)
  const [pod] = await items(`/api/v1${own}/pods?labelSelector=app=voting`)
  const path = `/api/v1${own}/pods/${pod.metadata.name}/log?container=voting-svc`
  const lines = (await ask(`${path}&previous=true&tailLines=5`)).body.split('\n').slice(0, -1)
  expect(lines[0]).toContain('panic: open /etc/voting/weights.json')
  const at = { start: String(faultMs * 1e6), end: String(nowMs * 1e6) }
  const logged = await logLines(here, `{pod="${pod.metadata.name}"}`, at)
  expect(lines.every((line) => logged.includes(line))).toBe(true)
  const [web] = await items(`/api/v1${own}/pods?labelSelector=app=web`)
  const none = await ask(`/api/v1${own}/pods/${web.metadata.name}/log?container=web-svc&previous=true`)
  expect(none).toMatchObject({ status: 400, body: expect.stringContaining('previous terminated container') })
})

test('the proxy leads to the same expositions, and says what it cannot reach', async () => {
  const here = await open('emoji-oom')
  const names = (lines: readonly Line[]) => lines.map(({ name, labels }) => JSON.stringify([name, labels])).sort()
  const kubePath = '/api/v1/namespaces/kube-system/services/kube-state-metrics:8080/proxy/metrics'
  expect(names(await proxied(kubePath))).toEqual(names(await kube(here)))
  const [emoji] = await items(`/api/v1${own}/pods?labelSelector=app=emoji`)
  const path = `/api/v1${own}/pods/${emoji.metadata.name}:8801/proxy/metrics`
  const process = await proxied(path)
  expect(names(process)).toEqual(names(await scrape(here.urls.emojiMetrics)))
  const seconds = total(process, 'process_cpu_seconds_total')
  expect(seconds).toBe(total(await cadvisor(), 'container_cpu_usage_seconds_total', { container: 'emoji-svc' }))
  faultFor(500)
  expect(await ask(path)).toMatchObject({ status: 503, body: expect.stringContaining('connection refused') })
  here.setUnavailable(['kubelet', 'kube-state-metrics'])
  expect((await ask('/api/v1/nodes/worker-01/proxy/metrics/cadvisor')).status).toBe(503)
  expect((await ask(kubePath)).status).toBe(503)
  here.setUnavailable(['kubernetes'])
  expect((await ask('/api/v1/nodes')).status).toBe(503)
})
