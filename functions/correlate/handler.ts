import { allMessages } from '../../aws/batch.ts'
import { deployedFacts } from '../../aws/environment.ts'
import { hub } from '../../aws/hub.ts'
import { sqsPulse } from '../../aws/queues.ts'
import { queueMessage } from '../contract.ts'
import { pulsesOf, rowsOf } from '../mail.ts'
import { passPulse } from '../pulse.ts'
import { hubViewOf } from './config-view.ts'
import { correlateStep } from './step.ts'

const ground = hub({ env: process.env, nowMs: () => Date.now() }, { role: 'correlate' })
const { config, store, nowMs, nudge, sqs, health } = ground
/** A sweep a minute, and half a minute until what it sends was read, at the second time if need be. */
const sweptWithinMs = 90_000
const step = correlateStep({ store, nowMs, nudge, view: hubViewOf(config, deployedFacts()), sweptWithinMs })
const passOn = sqsPulse({ client: sqs, url: ground.env.WHODUNIT_QUEUES.deliver })
const pulse = passPulse({ store, nowMs, passOn }, 'correlate')

export const handler = health.handler(
  allMessages({
    ...ground.unread,
    schema: queueMessage,
    work: async (messages) => {
      const { status } = await step(rowsOf(messages))
      const passed = await Promise.all(pulsesOf(messages).map(pulse))
      // The messages come back after their visibility time-out; the sweep may be quicker.
      if ([status, ...passed].includes('conflict')) throw new Error('others kept changing what was read')
    },
  }),
)
