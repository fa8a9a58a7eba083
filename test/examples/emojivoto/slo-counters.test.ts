import { expect, test } from '@jest/globals'
import { configSchema } from '../../../config/schema.ts'
import { freePorts } from '../../../examples/emojivoto/ports.ts'
import { startTown } from '../../../examples/emojivoto/town.ts'
import { townConfig } from '../../../examples/emojivoto/town-config.ts'
import { clusterReader } from '../../../functions/cluster-reader.ts'
import { clusterView } from '../../../functions/scrape/config.ts'
import { scrapeStep } from '../../../functions/scrape/step.ts'
import type { SliCount } from '../../../rules/contract.ts'
import { memoryBlobs } from '../../../stores/memory.ts'
import { vote } from './reading.ts'

const minuteMs = 60_000

test("votes are events of voting's objective as Linkerd's proxy counts them", async () => {
  const town = await startTown({ ports: freePorts, requestsPerSecond: 0 })
  try {
    const config = configSchema.parse(townConfig(town.names, town.urls))
    const clock = { nowMs: Date.now() }
    const nowMs = () => clock.nowMs
    const reader = clusterReader({ nowMs, secret: () => '', parseKubeconfig: () => ({}), awsCredentials: undefined })
    const view = clusterView(config, 'town', { reader, remembers: () => [] })
    const told: SliCount[] = []
    let fence = 0
    const scrape = scrapeStep({
      blobs: memoryBlobs(),
      held: new Map(),
      nowMs,
      lease: async () => ({ fence: ++fence * 2, release: async () => {} }),
      send: async (observation) => {
        if (observation.kind === 'sli-counts') told.push(...observation.counts)
      },
    })
    const lastOfMinute = () => {
      clock.nowMs = Math.ceil(clock.nowMs / minuteMs) * minuteMs + minuteMs - 1
    }
    await vote(town, ':joy:')
    lastOfMinute()
    await scrape(view)
    for (const item of [':joy:', ':dog:', ':100:']) await vote(town, item)
    lastOfMinute()
    await scrape(view)
    const objective = told.filter(({ ruleId }) => ruleId === 'voting-fast')
    expect(objective.at(-1)?.unknownWhy).toBeUndefined()
    expect(objective.at(-1)?.minutes.at(-1)).toMatchObject({ good: 3, bad: 0, unknown: 0 })
  } finally {
    await town.close()
  }
}, 30_000)
