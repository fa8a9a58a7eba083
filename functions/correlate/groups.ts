import type { Severity } from '../../config/contract.ts'
import type { Labels } from '../../rules/contract.ts'
import { ownService } from '../dead-letter.ts'
import { hash } from '../shards.ts'

/** The group of whatever fires while too much does; no service is called so. */
export const stormGroup = '.storm'

/** Letters, digits and dashes, whatever the text holds. */
const slug = (text: string, limit: number): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, limit)

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
  const name = plain ? first : `${slug(first, 50) || 'group'}-${hash(JSON.stringify([by, values])).toString(36)}`
  return severity === 'advisory' ? `${name}.advisory` : name
}

/** The beginning of its incidents' ids: room for the longest service's advisories, in ids of a hundred letters. */
export const idPrefix = (group: string): string => slug(group, 72) || 'incident'
