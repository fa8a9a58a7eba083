import * as z from 'zod'
import type { Config } from '../../config/schema.ts'
import { monitorsOf } from './config.ts'
import type { ScheduleMessage } from './due.ts'
import type { ScheduleResult } from './step-schedule.ts'

/** What the location's stack tells the function, besides what it tells all. */
export const probeNeeds = ['WHODUNIT_LOCATION', 'WHODUNIT_OBSERVATIONS_URL', 'WHODUNIT_PROBES_AT_ONCE'] as const

/** What the stack's schedules send. A time that is none is no reason to skip the look: `dueTicks` judges it. */
export const scheduleMessage = z.object({
  shard: z.string().regex(/^\d+\/\d+$/),
  periodSeconds: z.int().min(1).max(86_400),
  everySeconds: z.int().min(60).max(86_400),
  scheduledAt: z.string().optional(),
})

/** The monitors a schedule asks for, split as whoever made it did: there may be more shards than the config asks for. */
export const monitorsAsked =
  (config: Config, location: string) =>
  ({ shard, periodSeconds }: ScheduleMessage): string[] =>
    monitorsOf({ ...config, shards: Number(shard.split('/')[1]) }, { location, shard, periodSeconds })

type Health = {
  measure: (metric: 'ScheduleLagMs', value: number) => void
  warn: (text: string, facts: { clock: string; skipped: number; monitors: number }) => void
}

/** Says how a tick went. Throws when observations were lost, so that the function's error metric shows it. */
export const tellTick = (health: Health, { clock, skipped, monitors, lagMs, lost }: ScheduleResult): void => {
  if (lagMs !== undefined) health.measure('ScheduleLagMs', lagMs)
  if (clock === 'own' || skipped > 0) health.warn('ticked without the scheduled time', { clock, skipped, monitors })
  if (lost.length > 0) throw new Error(`observations not sent: ${JSON.stringify(lost.slice(0, 20))}`)
}
