import * as z from 'zod'
import { matcher } from './matchers.ts'

/** A Kubernetes-style name (RFC 1123 label): what every id in the config is. */
export const id = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'a name of lower-case letters, digits and dashes, at most 63 long')

/** `page` wakes a person, `ticket` waits for the morning, `advisory` is only shown. */
export const severity = z.enum(['page', 'ticket', 'advisory'])
export type Severity = z.infer<typeof severity>

/** A secret is only ever named in the config; the value comes from the environment it runs in. */
export const secretRef = z
  .string()
  .regex(/^secret:[A-Za-z_][A-Za-z0-9_./-]*$/, 'a reference like secret:NAME, never the secret itself')

/** There is no such secret. Any other error instead of a value may pass: its source could not be asked, or read. */
export class MissingSecretError extends Error {
  override name = 'MissingSecretError'
}

/** An http or https address without credentials in it. */
export const httpUrl = z.url({ protocol: /^https?$/, error: 'an http:// or https:// address' }).refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return !url?.username && !url?.password
}, 'an address without user:password@ (use auth with secret: references)')

export const owner = z.strictObject({
  team: z.string().min(1),
  /** Who gets out of bed: the people who wrote it or the people who run it. */
  role: z.enum(['developers', 'sre']),
  contact: z.string().min(1).optional(),
})

export const service = z.strictObject({
  owner: owner.optional(),
  runbook: httpUrl.optional(),
  /** Services this one calls. */
  dependsOn: z.array(id).default([]),
  /** Where its pods are; `workload` is the name of the Deployment, StatefulSet or DaemonSet. */
  runsIn: z.strictObject({ cluster: id, namespace: z.string().min(1), workload: z.string().min(1) }).optional(),
})
export type Service = z.infer<typeof service>

export const timeZoneWords = 'an IANA time zone like Europe/Berlin'

/** The service and everything it depends on, nearest first; a circle of dependencies ends where it closes. */
export const involvedServices = (
  services: Readonly<Record<string, { dependsOn: readonly string[] }>>,
  root: string,
): { service: string; distance: number }[] => {
  const distances = new Map([[root, 0]])
  const queue = [root]
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const distance = distances.get(name) ?? 0
    for (const next of services[name]?.dependsOn ?? []) {
      if (distances.has(next)) continue
      distances.set(next, distance + 1)
      queue.push(next)
    }
  }
  return [...distances].map(([service, distance]) => ({ service, distance }))
}

/** An IANA time zone such as `Europe/Berlin`. */
export const timeZone = z.string().refine((name) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}, timeZoneWords)

const timeOfDay = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'a time like 08:30')

/** Hours of the week on the clocks of a place; `to` before `from` runs into the next day, which its day began. */
export const hours = z.strictObject({
  timeZone,
  days: z
    .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
    .min(1)
    .optional(),
  from: timeOfDay,
  to: timeOfDay,
})
export type Hours = z.infer<typeof hours>

const seconds = z
  .int()
  .min(1)
  .max(31 * 86_400)

export const route = z.strictObject({
  /** Owners' teams. */
  teams: z.array(z.string().min(1)).min(1).optional(),
  services: z.array(id).min(1).optional(),
  /** An advisory is only shown: it goes to nobody but a route that names it. */
  severities: z.array(severity).min(1).optional(),
  /** Only within one of these; always when absent. */
  hours: z.array(hours).min(1).max(20).optional(),
  channels: z.array(id).min(1),
  /** Nobody took the incident on for so long: the next route that matches hears of it too. Never when absent. */
  escalateAfterSeconds: seconds.optional(),
  /** While nobody has taken it on, it is told again this often; four hours when absent. */
  remindEverySeconds: seconds.min(60).optional(),
})
export type Route = z.infer<typeof route>

const label = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'the name of a label')

/** How alerts become incidents. */
export const grouping = z.strictObject({
  /** Alerts with the same values of these labels are one incident. */
  by: z.array(label).min(1).max(10).default(['service']),
  /** What fires again within this long goes on as the same incident; 0 opens a new one each time. */
  reopenSeconds: z.int().min(0).max(86_400).default(300),
  /** When so many incidents were opened within a minute, further alerts are one more: a storm. 0: never. */
  stormIncidents: z.int().min(0).max(1000).default(5),
  /** News of an incident that is open are told at most this often. */
  updateEverySeconds: z.int().min(1).max(3600).default(60),
})

/** While an alert that matches `source` fires, one that matches `target` and has equal labels tells nobody. */
export const inhibitRule = z.strictObject({
  source: z.array(matcher).min(1).max(20),
  target: z.array(matcher).min(1).max(20),
  equal: z.array(label).max(10).default([]),
})
export type InhibitRule = z.infer<typeof inhibitRule>

