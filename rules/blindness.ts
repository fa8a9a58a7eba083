import type { Facts, Judgement } from './contract.ts'

/** As long as Kubernetes gives most things to come back. */
const blindMs = 900_000

/** How long nobody may be able to tell before that is told: at least until a cluster's next readings are overdue. */
export const blindAfterMs = ({ sourceFreshMs = 0 }: Facts): number => Math.max(blindMs, sourceFreshMs)

/** The alert of a rule over series that nobody can see them: `unknown` must not look like all is well. */
export const blindAlert = (judge: (facts: Facts) => Judgement) => ({
  part: 'blind',
  severity: 'ticket' as const,
  afterSilenceMs: blindMs,
  judge,
})
