import * as z from 'zod'

/** The functions a pulse passes, in this order. */
export const pulseStages = ['evaluate', 'correlate', 'deliver'] as const
export type PulseStage = (typeof pulseStages)[number]

/** Item `pulse/<stage>`: when the newest pulse that passed had set out. Not strict, since its writer may be newer than who reads it. */
export const pulseItem = z.object({ atMs: z.number() })

export const watchKey = 'watch/state'

/** Item `watch/state` in a location's own table: what `watch` knows of the hub from one minute to the next. */
export const watchMemory = z.discriminatedUnion('phase', [
  /** The hub has never been seen well: perhaps it is being deployed. */
  z.strictObject({ phase: z.literal('waiting'), sinceMs: z.number() }),
  z.strictObject({ phase: z.literal('well') }),
  /** One miss so far, the look before having found the hub well. */
  z.strictObject({ phase: z.literal('missed'), atMs: z.number() }),
  /** People were told. `everUp` is false when the hub never came up at all. */
  z.strictObject({ phase: z.literal('dead'), sinceMs: z.number(), toldAtMs: z.number(), everUp: z.boolean() }),
])
export type WatchMemory = z.infer<typeof watchMemory>
