import type { AlertReason } from '../../functions/contract.ts'

/** Every reason in words that somebody understands who was asleep a minute ago. */
export const reasonWords: Readonly<Record<AlertReason, string>> = {
  'first-failure': 'it failed, but no location often enough yet (failureThreshold)',
  'threshold-met': 'enough locations saw it fail often enough',
  'for-elapsed': 'it has been so for as long as the rule asks',
  'success-threshold-met': 'it passed again, as often as the rule asks (successThreshold)',
  'condition-gone': 'it passed again before it was worth a page',
  'quorum-not-met': 'too few locations agree (quorum)',
  'quorum-met': 'enough locations agree now, so the page takes over',
  'silence-too-long': 'nothing was heard of it for too long',
  'heard-again': 'it was heard of again',
  'input-unknown': 'nobody could look, so nothing was decided: unknown neither pages nor resolves',
  'input-known': 'somebody could look again',
  'rule-removed': 'its rule left the config',
}

/** Reasons of incidents, which are told with what happened. */
const incidentWords: Readonly<Record<string, string>> = {
  'first-alert': 'its first alert fired',
  'all-alerts-gone': 'none of its alerts fires any more',
  'taken-on': 'somebody took it on',
  'severity-rose': 'it became severer than what was accepted',
}

/** A reason of a timeline in words; one nobody put into words is its own. */
export const wordsFor = (reason: string): string =>
  Object.hasOwn(reasonWords, reason)
    ? // `as`: its keys are the reasons.
      reasonWords[reason as AlertReason]
    : (incidentWords[reason] ?? reason)
