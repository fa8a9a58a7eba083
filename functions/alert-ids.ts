/** A further alert of a rule: its advisory, an objective's ticket. The rule's own alert is called like the rule. */
export const partId = (ruleId: string, part: string): string => `${ruleId}:${part}`

export const advisoryId = (ruleId: string): string => partId(ruleId, 'advisory')

/** The rule an alert is of; no id in a config holds a colon. */
export const ruleOfAlert = (alertId: string): string => alertId.split(':', 1)[0] ?? alertId
