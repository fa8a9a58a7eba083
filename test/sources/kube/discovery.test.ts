import { expect, test } from '@jest/globals'
import type { DiscoverSpec } from '../../../sources/kube/discover-spec.ts'
import { discoverTargets } from '../../../sources/kube/discovery.ts'
import type { DiscoveredPod } from '../../../sources/kube/objects.ts'
import { spec } from './discover-spec.ts'

const at = 'https://k'
type Changes = { annotations?: Record<string, string>; labels?: Record<string, string>; phase?: string; ip?: string }
const pod = ({ annotations = {}, labels = {}, phase = 'Running', ip = '10.1.0.5' }: Changes = {}): DiscoveredPod => ({
  metadata: { name: 'web-1', namespace: 'shop', annotations, labels },
  spec: {
    nodeName: 'worker-1',
    containers: [
      {
        name: 'web',
        ports: [
          { name: 'http', containerPort: 80 },
          { name: 'metrics', containerPort: 9090 },
        ],
      },
    ],
    initContainers: [
      { name: 'linkerd-proxy', restartPolicy: 'Always', ports: [{ name: 'linkerd-admin', containerPort: 4191 }] },
      { name: 'setup', ports: [{ name: 'metrics', containerPort: 1 }] },
    ],
  },
  status: { phase, podIP: ip },
})
const scraped = { 'prometheus.io/scrape': 'true' }
const base = `${at}/api/v1/namespaces/shop/pods`

test.each<{ given: string; rule: Partial<DiscoverSpec>; of?: Changes; urls: string[] }>([
  { given: 'a port by its name', rule: { port: 'metrics' }, urls: [`${base}/web-1:9090/proxy/metrics`] },
  { given: 'a port by its number, declared or not', rule: { port: 9999 }, urls: [`${base}/web-1:9999/proxy/metrics`] },
  {
    given: 'a sidecar among the init containers',
    rule: { port: 'linkerd-admin' },
    urls: [`${base}/web-1:4191/proxy/metrics`],
  },
  { given: 'no port', rule: {}, urls: [80, 9090, 4191].map((port) => `${base}/web-1:${port}/proxy/metrics`).sort() },
  { given: 'direct', rule: { port: 'metrics', through: 'direct', path: '/m' }, urls: ['http://10.1.0.5:9090/m'] },
  {
    given: 'IPv6',
    rule: { port: 'metrics', through: 'direct' },
    of: { ip: 'fd00::5' },
    urls: ['http://[fd00::5]:9090/metrics'],
  },
  { given: 'annotations that are not there', rule: { annotated: true }, urls: [] },
  {
    given: 'annotations',
    rule: { annotated: true },
    of: {
      annotations: {
        ...scraped,
        'prometheus.io/port': '8080',
        'prometheus.io/path': 'stats',
        'prometheus.io/scheme': 'https',
      },
    },
    urls: [`${base}/https:web-1:8080/proxy/stats`],
  },
  {
    given: 'an annotated port that is no port',
    rule: { annotated: true, port: 'metrics' },
    of: { annotations: { ...scraped, 'prometheus.io/port': '../../secrets' } },
    urls: [`${base}/web-1:9090/proxy/metrics`],
  },
  { given: 'a pod that is over', rule: { port: 'metrics' }, of: { phase: 'Succeeded' }, urls: [] },
])('a pod with $given', ({ rule, of, urls }) => {
  expect(discoverTargets(spec(rule), { pod: [pod(of)] }, at).targets.map(({ url }) => url)).toEqual(urls)
})

test('an annotated path cannot leave the pod it is on', () => {
  const annotations = { ...scraped, 'prometheus.io/path': '/../../../../../namespaces/kube-system/secrets' }
  const { targets, incomplete } = discoverTargets(
    spec({ annotated: true, port: 'metrics' }),
    { pod: [pod({ annotations })] },
    at,
  )
  expect([targets, incomplete]).toEqual([[], '1 targets have no address to reach them by (through: proxy)'])
})

const labelsOf = (rule: Partial<DiscoverSpec>, of?: Changes) =>
  discoverTargets(spec({ port: 'metrics', ...rule }), { pod: [pod(of)] }, at).targets[0]?.labels

