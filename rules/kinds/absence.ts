import * as z from 'zod'
import { id } from '../../config/contract.ts'
import { blindAfterMs, blindAlert } from '../blindness.ts'
import { defineRule, type Facts, type Judgement, ruleFields } from '../contract.ts'
import { parseSelector } from '../selector.ts'

const selector = z
  .string()
  .refine((text) => parseSelector(text) !== undefined, 'a series selector like kube_pod_info{namespace="shop"}')

const schema = z
  .strictObject({
    kind: z.literal('absence'),
    ...ruleFields,
    /** Alert when no location has seen this monitor pass or fail: we are blind. */
    monitor: id.optional(),
    /** Alert when no such series is there, although its source could be read. */
    series: z.strictObject({ cluster: id, selector }).optional(),
    forSeconds: z
      .int()
      .min(1)
      .max(86_400 * 31),
  })
  .refine(
    ({ monitor, series }) => (monitor === undefined) !== (series === undefined),
    'exactly one of monitor and series',
  )
type Spec = z.output<typeof schema>

const judgeSilence = (spec: Spec, monitor: string, facts: Facts): Judgement => {
  const known = facts.locations.flatMap(({ looks }) => looks.filter(({ verdict }) => verdict !== 'unknown'))
  const lastMs = Math.max(facts.knownSinceMs, ...known.map(({ scheduledAtMs }) => scheduledAtMs))
  const deadlineMs = lastMs + spec.forSeconds * 1000
  const summary = spec.summary ?? `we are blind: nobody could look at ${monitor} for ${spec.forSeconds} s`
  return facts.nowMs >= deadlineMs
    ? { status: 'active', met: true, reason: 'silence-too-long', summary, sinceMs: lastMs }
    : { status: 'inactive', met: false, reason: 'heard-again', summary, againAtMs: deadlineMs }
}

/** Until when the last reading says something; undefined when it said nothing, or is too old. */
const freshUntilMs = ({ result, nowMs, sourceFreshMs = 0 }: Facts): number | undefined => {
  const untilMs = result?.status === 'ok' ? result.atMs + sourceFreshMs : nowMs
  return nowMs < untilMs ? untilMs : undefined
}

const judgeSeries = (spec: Spec, selectorText: string, facts: Facts): Judgement => {
  const summary = spec.summary ?? `no series ${selectorText} for ${spec.forSeconds} s`
  const { result } = facts
  const staleMs = freshUntilMs(facts)
  if (!result || staleMs === undefined) return { status: 'held', met: false, reason: 'input-unknown', summary }
  if (result.active.length === 0) return { status: 'inactive', met: false, reason: 'heard-again', summary }
  const sinceMs = facts.activeSinceMs ?? result.atMs
  const dueMs = sinceMs + spec.forSeconds * 1000
  const met = facts.nowMs >= dueMs
  return met
    ? { status: 'active', met, reason: 'silence-too-long', summary, sinceMs, againAtMs: staleMs }
    : { status: 'active', met, reason: 'first-failure', summary, sinceMs, againAtMs: Math.min(dueMs, staleMs) }
}

/** Nobody can read its source: the rule itself stays as it is, and must not look like a healthy one. */
const judgeBlindness = (selectorText: string, facts: Facts): Judgement => {
  const { result, nowMs, knownSinceMs, activeSinceMs } = facts
  const afterMs = blindAfterMs(facts)
  const summary = `we are blind: nobody can tell whether ${selectorText} is there for ${Math.round(afterMs / 60_000)} min`
  const staleMs = freshUntilMs(facts)
  if (staleMs !== undefined)
    return { status: 'inactive', met: false, reason: 'heard-again', summary, againAtMs: staleMs }
  const lastMs = result?.atMs ?? knownSinceMs
  const sinceMs = Math.min(activeSinceMs ?? lastMs, lastMs)
  const dueMs = sinceMs + afterMs
  return nowMs >= dueMs
    ? { status: 'active', met: true, reason: 'silence-too-long', summary, sinceMs }
    : { status: 'active', met: false, reason: 'first-failure', summary, sinceMs, againAtMs: dueMs }
}

/** The alert of a rule over series that nobody can see it; a rule over a monitor is one itself. */
export const absenceAlerts = ({ series }: Spec) =>
  series === undefined ? [] : [blindAlert((facts) => judgeBlindness(series.selector, facts))]

/** Silence is news: a monitor nobody could look at, or a series that is gone from a source that answers. */
export const absenceRule = defineRule({
  kind: 'absence',
  schema,
  monitor: ({ monitor }) => monitor,
  series: ({ series }) => {
    const parsed = series && parseSelector(series.selector)
    return series && parsed ? { cluster: series.cluster, selectors: [parsed] } : undefined
  },
  judge: (spec, facts) => {
    if (spec.monitor !== undefined) return judgeSilence(spec, spec.monitor, facts)
    return judgeSeries(spec, spec.series?.selector ?? '', facts)
  },
})
