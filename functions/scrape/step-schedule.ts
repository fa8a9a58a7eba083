/**
 * Reads one cluster at the times of its interval that lie within one minute, one after the other. A time that passed
 * while an earlier one was still being read is left out; one that fails takes no other along.
 * Run twice at once: each reading takes the cluster's lease.
 */
import { dueTicks } from '../probe/due.ts'
import type { ScrapeResult, TargetReport, WindowReport } from './step.ts'

export type ScheduleWorld = {
  nowMs: () => number
  waitUntil: (atMs: number) => Promise<void>
  scrape: () => Promise<ScrapeResult>
}

export type ScheduleResult = {
  scraped: number
  leaseTaken: number
  skipped: number
  /** Targets that could not be read, at any of the times. */
  unread: TargetReport[]
  /** Why it is not known which targets there are, at any of the times. */
  unfound: string[]
  /** Objectives some of whose events are unknown, and why, at any of the times. */
  unknown: string[]
  /** The window after the last of them. */
  window?: WindowReport
  failed: unknown[]
}

const minuteSeconds = 60

/** The readings of one minute. */
export const scheduleStep =
  (world: ScheduleWorld) =>
  async (message: { periodSeconds: number; scheduledAt?: string | undefined }): Promise<ScheduleResult> => {
    const { ticksMs, skipped } = dueTicks({ ...message, everySeconds: minuteSeconds }, world.nowMs())
    const result: ScheduleResult = {
      scraped: 0,
      leaseTaken: 0,
      skipped,
      unread: [],
      unfound: [],
      unknown: [],
      failed: [],
    }
    for (const [at, tickMs] of ticksMs.entries()) {
      const nextMs = ticksMs[at + 1]
      if (nextMs !== undefined && nextMs <= world.nowMs()) {
        result.skipped++
        continue
      }
      await world.waitUntil(tickMs)
      try {
        const read = await world.scrape()
        if (read.status === 'lease-taken') {
          result.leaseTaken++
          continue
        }
        result.scraped++
        result.unread.push(...read.targets.filter(({ up }) => !up))
        if (read.incomplete !== undefined) result.unfound.push(read.incomplete)
        result.unknown.push(...(read.unknown ?? []))
        result.window = read.window
      } catch (thrown) {
        result.failed.push(thrown)
      }
    }
    return result
  }
