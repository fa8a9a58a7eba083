import * as z from 'zod'

const fromJson = <S extends z.ZodType>(schema: S) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text)
      } catch {
        context.addIssue({ code: 'custom', message: 'not JSON' })
        return z.NEVER
      }
    })
    .pipe(schema)

/** The hub's queues by the function that reads them; `evaluate` reads `observations`, `correlate` reads `alert-changes`. */
export const queueUrls = z.strictObject({
  observations: z.url(),
  'alert-changes': z.url(),
  triage: z.url(),
  deliver: z.url(),
  publish: z.url(),
})

/** What the stacks tell a function through its environment. A handler picks and parses what it needs. */
export const environment = z.object({
  /** `aws.name` of the config. */
  WHODUNIT_NAME: z.string().min(1),
  /** Where the table, the queues and the secrets are. */
  WHODUNIT_HUB_REGION: z.string().min(1),
  WHODUNIT_TABLE: z.string().min(1),
  WHODUNIT_QUEUES: fromJson(queueUrls),
  /** The hub's `observations`, for who sends from elsewhere. */
  WHODUNIT_OBSERVATIONS_URL: z.url(),
  /** A location's own queue, for second opinions. */
  WHODUNIT_PROBE_QUEUES: fromJson(z.record(z.string(), z.strictObject({ region: z.string(), url: z.url() }))),
  WHODUNIT_BUCKETS: fromJson(
    z.strictObject({ evidence: z.string(), windows: z.string(), status: z.string(), history: z.string() }),
  ),
  /** Topics made for channels without a `topicArn`, by channel id. */
  WHODUNIT_TOPICS: fromJson(z.record(z.string(), z.string())),
  /** Where people reach `api`, without a slash at the end. */
  WHODUNIT_API_URL: z.url(),
  WHODUNIT_STATUS_URL: z.url(),
  WHODUNIT_LOCATION: z.string().min(1),
  WHODUNIT_PROBES_AT_ONCE: z.coerce.number().int().min(1).max(1000),
  /** The location's own topic, for `watch`. */
  WHODUNIT_OPERATORS_TOPIC: z.string().min(1),
  /** The location's own table, for what `watch` remembers. */
  WHODUNIT_WATCH_TABLE: z.string().min(1),
})
export type Environment = z.infer<typeof environment>

/** Where a secret of the config is kept: an SSM SecureString in the hub's region. */
export const secretParameter = (name: string, reference: string): string =>
  `/${name}/${reference.replace(/^secret:/, '')}`
