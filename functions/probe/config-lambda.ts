import * as z from 'zod'

/** What the stack tells the function through its environment. */
export const probeEnvironment = z.object({
  WHODUNIT_LOCATION: z.string().min(1),
  WHODUNIT_OBSERVATIONS_URL: z.url(),
  WHODUNIT_PROBES_AT_ONCE: z.coerce.number().int().min(1).max(1000),
})

/** What the stack's schedules send. A time that is none is no reason to skip the look: `dueTicks` judges it. */
export const scheduleMessage = z.object({
  shard: z.string().regex(/^\d+\/\d+$/),
  periodSeconds: z.int().min(1).max(86_400),
  everySeconds: z.int().min(60).max(86_400),
  scheduledAt: z.string().optional(),
})
