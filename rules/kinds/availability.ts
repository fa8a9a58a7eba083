import * as z from 'zod'
import { id } from '../../config/contract.ts'
import { defineRule, ruleFields } from '../contract.ts'
import { judgeAvailability } from '../quorum.ts'

/** More looks than a location is sure to remember would never be counted. */
const failureWindow = z
  .strictObject({ failures: z.int().min(1).max(10), of: z.int().min(2).max(10) })
  .refine(({ failures, of }) => failures <= of, 'failures must be at most of: no more can fail than are looked at')

const schema = z.strictObject({
  kind: z.literal('availability'),
  monitor: id,
  ...ruleFields,
  /** Failing looks in a row, re-checks included, before a location calls it down. */
  failureThreshold: z.int().min(1).max(10).default(3),
  /** Besides: so many failing looks among the last ones call it down too, though others between them passed. */
  failureWindow: failureWindow.optional(),
  /** Passing looks in a row before a location calls it up again. */
  successThreshold: z.int().min(1).max(10).default(1),
  /** How many locations must agree; the majority when absent. */
  quorum: z.int().min(1).max(50).optional(),
})

/** Nobody can reach it: enough locations say so. */
export const availabilityRule = defineRule({
  kind: 'availability',
  schema,
  monitor: ({ monitor }) => monitor,
  series: () => undefined,
  judge: judgeAvailability,
})
