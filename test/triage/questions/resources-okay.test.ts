import { expect, test } from '@jest/globals'
import type { Witnesses } from '../../../triage/contract.ts'
import { resourcesOkay } from '../../../triage/questions/resources-okay.ts'
import { cluster, type PodPlan, scrapes } from '../small-cluster.ts'
import { briefAbout, noon, parse, serviceIn, testimonyOf, witnessesWho } from '../witness-stand.ts'

const services = { cart: serviceIn('shop', 'cart', { dependsOn: ['db'] }), db: serviceIn('shop', 'db') }
const mebi = 1024 ** 2

type Use = { pod?: string; memoryMi?: number; limitMi?: number; cores?: number; held?: number }
/** A container of 0.4 processors at one of the scrapes, which are half a minute apart. */
const containerAt = (
  nth: number,
  { pod = 'cart-5b7f6d9c7c-aaaa2', memoryMi = 40, cores = 0.1, ...use }: Use,
): string => {
  const own = `namespace="shop",pod="${pod}",container="main"`
  return [
    `container_memory_working_set_bytes{${own}} ${memoryMi * mebi}`,
    `container_spec_memory_limit_bytes{${own}} ${(use.limitMi ?? 128) * mebi}`,
    `container_cpu_usage_seconds_total{${own},cpu="total"} ${1000 + nth * 30 * cores}`,
    `container_spec_cpu_quota{${own}} 40000`,
    `container_spec_cpu_period{${own}} 100000`,
    `container_cpu_cfs_periods_total{${own}} ${5000 + nth * 300}`,
    `container_cpu_cfs_throttled_periods_total{${own}} ${10 + nth * 300 * (use.held ?? 0)}`,
  ].join('\n')
}
const db = 'db-5b7f6d9c7c-aaaa2'
const kubelet = (...uses: Use[]) =>
  testimonyOf(
    scrapes(...[0, 1, 2].map((nth) => parse([...uses, { pod: db }].map((one) => containerAt(nth, one)).join('\n')))),
  )
const steady = kubelet({})

const machine = (more = '', node = 'n1') =>
  testimonyOf(
    scrapes(
      ...[0, 1, 2].map((nth) =>
        parse(
          [
            `node_load1{node="${node}"} 0.5`,
            `node_memory_MemTotal_bytes{node="${node}"} 1000`,
            `node_memory_MemAvailable_bytes{node="${node}"} 600`,
            `node_filesystem_size_bytes{node="${node}",mountpoint="/",device="vda",fstype="ext4"} 100`,
            `node_filesystem_avail_bytes{node="${node}",mountpoint="/",device="vda",fstype="ext4"} 60`,
            ...['idle', 'user'].map(
              (mode) => `node_cpu_seconds_total{node="${node}",cpu="0",mode="${mode}"} ${100 + nth * 15}`,
            ),
            more.replaceAll('NTH', String(nth)).replaceAll('NODE', `node="${node}"`),
          ].join('\n'),
        ),
      ),
    ),
  )

const plans = (pod: PodPlan = {}) => [{ name: 'cart', pods: [pod] }, { name: 'db' }]
const kube = (pod: PodPlan = {}) => testimonyOf(scrapes(cluster(plans()), cluster(plans()), cluster(plans(pod))))
const process = (open: number) =>
  testimonyOf(
    scrapes(
      parse(
        `process_open_fds{namespace="shop",pod="cart-5b7f6d9c7c-aaaa2"} ${open}\nprocess_max_fds{namespace="shop",pod="cart-5b7f6d9c7c-aaaa2"} 1000`,
      ),
    ),
  )

type Series = NonNullable<Parameters<typeof witnessesWho>[0]['series']>
const well: Series = { 'kube-state-metrics': kube(), kubelet: steady, node: machine(), app: process(20) }
const ask = (series: Series) =>
  resourcesOkay.ask(briefAbout('cart'), witnessesWho({ nowMs: noon + 30_000, services, series }), [])
const kinds = ({ clues }: { clues: { kind: string; about: { name: string } }[] }) =>
  clues.map(({ about, kind }) => `${about.name} ${kind}`)

test('nothing short is a yes with the highest figures', async () => {
  const { verdict, headline, clues } = await ask(well)
  expect(verdict).toBe('ok')
  expect(headline).toBe(
    'yes: the highest are processor 25 % of its limit (main), memory 31 % of its limit (main, 40Mi), load 0.5 a processor (node n1), disk 40 % full (node n1), file descriptors 2 % (cart)',
  )
  expect(clues).toEqual([])
})

