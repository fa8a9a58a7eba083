import type { Context } from 'aws-lambda'
import { telemetry } from '../../aws/telemetry.ts'

/** One invocation as Lambda makes it; what it prints is what CloudWatch gets. */
const health = telemetry({ name: 'shop', role: 'probe', location: 'eu-west-1' })
const hub = telemetry({ name: 'shop', role: 'sweep' })

const failure = Object.assign(new Error('no answer from the queue'), { request: { body: 'open sesame' } })

// `as`: all of a context that is looked at.
const context = { awsRequestId: 'request-1' } as Context
const failing = health.handler(async () => {
  health.warn('careful', { monitors: 3 })
  health.measure('ScheduleLagMs', 1500)
  health.lost([
    { id: 'a', cause: 'SQS is away' },
    { id: 'b', cause: 'SQS is away' },
  ])
  throw failure
})
const quiet = hub.handler(async () => 'nothing to tell')
const sweeping = hub.handler(async () => {
  hub.measure('DueRowAgeMs', 0)
  hub.poison({ messageId: 'm1', queue: 'deliver', sentAtMs: 0, text: 'open sesame', reason: 'not JSON' })
})

await quiet({}, context)
await sweeping({}, context)
try {
  await failing({}, context)
} catch (thrown) {
  process.stdout.write(`${JSON.stringify({ thrown: String(thrown), own: Object.keys(Object(thrown)) })}\n`)
}
