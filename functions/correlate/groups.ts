import type { Severity } from '../../config/contract.ts'
import type { Labels } from '../../rules/contract.ts'
import { ownService } from '../dead-letter.ts'
import { hash } from '../shards.ts'

/** The group of whatever fires while too much does. */
export const stormGroup = 'storm'

/**
 * What alerts of one incident have in common. Advisories are a group of their own: what is only shown must neither
 * keep an incident open nor be part of a page.
 */
export const groupOf = (by: readonly string[], labels: Labels, severity: Severity): string => {
  // What sets rows aside knows its own incidents by their name.
  if (labels['service'] === ownService) return ownService
  const values = by.map((label) => labels[label] ?? '')
  const [first = ''] = values
  const plain = by.length === 1 && by[0] === 'service'
  const name = plain ? first : `${first || 'group'}-${hash(JSON.stringify([by, values])).toString(36)}`
  return severity === 'advisory' ? `${name}.advisory` : name
}

/** The beginning of its incidents' ids: letters, digits and dashes, whatever the labels hold. */
export const idPrefix = (group: string): string =>
  group
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60) || 'incident'
