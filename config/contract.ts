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
