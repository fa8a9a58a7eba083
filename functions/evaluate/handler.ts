import { eachMessage } from '../../aws/batch.ts'
import { keptIn } from '../../aws/history.ts'
import { hub } from '../../aws/hub.ts'
import { sqsPulse } from '../../aws/queues.ts'
import { observation } from '../contract.ts'
import { evaluateView } from './config.ts'
import { evaluateStep } from './step.ts'

const ground = hub({ env: process.env, nowMs: () => Date.now() }, { role: 'evaluate', needs: ['WHODUNIT_BUCKETS'] })
const { config, store, nowMs, nudge, sqs, health } = ground
const passOn = sqsPulse({ client: sqs, url: ground.env.WHODUNIT_QUEUES['alert-changes'] })
const passedOver = (locations: readonly string[]) =>
  health.warn('looks from locations that are not in the config are passed over', { locations })
const step = evaluateStep({ store, nowMs, nudge, passOn, passedOver, ...keptIn(ground), ...evaluateView(config) })

export const handler = health.handler(
  eachMessage({
    ...ground.unread,
    schema: observation,
    work: async (message, sentAtMs) => {
      const { status } = await step(message, sentAtMs)
      // It comes back after its visibility time-out, ahead of what its shard hears later.
      if (status === 'conflict') throw new Error('others kept changing this shard')
    },
  }),
)