test.each<{ given: string; series: Series; verdict: string; says: string; accuses: string[] }>([
  {
    given: 'a container at its memory limit, which it was not before',
    series: {
      kubelet: testimonyOf(
        scrapes(
          ...[40, 60, 126].map((memoryMi, nth) =>
            parse([containerAt(nth, { memoryMi }), containerAt(nth, { pod: db })].join('\n')),
          ),
        ),
      ),
    },
    verdict: 'suspicious',
    says: 'tight: container main uses 126Mi of its 128Mi of memory (98 %)',
    accuses: ['cart near-memory-limit'],
  },
  {
    given: 'a container that was at its memory limit all along',
    series: { kubelet: kubelet({ memoryMi: 126 }) },
    verdict: 'ok',
    says: 'container main uses 126Mi of its 128Mi of memory (98 %) (already before the incident)',
    accuses: [],
  },
  {
    given: 'a container that is held back since the incident',
    series: {
      kubelet: testimonyOf(
        scrapes(
          ...[0, 0, 0.5].map((held, nth) =>
            parse([containerAt(nth, { held }), containerAt(nth, { pod: db })].join('\n')),
          ),
        ),
      ),
    },
    verdict: 'suspicious',
    says: 'tight: container main is held back at its processor limit in 50 % of its periods, before the incident in 0 %',
    accuses: ['cart cpu-throttled'],
  },
  {
    given: 'a container that was held back as much before',
    series: { kubelet: kubelet({ held: 0.5 }) },
    verdict: 'ok',
    says: '(already before the incident)',
    accuses: [],
  },
  {
    given: 'a process without file descriptors',
    series: { app: process(990) },
    verdict: 'bad',
    says: 'no: cart has 990 files and connections open, 99 % of what it may',
    accuses: ['cart out-of-file-descriptors'],
  },
  {
    given: 'a full disk under the pods',
    series: {
      node: machine(
        'node_filesystem_size_bytes{NODE,mountpoint="/var",device="vdb",fstype="xfs"} 100\nnode_filesystem_avail_bytes{NODE,mountpoint="/var",device="vdb",fstype="xfs"} 1',
      ),
    },
    verdict: 'bad',
    says: 'no: node n1: /var is 99 % full',
    accuses: ['n1 node-exhausted'],
  },
  {
    given: 'a network that loses packets',
    series: {
      node: machine(
        'node_network_receive_bytes_total{NODE,device="eth0"} NTH00\nnode_network_receive_errs_total{NODE,device="eth0"} NTH00\nnode_network_transmit_errs_total{NODE,device="eth0"} 0\nnode_network_receive_drop_total{NODE,device="eth0"} 0\nnode_network_transmit_drop_total{NODE,device="eth0"} 0',
      ),
    },
    verdict: 'suspicious',
    says: 'tight: node n1: eth0 loses 3.3 packets a second',
    accuses: ['n1 node-exhausted'],
  },
  {
    given: 'a kill for want of memory, for which `Service running?` accuses already',
    series: {
      'kube-state-metrics': kube({ restarts: 2, exit: { reason: 'OOMKilled', code: 137, atMs: noon } }),
    },
    verdict: 'bad',
    says: 'no: cart: container cart out of memory (limit 128Mi), 2 restarts since 12:00:00 UTC',
    accuses: [],
  },
])('$given', async ({ series, verdict, says, accuses }) => {
  const answer = await ask({ ...well, ...series })
  expect([answer.verdict, answer.headline]).toEqual([verdict, expect.stringContaining(says)])
  expect(kinds(answer)).toEqual(accuses)
})

test('a node without our pods is nobody’s business', async () => {
  const elsewhere = machine('node_filesystem_readonly{NODE,mountpoint="/",device="vda",fstype="ext4"} 1', 'n2')
  const { verdict, evidence } = await ask({ ...well, node: elsewhere })
  expect(verdict).toBe('ok')
  expect(evidence).toContainEqual({ says: 'no node_exporter says that it is of node n1' })
})

test.each<{ given: string; kind: string; verdict: string; says: string }>([
  { given: 'no kubelet', kind: 'kubelet', verdict: 'unknown', says: 'what containers use is unknown: no kubelet' },
  { given: 'no node exporter', kind: 'node', verdict: 'ok', says: 'how the nodes are used is unknown: no node source' },
  { given: 'no application', kind: 'app', verdict: 'ok', says: 'what processes have open is unknown: no app source' },
])('$given is said, and only the kubelet is what a yes needs', async ({ kind, verdict, says }) => {
  const { [kind]: _, ...rest } = well
  const answer = await ask(rest)
  expect(answer.verdict).toBe(verdict)
  expect(answer.evidence).toContainEqual({ says: expect.stringContaining(says) })
})

test('a workload no kubelet tells of is unknown, and 0 of nothing is not 0 %', async () => {
  const none = await ask({ ...well, kubelet: testimonyOf(scrapes(parse(containerAt(0, { pod: db })))) })
  expect([none.verdict, none.headline]).toEqual(['unknown', 'unknown: no kubelet tells of a container of cart'])
})

test('only the nodes under the pods are asked', async () => {
  const asked: unknown[] = []
  const witnesses = witnessesWho({ nowMs: noon + 30_000, services, series: well })
  const series: Witnesses['series'] = (kind, where, at) => {
    asked.push([kind, at])
    return witnesses.series(kind, where, at)
  }
  await resourcesOkay.ask(briefAbout('cart'), { ...witnesses, series }, [])
  const nodes = { nodes: ['n1'] }
  expect(asked).toEqual([
    ['kube-state-metrics', undefined],
    ['kubelet', nodes],
    ['node', nodes],
    ['app', nodes],
  ])
})

test('a service that runs nowhere we know is unknown', async () => {
  const { verdict } = await resourcesOkay.ask(briefAbout('cart'), witnessesWho({ services: {} }), [])
  expect(verdict).toBe('unknown')
})
