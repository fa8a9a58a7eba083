import { setTimeout as sleep } from 'node:timers/promises'
import { hub } from '../../aws/hub.ts'
import { pulse, sqsSender } from '../../aws/queues.ts'
import { shardsWanted } from '../../config/shard-count.ts'
import { sweepRounds } from './step-rounds.ts'

const ground = hub({ env: process.env, nowMs: () => Date.now() }, { role: 'sweep' })
const { config, store, nowMs, nudge, health } = ground
const send = sqsSender({ client: ground.sqs, url: ground.env.WHODUNIT_QUEUES.observations })
const sweep = sweepRounds({
  store,
  nowMs,
  nudge,
  shards: shardsWanted(config),
  inHand: () => false,
  quarantined: ({ id, nudges }) => health.quarantined(id, `nudged ${nudges} times and never consumed`),
  waitUntil: async (atMs) => sleep(Math.max(0, atMs - nowMs())),
})

export const handler = health.handler(async () => {
  // First and apart: whether the pulse can be sent must not hang on the table, nor the sweep on the queue.
  const [sent, swept] = await Promise.allSettled([send(pulse(nowMs())), sweep()])
  if (swept.status === 'fulfilled') {
    const { oldestDueAgeMs, ...found } = swept.value
    health.measure('DueRowAgeMs', oldestDueAgeMs)
    if (found.nudged > 0) health.info('swept', { ...found, oldestDueAgeMs })
  }
  for (const one of [sent, swept]) if (one.status === 'rejected') throw one.reason
})
