import * as z from 'zod'
import type { Config } from '../../config/schema.ts'
import type { Store } from '../../stores/contract.ts'
import { releaseLease, takeLease } from '../../stores/lease.ts'
import type { ScrapeWorld } from './step.ts'
import type { ScheduleResult } from './step-schedule.ts'

/** What the hub's stack tells the function, besides what it tells all. */
export const scrapeNeeds = ['WHODUNIT_TABLE', 'WHODUNIT_QUEUES', 'WHODUNIT_BUCKETS'] as const

/** What a cluster's schedule sends. */
export const scrapeMessage = z.object({ cluster: z.string().min(1), scheduledAt: z.string().optional() })

/** How often a cluster is read. Throws for a cluster that is not in the config: its schedule was made by another one. */
export const intervalOf = ({ clusters }: Config, cluster: string): number => {
  const spec = Object.hasOwn(clusters, cluster) ? clusters[cluster] : undefined
  if (!spec) throw new Error(`no cluster ${cluster} in the config`)
  return spec.scrapeIntervalSeconds
}

/** Leases for one run, which the holder names. */
export const leases =
  (
    store: Store,
    { config, holder, nowMs }: { config: Config; holder: string; nowMs: () => number },
  ): ScrapeWorld['lease'] =>
  async (cluster) => {
    const forMs = intervalOf(config, cluster) * 1000 + 30_000
    const answer = await takeLease(store, { name: `scrape/${cluster}`, holder, nowMs: nowMs(), forMs })
    if (answer.status !== 'taken') return undefined
    return { fence: answer.lease.fence, release: async () => void (await releaseLease(store, answer.lease)) }
  }

type Health = { warn: (text: string, facts: Readonly<Record<string, string | number | readonly string[]>>) => void }

/** Says how a minute's readings went. Throws when one failed, so that the function's error metric shows it. */
export const tellScrapes = (
  health: Health,
  { cluster, failed, leaseTaken, unread, unfound, unknown, window }: ScheduleResult & { cluster: string },
): void => {
  const reasons = [...new Set(unread.map(({ kind, why }) => `${kind}: ${why ?? 'no reason given'}`))].slice(0, 10)
  if (reasons.length > 0) health.warn('sources that cannot be read', { cluster, reasons })
  if (unfound.length > 0) health.warn('targets that cannot be looked for', { cluster, reasons: [...new Set(unfound)] })
  if (unknown.length > 0)
    health.warn('objectives with unknown events', { cluster, reasons: [...new Set(unknown)].slice(0, 10) })
  if (window && window.leftOut > 0) health.warn('the window is full', { cluster, ...window })
  if (leaseTaken > 0) health.warn('somebody else reads this cluster', { cluster, leaseTaken })
  if (failed.length > 0) throw new Error(`${failed.length} readings failed: ${failed.map(String).join('; ')}`)
}
