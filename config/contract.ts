import * as z from 'zod'

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

export const route = z.strictObject({
  services: z.array(id).min(1).optional(),
  severities: z.array(severity).min(1).optional(),
  channels: z.array(id).min(1),
})
export type Route = z.infer<typeof route>

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
