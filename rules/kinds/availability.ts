import * as z from 'zod'
import { id } from '../../config/contract.ts'
import { defineRule, type Facts, type Judgement, type LocationHistory, type Look, ruleFields } from '../contract.ts'

const schema = z.strictObject({
  kind: z.literal('availability'),
  monitor: id,
  ...ruleFields,
  /** Failing looks in a row, re-checks included, before a location calls it down. */
  failureThreshold: z.int().min(1).max(10).default(3),
  /** Passing looks in a row before a location calls it up again. */
  successThreshold: z.int().min(1).max(10).default(1),
  /** How many locations must agree; the majority when absent. */
  quorum: z.int().min(1).max(50).optional(),
})
type Spec = z.output<typeof schema>

type Opinion = { location: string; failing: boolean; count: number; first: Look; lastFailure: Look | undefined }

/**
 * What a location's latest looks say together: those at the end that agree with the last one, where `unknown` neither
 * ends nor adds to a run. It has a say when it is fresh and its latest look saw something.
 */
const opinionOf = ({ location, looks, fresh }: LocationHistory): Opinion[] => {
  const last = looks.at(-1)
  if (!last || !fresh || last.verdict === 'unknown') return []
  const failing = last.verdict === 'fail'
  let [first, count] = [last, 0]
  for (let index = looks.length - 1; index >= 0; index--) {
    const look = looks[index]
    if (!look || look.verdict === 'unknown') continue
    if ((look.verdict === 'fail') !== failing) break
    first = look
    count++
  }
  const lastFailure = looks.findLast(({ verdict }) => verdict === 'fail')
  return [{ location, failing, count, first, lastFailure }]
}

const opinions = (facts: Facts): Opinion[] => facts.locations.flatMap(opinionOf)

const sentence = (spec: Spec, down: readonly Opinion[], heard: number, facts: Facts) => {
  if (spec.summary) return spec.summary
  const detail = down[0]?.lastFailure?.detail ?? 'no detail'
  const where = down.map(({ location }) => location).join(', ')
  const silent = facts.locations.length - heard
  const few = silent > 0 ? ` (${silent} of ${facts.locations.length} locations could not look)` : ''
  return `${spec.monitor} fails from ${where}${few}: ${detail}`
}

/**
 * Down is `quorum` of the fresh locations failing `failureThreshold` times in a row; with fewer fresh locations than
 * the quorum, all of them failing is down. Up again is fewer than that not yet having passed `successThreshold` times.
 */
export const availabilityRule = defineRule({
  kind: 'availability',
  schema,
  monitor: ({ monitor }) => monitor,
  series: () => undefined,
  judge: (spec, facts): Judgement => {
    const heard = opinions(facts)
    if (heard.length === 0) {
      return { status: 'held', met: false, reason: 'input-unknown', summary: `nobody could look at ${spec.monitor}` }
    }
    const majority = Math.floor(facts.locations.length / 2) + 1
    const need = Math.min(spec.quorum ?? majority, heard.length)
    const failing = heard.filter((one) => one.failing)
    const atThreshold = failing.filter(({ count }) => count >= spec.failureThreshold)
    const notRecovered = heard.filter((one) => one.failing || one.count < spec.successThreshold)
    const down = facts.firing ? notRecovered : atThreshold
    const shown = failing.length > 0 ? failing : down
    const summary = sentence(spec, shown, heard.length, facts)
    const since = failing.length > 0 ? { sinceMs: Math.min(...failing.map(({ first }) => first.scheduledAtMs)) } : {}
    if (down.length >= need) return { status: 'active', met: true, reason: 'threshold-met', summary, ...since }
    if (facts.firing) return { status: 'inactive', met: false, reason: 'success-threshold-met', summary }
    if (failing.length === 0) return { status: 'inactive', met: false, reason: 'condition-gone', summary }
    const reason = atThreshold.length > 0 ? 'quorum-not-met' : 'first-failure'
    return { status: 'active', met: false, reason, summary, ...since }
  },
})