const moment = z.union(
  [z.iso.datetime({ offset: true, precision: -1 }), z.iso.datetime({ offset: true })],
  'a moment with its offset like 2026-12-24T22:00+01:00',
)

/** A planned time in which matching alerts tell nobody: once (`from`, `to`), or again and again (`cron`). */
export const maintenance = z
  .strictObject({
    services: z.array(id).min(1).optional(),
    matchers: z.array(matcher).min(1).max(20).optional(),
    reason: z.string().min(1).max(200),
    from: moment.optional(),
    to: moment.optional(),
    /** When it begins, as crontab(5) writes it, on the clocks of `timeZone`. */
    cron: z.string().min(1).max(100).optional(),
    timeZone: timeZone.optional(),
    durationSeconds: z
      .int()
      .min(60)
      .max(7 * 86_400)
      .optional(),
  })
  .refine(
    ({ services, matchers }) => services !== undefined || matchers !== undefined,
    'a window needs services or matchers',
  )
export type Maintenance = z.infer<typeof maintenance>

/** How the alerts of somebody's Prometheus, posted to `/api/v2/alerts`, become ours. */
export const alertmanager = z.strictObject({
  /** The label with the name of a service; an alert without one is the service's whose workload it tells of. */
  serviceLabel: label.default('service'),
  /** Whose all other alerts are; a service `unknown` when absent. */
  defaultService: id.optional(),
  severityLabel: label.default('severity'),
  /** What the values of that label mean, in lower case. */
  severities: z.record(z.string().min(1), severity).default({
    critical: 'page',
    page: 'page',
    error: 'page',
    warning: 'ticket',
    ticket: 'ticket',
    info: 'advisory',
    none: 'advisory',
    advisory: 'advisory',
  }),
  /** What any other value, or none, means. */
  defaultSeverity: severity.default('page'),
  /** An alert that does not say when it ends, does so this long after it was last heard. */
  resolveTimeoutSeconds: seconds.default(300),
})
export type Alertmanager = z.infer<typeof alertmanager>

/** What the name of an AWS region looks like; a location called so is deployed there. */
const regionPattern = /^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/
const regionName = z.string().regex(regionPattern, 'an AWS region like eu-central-1')
export const isRegion = (location: string): boolean => regionPattern.test(location)

/** Who a topic of ours tells: exactly one of these. */
export const subscription = z
  .strictObject({
    email: z.email().optional(),
    https: z.url({ protocol: /^https$/ }).optional(),
    sms: z
      .string()
      .regex(/^\+[1-9]\d{6,14}$/, 'a phone number like +4915112345678')
      .optional(),
    sqs: z
      .string()
      .regex(/^arn:aws(-[a-z]+)*:sqs:[^:]+:\d{12}:.+$/, 'the ARN of a queue')
      .optional(),
    lambda: z
      .string()
      .regex(/^arn:aws(-[a-z]+)*:lambda:[^:]+:\d{12}:function:.+$/, 'the ARN of a function')
      .optional(),
  })
  .refine((one) => Object.keys(one).length === 1, 'exactly one of email, https, sms, sqs and lambda')
export type Subscription = z.infer<typeof subscription>

export const aws = z.strictObject({
  /** Begins the name of everything deployed, so that two can live in one account. */
  name: id.max(20).default('whodunit'),
  /** Where the hub lives; the first location that is a region, or the command line's, when absent. */
  region: regionName.optional(),
  /** Who hears that whodunit itself is unwell: alarms, and a location that finds the hub dead. */
  operators: z.array(subscription).default([]),
  /** Told once a minute while the hub is well; a dead-man's switch outside pages when it falls silent. */
  deadMansSwitch: z.union([httpUrl, secretRef]).optional(),
  /** A table that is there already, such as one restored from a backup; the stack makes its own when absent. */
  table: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{3,255}$/, 'the name of a DynamoDB table')
    .optional(),
  /** Keep the table and the buckets when the stack is deleted. */
  keepState: z.boolean().default(true),
  logRetentionDays: z.union([1, 3, 5, 7, 14, 30, 60, 90, 180, 365].map((days) => z.literal(days))).default(30),
  /** Where `scrape` and `triage` run when their sources can only be reached from inside. */
  network: z
    .strictObject({
      subnets: z.array(z.string().regex(/^subnet-[0-9a-f]+$/)).min(1),
      securityGroups: z.array(z.string().regex(/^sg-[0-9a-f]+$/)).min(1),
    })
    .optional(),
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).default({}),
})

/** An IAM permission a kind needs where it runs: derived for its function and for nothing else. */
export type Grant = { action: string; resource: string }
