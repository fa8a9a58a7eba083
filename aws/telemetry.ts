import { Logger } from '@aws-lambda-powertools/logger'
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import type { Context } from 'aws-lambda'
import type { PoisonMessage } from './batch.ts'
import { causeOf } from './cause.ts'
import type { Secrets } from './secrets.ts'
import type { Unsent } from './send.ts'

/**
 * What we tell of our own health, in namespace `Whodunit`. Each costs $0.30 a month and dimension, so there are few and
 * their only dimension is the deployment's name (and the location, of `ScheduleLagMs`).
 */
const units = {
  /** `probe`: from the scheduled time to our start. */
  ScheduleLagMs: MetricUnit.Milliseconds,
  /** `sweep`: how long the row that is due longest is due. Zero is told too: silence means that nobody sweeps. */
  DueRowAgeMs: MetricUnit.Milliseconds,
  /** Anyone: rows and messages set aside, which are items `quarantine/…`. */
  Quarantined: MetricUnit.Count,
  /** Anyone: nudges that SQS did not take, which the sweep brings. */
  LostNudges: MetricUnit.Count,
  /** `evaluate`: observations whose history could not be kept. */
  LostHistory: MetricUnit.Count,
  /** `deliver`: from an incident's opening to a channel's taking its page. */
  PageDelayMs: MetricUnit.Milliseconds,
} as const
export type HealthMetric = keyof typeof units

type Facts = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export type Telemetry = {
  info: (text: string, facts?: Facts) => void
  warn: (text: string, facts?: Facts) => void
  measure: (metric: HealthMetric, value: number) => void
  /** For `sqsNudges`. */
  lost: (unsent: readonly Unsent[]) => void
  /** For batches: these messages go back to their queue. */
  failed: (messageIds: readonly string[], cause: string) => void
  /** For `quarantineMessage`. */
  poison: (message: PoisonMessage) => void
  /** Refreshes secrets, and says when that failed; work goes on with what is known. */
  refreshed: (secrets: Secrets) => Promise<void>
  /** A row or a message was set aside. */
  quarantined: (id: string, reason: string) => void
  /** Lines carry the request's id, metrics leave when it ends, and what it throws loses all but its name and message. */
  handler: <E, R>(work: (event: E, context: Context) => Promise<R>) => (event: E, context: Context) => Promise<R>
}

/** What failed, for Lambda's own log, which prints every property of an error. */
class FunctionFailed extends Error {
  override name = 'FunctionFailed'
  readonly code = 'function-failed'
}

const listed = 20

/** Structured logs and metrics (EMF) of one function. Nothing that is told here may hold a body or a secret. */
export const telemetry = (of: { name: string; role: string; location?: string }): Telemetry => {
  const place = of.location === undefined ? {} : { location: of.location }
  const logger = new Logger({ serviceName: of.name, persistentKeys: { function: of.role, ...place } })
  const metrics = new Metrics({ namespace: 'Whodunit', serviceName: of.name, defaultDimensions: place })
  const measure = (metric: HealthMetric, value: number) => {
    metrics.addMetric(metric, units[metric], value)
  }
  const quarantined = (id: string, reason: string) => {
    logger.error('set aside', { id, reason })
    measure('Quarantined', 1)
  }
  return {
    info: (text, facts = {}) => logger.info(text, { ...facts }),
    warn: (text, facts = {}) => logger.warn(text, { ...facts }),
    measure,
    lost: (unsent) => {
      const causes = [...new Set(unsent.map(({ cause }) => cause))].slice(0, listed)
      logger.warn('nudges lost, the sweep will bring them', { count: unsent.length, causes })
      measure('LostNudges', unsent.length)
    },
    failed: (messageIds, cause) =>
      logger.warn('messages go back to the queue', {
        count: messageIds.length,
        messageIds: messageIds.slice(0, listed),
        cause,
      }),
    poison: ({ queue, messageId, reason }) => quarantined(`message:${queue}:${messageId}`, reason),
    refreshed: async ({ refresh }) => {
      const answer = await refresh()
      if (answer.status === 'kept') logger.warn('secrets not refreshed', { cause: answer.cause })
    },
    quarantined,
    handler: (work) => async (event, context) => {
      logger.appendKeys({ requestId: context.awsRequestId })
      try {
        return await work(event, context)
      } catch (thrown) {
        throw new FunctionFailed(causeOf(thrown))
      } finally {
        // Nothing measured is no metric: an empty publication would only warn.
        if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics()
      }
    },
  }
}
