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
  'input-unknown': 'too few could look, so nothing was decided: unknown neither pages nor resolves',
  'input-known': 'somebody could look again',
  'rule-removed': 'its rule left the config',
  'severity-changed': 'the config calls it by another severity since',
  'service-changed': 'the config has it in another service since',
  reported: 'a Prometheus says that it fires',
  'reported-over': 'its Prometheus says that it is over',
  'not-repeated': 'its Prometheus did not repeat it in time',
  'burn-rate-met': 'the budget of its objective burns too fast, in a long and a short window',
  'burn-rate-gone': 'the budget of its objective no longer burns too fast',
  'budget-spent': 'so much of the budget is spent as its policy names',
  'budget-back': 'less of the budget is spent than its policy names',
  'another-pages': 'the availability rule of its monitor sees it too, and pages for both',
  'set-aside': 'a message could not be applied, however often it was tried',
}

/** Reasons of incidents, which are told with what happened. */
const incidentWords: Readonly<Record<string, string>> = {
  'first-alert': 'its first alert fired',
  'all-alerts-gone': 'none of its alerts fires any more',
  'taken-on': 'somebody took it on',
  'severity-rose': 'it became severer than what was accepted',
  'back-again': 'it was over and is back',
  'fired-again-soon': 'it fired again so soon after its end that it is the same incident',
  flapping: 'it comes and goes, so its end must hold for a while',
  fallback: 'a channel refused the page, so the next one gets it',
  unacknowledged: 'nobody took it on in the time its route gives them',
  'reminder-due': 'nobody has taken it on yet',
  'inhibited-by-dependency': 'a service it needs fails, and its page explains this one',
  'inhibits-dependent': 'a service that needs this one fails with it',
  'too-many-sources': 'as many alerts as are noted inhibit the same, so when those are over this one inhibits nothing',
  'muted-by-silence': 'somebody asked not to be told of it',
  'muted-by-maintenance': 'it is planned, in a maintenance window',
  'muted-by-inhibit-rule': 'an inhibit rule of the config keeps it quiet',
  'muted-by-settling': 'what explained it is just over, and it is given time to recover',
  'no-longer-muted': 'nothing keeps it quiet any more',
  'joined-storm': 'too much fails at once for pages of their own',
  'nobody-was-paged': 'it was over before anybody had to be told',
  'event-over': 'it told of something that happened, which is over by now',
}

/** A reason of a timeline in words; one nobody put into words is its own. */
export const wordsFor = (reason: string): string =>
  Object.hasOwn(reasonWords, reason)
    ? // `as`: its keys are the reasons.
      reasonWords[reason as AlertReason]
    : (incidentWords[reason] ?? reason)