test('a pod has the labels Prometheus would give it', () => {
  const where = { namespace: 'shop', pod: 'web-1', container: 'web', node: 'worker-1', instance: '10.1.0.5:9090' }
  expect(labelsOf({})).toEqual({ ...where, job: 'app' })
  expect(labelsOf({}, { labels: { app: 'web' } })).toEqual({ ...where, job: 'web' })
  expect(labelsOf({ job: 'mine', labels: { env: 'live' } })).toEqual({ ...where, job: 'mine', env: 'live' })
})

test('a proxy of Linkerd also says whose it is, and kube-state-metrics speaks of others', () => {
  const labels = { 'linkerd.io/proxy-deployment': 'web', 'linkerd.io/proxy-job': 'once' }
  expect(labelsOf({ kind: 'linkerd' }, { labels })).toMatchObject({
    deployment: 'web',
    k8s_job: 'once',
    job: 'linkerd',
  })
  expect(labelsOf({ kind: 'kube-state-metrics' })).toEqual({ job: 'kube-state-metrics', instance: '10.1.0.5:9090' })
})

test('a service by its name needs no object', () => {
  const rule: Partial<DiscoverSpec> = {
    role: 'service',
    name: 'ksm',
    namespaces: ['monitoring'],
    port: 'http-metrics',
  }
  expect(discoverTargets(spec({ ...rule, kind: 'kube-state-metrics' }), {}, at).targets).toEqual([
    {
      kind: 'kube-state-metrics',
      url: `${at}/api/v1/namespaces/monitoring/services/ksm:http-metrics/proxy/metrics`,
      labels: { job: 'ksm', instance: 'ksm.monitoring.svc:http-metrics' },
    },
  ])
})

const slice = (family: string, address: string) => ({
  metadata: { name: `web-${family}`, namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: family,
  ports: [{ name: 'metrics', port: 9090 }],
  endpoints: [
    { addresses: [address], nodeName: 'worker-1', targetRef: { kind: 'Pod', name: 'web-1' } },
    { addresses: ['10.1.0.9'], conditions: { terminating: true }, targetRef: { kind: 'Pod', name: 'web-0' } },
  ],
})

test('endpoints of both families are one target, with the names of service and pod; what is leaving is none', () => {
  const endpoints = [slice('IPv4', '10.1.0.5'), slice('IPv6', 'fd00::5')]
  const { targets } = discoverTargets(spec({ role: 'endpoints' }), { endpoints }, at)
  const where = { namespace: 'shop', pod: 'web-1', node: 'worker-1', service: 'web', endpoint: 'metrics' }
  const url = `${base}/web-1:9090/proxy/metrics`
  expect(targets).toEqual([{ kind: 'app', url, labels: { ...where, job: 'web', instance: '10.1.0.5:9090' } }])
})

test('a source of kubelets is given what stands before their paths', () => {
  const node = [
    {
      metadata: { name: 'worker-1', namespace: '' },
      status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
    },
  ]
  const found = (through: 'proxy' | 'direct') =>
    discoverTargets(spec({ kind: 'kubelet', role: 'node', through }), { node }, at).targets
  const labels = { job: 'kubelet', node: 'worker-1', instance: 'worker-1' }
  expect(found('proxy')).toEqual([{ kind: 'kubelet', url: `${at}/api/v1/nodes/worker-1/proxy/`, labels }])
  expect(found('direct')).toEqual([{ kind: 'kubelet', url: 'https://10.0.0.1:10250/', labels }])
})

test('a node without a port is its kubelet', () => {
  const node = [
    {
      metadata: { name: 'worker-1', namespace: '' },
      status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
    },
  ]
  const { targets } = discoverTargets(spec({ role: 'node', path: '/metrics/cadvisor' }), { node }, at)
  expect(targets).toEqual([
    {
      kind: 'app',
      url: `${at}/api/v1/nodes/worker-1/proxy/metrics/cadvisor`,
      labels: { job: 'kubelet', node: 'worker-1', instance: 'worker-1', metrics_path: '/metrics/cadvisor' },
    },
  ])
  const exporter = discoverTargets(spec({ role: 'node', port: 9100, through: 'direct' }), { node }, at)
  expect(exporter.targets[0]?.url).toBe('http://10.0.0.1:9100/metrics')
})

test('more than the limit is cut and said', () => {
  const many = Array.from({ length: 5 }, (_, i) => ({ ...pod(), metadata: { name: `web-${i}`, namespace: 'shop' } }))
  const { targets, incomplete } = discoverTargets(spec({ port: 'metrics', targetLimit: 3 }), { pod: many }, at)
  expect([targets.length, incomplete]).toEqual([3, '5 targets, more than targetLimit 3'])
})
