import { distance } from 'fastest-levenshtein'
import type * as z from 'zod'

type Issue = z.core.$ZodIssue

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Far from it: this branch is of another type altogether. */
const otherType = 100

const missingKeys = (issues: readonly Issue[], value: unknown): string[] =>
  issues.flatMap(({ code, path: [key, ...deeper] }) =>
    code === 'invalid_type' &&
    typeof key === 'string' &&
    deeper.length === 0 &&
    isMap(value) &&
    !Object.hasOwn(value, key)
      ? [key]
      : [],
  )

/** How far `value` is from a branch that refused it with these issues; 0 would fit. */
const farness = (issues: readonly Issue[], value: unknown): number => {
  const missing = missingKeys(issues, value)
  return issues.reduce((sum, issue) => {
    if (issue.code === 'invalid_type' && issue.path.length === 0) return sum + otherType
    if (issue.code === 'invalid_value' && issue.path.length === 0) return sum + otherType / 2
    if (issue.code === 'invalid_union' && issue.path.length === 0) {
      return sum + Math.min(otherType, ...issue.errors.map((branch) => farness(branch, value)))
    }
    if (issue.code !== 'unrecognized_keys') return sum + (missing.includes(String(issue.path[0])) ? 4 : 2)
    // An unknown key that is nearly a missing one speaks for this branch.
    const typos = issue.keys.filter((key) =>
      missing.some((wanted) => distance(key.toLowerCase(), wanted.toLowerCase()) <= 2),
    )
    return sum + 4 * issue.keys.length - 5 * typos.length
  }, 0)
}

/**
 * The issues of the one branch of a union that is closest to what was written; undefined when none is (all are of
 * another type, or several are equally far), so that only "this or that" can be said.
 */
export const closestIssues = (
  branches: readonly (readonly Issue[])[],
  value: unknown,
): readonly Issue[] | undefined => {
  const ranked = branches.map((issues) => ({ issues, far: farness(issues, value) })).sort((a, b) => a.far - b.far)
  const [first, second] = ranked
  if (first === undefined || first.far >= otherType / 2) return undefined
  return second !== undefined && second.far === first.far ? undefined : first.issues
}
