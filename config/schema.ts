import * as z from 'zod'
import { channelSpec } from '../channels/registry.ts'
import { targetRange } from '../probes/contract.ts'
import { monitorSpec } from '../probes/registry.ts'
import { ruleSpec } from '../rules/registry.ts'
import { apiServerSpec } from '../sources/kube/api-server.ts'
import { discoverFields, namesItsService } from '../sources/kube/discover-spec.ts'
import { exposingKinds, sourceSpec } from '../sources/registry.ts'
import {
  alertmanager,
  aws,
  grouping,
  httpUrl,
  id,
  inhibitRule,
  maintenance,
  route,
  secretRef,
  service,
} from './contract.ts'

/** A rule that finds targets in a cluster. */
export const discoverSpec = z
  .strictObject({ kind: z.enum(exposingKinds), ...discoverFields })
  .refine(namesItsService, 'a target by its name needs role: service, one of namespaces, and a port')

/** One place inside with what is read there. */
export const cluster = z.strictObject({
  scrapeIntervalSeconds: z.int().min(1).max(3600).default(30),
  /** How far back the questions compare; rules look as far back as they say themselves. */
  windowSeconds: z.int().min(60).max(86_400).default(900),
  /** How long one target may take, at most the interval. */
  scrapeTimeoutSeconds: z.int().min(1).max(60).default(10),
  /** How many series of one target are kept; one that has more is incomplete. */
  targetSeriesLimit: z.int().min(1).max(1_000_000).default(250_000),
  /** How large it is, for the estimate of what its window takes. */
  size: z
    .strictObject({
      pods: z.int().min(1).max(200_000).default(100),
      nodes: z.int().min(1).max(15_000).default(5),
      namespaces: z.int().min(1).max(10_000).default(10),
    })
    .prefault({}),
  /** A window that would take more memory than this is refused, and never grows beyond it; a Lambda of 1 GB has room for the default. */
  windowBudgetMiB: z.int().min(1).max(8192).default(256),
  /** Where its Kubernetes API answers: for discovery, for what is read by its proxy, for the `kubernetes` source. */
  apiServer: apiServerSpec.optional(),
  sources: z.array(sourceSpec).max(200).default([]),
  /** Targets found by asking the Kubernetes API, once a minute. */
  discover: z.array(discoverSpec).max(50).default([]),
})

/**
 * One transaction has room for 100 items: for what an incident tells every channel and one alert every inhibit rule, and
 * for what a shard hands over of every location.
 */
const [channelLimit, inhibitLimit, locationLimit] = [60, 20, 32]
const tooManyChannels = `at most ${channelLimit} channels: one incident may concern them all`

/** `whodunit.yaml` as a person writes it. References between its parts are checked by `references.ts`. */
export const configSchema = z.strictObject({
  /** Where editors find the JSON Schema of this file; nothing else reads it. */
  $schema: z.string().optional(),
  services: z.record(id, service),
  monitors: z.record(id, monitorSpec),
  rules: z.record(id, ruleSpec).default({}),
  clusters: z.record(id, cluster).default({}),
  channels: z.record(id, channelSpec).refine((all) => Object.keys(all).length <= channelLimit, tooManyChannels),
  /** The first route that matches an alert's service and severity decides; the last one must match everything. */
  routes: z.array(route).min(1),
  /** Where a page goes that everybody else refused; any channel that reaches people when absent. */
  fallbackChannel: id.optional(),
  grouping: grouping.prefault({}),
  inhibit: z.array(inhibitRule).max(inhibitLimit).default([]),
  maintenance: z.record(id, maintenance).default({}),
  statusPage: z
    .strictObject({
      title: z.string().min(1).default('Status'),
      url: httpUrl.optional(),
      channels: z.array(id).default([]),
    })
    .prefault({}),
  /** What every look saw, what was decided and why: what `whodunit explain` reads. 0 keeps none. */
  history: z.strictObject({ retentionDays: z.int().min(0).max(366).default(14) }).prefault({}),
  /** Where probes run from. */
  locations: z.array(id).min(1).max(locationLimit).default(['local']),
  /** Target ranges that probes may look at besides public and private addresses. */
  allowTargets: z.array(targetRange).default(['private']),
  /** How many ways state is split; a power of two that only grows. */
  shards: z
    .int()
    .min(1)
    .max(1024)
    .refine((n) => (n & (n - 1)) === 0, 'a power of two')
    .default(1),
  api: z
    .strictObject({
      /** What programs send as `Authorization: Bearer …` to see incidents and metrics where not everybody may. */
      token: secretRef.optional(),
    })
    .prefault({}),
  /** Takes alerts of a Prometheus server, as Alertmanager does; without it none are taken. */
  alertmanager: alertmanager.optional(),
  /** How it is deployed to AWS; `whodunit serve` reads none of it. */
  aws: aws.prefault({}),
})

/** What a person may write: defaults left out. */
export type ConfigInput = z.input<typeof configSchema>
/** The normalised config everything else reads: defaults filled in, implicit rules written out (`normalise.ts`). */
export type Config = z.output<typeof configSchema>
