import { expect, test } from '@jest/globals'
import type { KubernetesFacts } from '../../sources/contract.ts'
import { kubernetesSource } from '../../sources/kinds/kubernetes.ts'
import { objectEvidence, objectsLookBackMs } from '../../triage/objects.ts'
import { isRecorded, kubeAnswers, sceneLists, withApiServer } from '../sources/kube/replay.ts'
import { world } from '../sources/loopback.ts'
import { minute, noon } from './witness-stand.ts'

const placed = { service: 'shop', cluster: 'main', namespace: 'shop', workload: 'web', distance: 0 }
const times = { sinceMs: noon, nowMs: noon + 5 * minute }
const read = <T>(value: T) => ({ status: 'read' as const, value })
const pods: KubernetesFacts['pods'] = read({
  items: [
    {
      namespace: 'shop',
      name: 'web-2-x',
      owner: { kind: 'Deployment', namespace: 'shop', name: 'web' },
      phase: 'Running',
      containers: [
        {
          name: 'app',
          image: 'web:2',
          init: false,
          status: {
            ready: false,
            restarts: 2,
            state: 'waiting',
            last: { exitCode: 1, reason: 'Error', message: 'no database' },
          },
          probes: {},
          limits: {},
          requests: {},
        },
      ],
    },
  ],
})
const event = (name: string, lastAtMs: number, reason = 'BackOff') => ({
  namespace: 'shop',
  about: { kind: 'Pod', name },
  type: 'Warning',
  reason,
  message: `back-off ${name}`,
  count: 2,
  lastAtMs,
})
const rollout = (createdAtMs: number) => ({
  workload: { kind: 'Deployment', namespace: 'shop', name: 'web' },
  revisions: [{ name: 'web-2', revision: 2, createdAtMs, images: {} }],
  imageChanges: [{ container: 'app', from: 'web:1', to: 'web:2' }],
})
const facts = (changes: Partial<KubernetesFacts> = {}): KubernetesFacts => ({
  pods,
  events: read({ items: [] }),
  rollouts: read({ items: [] }),
  crashes: read([]),
  ...changes,
})
const crash = (lines: { status: 'read'; value: string[] } | { status: 'unreadable'; why: string }) =>
  facts({ crashes: read([{ namespace: 'shop', pod: 'web-2-x', container: 'app', lines }]) })

test.each<{ given: string; of: KubernetesFacts; then: { says: string; quote?: string }[] }>([
  { given: 'nothing to add', of: facts(), then: [] },
  {
    given: 'an image that changed',
    of: facts({ rollouts: read({ items: [rollout(noon - minute)] }) }),
    then: [{ says: 'web: image of app changed from web:1 to web:2 at 11:59:00 UTC (revision 2)' }],
  },
  {
    given: 'one that changed long before',
    of: facts({ rollouts: read({ items: [rollout(noon - objectsLookBackMs - 1)] }) }),
    then: [],
  },
  {
    given: 'warnings about its pods and others',
    of: facts({
      events: read({
        items: [event('web-2-x', noon), event('web-other-y', noon), event('web-2-x', noon - 60 * minute, 'Old')],
      }),
    }),
    then: [{ says: 'web: event BackOff, 2 times, last 12:00:00 UTC', quote: 'back-off web-2-x' }],
  },
  {
    given: 'the last lines of a crash, secrets taken out',
    of: crash(read(['a', 'b', 'connecting with password=hunter2', 'fatal'])),
    then: [
      {
        says: 'web: last lines of app in web-2-x before it ended (exit 1, Error)',
        quote: 'b / connecting with password=[hidden] / fatal',
      },
    ],
  },
  {
    given: 'a log that is forbidden, but a message',
    of: crash({ status: 'unreadable', why: 'pods/log is forbidden' }),
    then: [{ says: 'web: last lines of app in web-2-x before it ended (exit 1, Error)', quote: 'no database' }],
  },
  {
    given: 'events that are forbidden and half of the rollouts',
    of: facts({
      events: { status: 'unreadable', why: 'events is forbidden' },
      rollouts: read({ items: [], incomplete: 'too many' }),
    }),
    then: [{ says: 'events unknown: events is forbidden' }, { says: 'rollouts unknown in part: too many' }],
  },
])('$given', ({ of, then }) => expect(objectEvidence(of, [placed], times)).toEqual(then))

const recorded = isRecorded ? test : test.skip

const told = async (scene: string, workload: string, namespace = 'emojivoto') => {
  const { lists, atMs } = sceneLists(scene)
  const answers = kubeAnswers({ lists: { controllerrevisions: [], ...lists } })
  return withApiServer(answers, async ({ url, ca }) => {
    const apiServer = read({ url, tls: { ca } })
    const sinceMs = atMs - 2 * minute
    const looked = await kubernetesSource.look({ kind: 'kubernetes' }, world({ apiServer }), { namespace, sinceMs })
    return objectEvidence(looked, [{ ...placed, namespace, workload }], { sinceMs, nowMs: atMs })
  })
}

recorded('in scene s01 of a real cluster it tells why voting ends, from what the kubelet kept', async () => {
  const evidence = await told('s01', 'voting')
  expect(evidence).toContainEqual({
    says: expect.stringMatching(/^voting: last lines of voting in voting-\S+ before it ended \(exit 1, Error\)$/),
    quote: expect.stringContaining('strconv.Atoi: parsing "1.5s": invalid syntax'),
  })
  expect(evidence).toContainEqual({
    says: expect.stringMatching(/^voting: event BackOff, \d+ times, last/),
    quote: expect.stringContaining('restarting failed container voting'),
  })
})

recorded('another workload of the same namespace is not told of it', async () => {
  expect(await told('s01', 'emoji')).toEqual([])
})

recorded.each([
  {
    scene: 's03',
    workload: 'catalog',
    namespace: 'shop',
    says: /image of catalog changed from \S+:2\.4\.1 to \S+:2\.5\.0-rc3/,
  },
  {
    scene: 's03',
    workload: 'catalog',
    namespace: 'shop',
    says: /Failed to pull image "registry\.example\/shop\/catalog:2\.5\.0-rc3"/,
  },
  { scene: 's04', workload: 'gateway', namespace: 'payments', says: /secret "gateway-psp-keys" not found/ },
  { scene: 's06', workload: 'search', namespace: 'shop', says: /event FailedScheduling.*Insufficient cpu/ },
  { scene: 's08', workload: 'fraud-scorer', namespace: 'payments', says: /event Evicted.*low on resource: memory/ },
  { scene: 's09', workload: 'web', namespace: 'emojivoto', says: /event FailedCreate.*exceeded quota/ },
  { scene: 's14', workload: 'settlement-export', namespace: 'payments', says: /event BackoffLimitExceeded/ },
])('in scene $scene it tells of $workload: $says', async ({ scene, workload, namespace, says }) => {
  const evidence = await told(scene, workload, namespace)
  expect(evidence.map(({ says, quote = '' }) => `${says} ${quote}`)).toContainEqual(expect.stringMatching(says))
})
