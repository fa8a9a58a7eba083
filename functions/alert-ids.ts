const suffix = ':advisory'

/** The alert of a rule's advisory; the rule's own alert is called like the rule. */
export const advisoryId = (ruleId: string): string => `${ruleId}${suffix}`

/** The rule an alert is of. */
export const ruleOfAlert = (alertId: string): string =>
  alertId.endsWith(suffix) ? alertId.slice(0, -suffix.length) : alertId
