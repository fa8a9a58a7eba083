import { expect, test } from '@jest/globals'
import pLimit from 'p-limit'
import { randomNames } from '../../examples/emojivoto/random-names.ts'
import type { SceneName } from '../../examples/emojivoto/scenes.ts'
import { clusterReader } from '../../functions/cluster-reader.ts'
import { evaluateStep } from '../../functions/evaluate/step.ts'
import { monitorRunner, monitorViews } from '../../functions/probe/config.ts'
import { probeStep } from '../../functions/probe/step.ts'
import { clusterView } from '../../functions/scrape/config.ts'
import { scrapeStep } from '../../functions/scrape/step.ts'
import { investigator } from '../../functions/triage/config.ts'
import { memoryBlobs, memoryStore } from '../../stores/memory.ts'
import { seriesToRemember } from '../../triage/registry.ts'
import { configOf, openTown } from './stage.ts'

const seeds = Array.from({ length: 20 }, (_, index) => index + 1)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const nowMs = () => Date.now()
const secret = () => ''

type Names = ReturnType<typeof randomNames>

/** Looks at a renamed town before and after its fault with the real steps, and answers the first suspect. */
const suspectOf = async (scene: SceneName, names: Names) => {
  const { town, files, close } = await openTown(scene, { names, requestsPerSecond: 20 })
  const config = configOf(town, files)
  const store = memoryStore({ nowMs })
  const blobs = memoryBlobs()
  const locations = config.locations
  const evaluate = evaluateStep({
    store,
    nowMs,
    locations,
    nudge: async () => undefined,
    rulesOf: () => [],
    home: { monitor: () => '0/1', rule: () => '0/1' },
  })
  const send = async (observation: Parameters<typeof evaluate>[0]) => {
    await evaluate(observation)
  }
  const scrape = scrapeStep({
    blobs,
    nowMs,
    send,
    held: new Map(),
    lease: async () => ({ fence: 1, release: async () => undefined }),
  })
  const reader = clusterReader({ nowMs, secret })
  const view = clusterView(config, names.config.cluster, { reader, remembers: seriesToRemember })
  const run = monitorRunner(config, { nowMs, secret })
  const probe = probeStep({
    nowMs,
    location: 'local',
    run,
    limit: (work) => work(),
    waitUntil: () => new Promise(setImmediate),
    send,
  })
  await pause(1500)
  await scrape(view)
  await pause(1000)
  await scrape(view)
  town.setFault(true)
  const sinceMs = nowMs()
  await pause(1500)
  await scrape(view)
  await probe({ shard: '0/1', scheduledAtMs: sinceMs, monitorIds: Object.keys(config.monitors) })
  await pause(500)
  const service = names.workloads.web.deployment
  const brief = { incidentId: 'x', service, severity: 'page' as const, sinceMs, summaries: [] }
  const caseFile = await investigator(config, { store, blobs, nowMs, reader, monitors: monitorViews(config) })(
    brief,
    4000,
  )
  await close()
  return caseFile.suspects[0]
}

const culprits: { scene: SceneName; culprit: (names: Names) => object; cause: string }[] = [
  {
    scene: 'doughnut',
    culprit: ({ workloads, rpc }) => ({
      kind: 'workload',
      name: workloads.voting.deployment,
      part: expect.stringContaining(rpc.votePrefix),
    }),
    cause: 'failing-route',
  },
  {
    scene: 'emoji-oom',
    culprit: ({ workloads }) => ({ kind: 'workload', name: workloads.emoji.deployment }),
    cause: 'out-of-memory',
  },
  {
    scene: 'voting-bad-rollout',
    culprit: ({ workloads }) => ({ kind: 'workload', name: workloads.voting.deployment }),
    cause: 'rollout',
  },
  { scene: 'web-cert-expired', culprit: () => ({ kind: 'certificate' }), cause: 'certificate-invalid' },
]

test.each(culprits)(
  'with everything renamed at random, 20 times, $scene still names its culprit',
  async ({ scene, culprit, cause }) => {
    const limit = pLimit(5)
    const found = await Promise.all(
      seeds.map((seed) =>
        limit(async () => {
          const names = randomNames(seed)
          return { seed, names, suspect: await suspectOf(scene, names) }
        }),
      ),
    )
    for (const { names, suspect } of found) {
      expect(suspect).toMatchObject({ accused: culprit(names), cause: expect.stringContaining(cause) })
    }
  },
  120_000,
)
