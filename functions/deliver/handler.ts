import { randomBytes } from 'node:crypto'
import { eachMessage } from '../../aws/batch.ts'
import { hub } from '../../aws/hub.ts'
import { deployedSecrets } from '../../aws/secrets.ts'
import { secretsOf } from '../../config/secret-refs.ts'
import { queueMessage } from '../contract.ts'
import { passPulse } from '../pulse.ts'
import { deliverChannels, deployedTopics, linksOf, worstStatus } from './config.ts'
import { deliverNeeds, timed } from './config-lambda.ts'
import { deliverStep } from './step.ts'

const ground = hub({ env: process.env, nowMs: () => Date.now() }, { role: 'deliver', needs: deliverNeeds })
const { env, store, nowMs, nudge, health } = ground
const config = deployedTopics(ground.config, env.WHODUNIT_TOPICS)
const secrets = deployedSecrets(ground, secretsOf(config).channels)
const channels = deliverChannels(config, {
  nowMs,
  secret: secrets.secret,
  // A page in CloudWatch Logs would reach nobody, and it holds a link that acknowledges.
  print: undefined,
  links: linksOf({ store, baseUrl: env.WHODUNIT_API_URL, nowMs, randomBytes, warn: health.warn }),
  statusPageUrl: env.WHODUNIT_STATUS_URL,
  worst: worstStatus({ store, services: Object.keys(config.services), warn: health.warn }),
})
const step = deliverStep({ store, nowMs, random: Math.random, nudge, ...channels, send: timed(channels.send, ground) })
const pulse = passPulse(ground, 'deliver')

export const handler = health.handler(
  eachMessage({
    ...ground.unread,
    schema: queueMessage,
    work: async (message) => {
      if ('pulseAtMs' in message) return pulse(message.pulseAtMs)
      await health.refreshed(secrets)
      const result = await step(message.rowId)
      // Delayed again rather than acknowledged for good: this message is what sends it at its time.
      if (result.status === 'later') await nudge([{ to: 'deliver', ...message, afterMs: result.afterMs }])
    },
  }),
)
