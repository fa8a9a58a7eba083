/** The value below which `share` of all lie; NaN when there is none. */
export const percentile = (all: readonly number[], share: number): number => {
  const sorted = Float64Array.from(all).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** `all` may be too many for the arguments of Math.max. */
export const most = (all: readonly number[]): number => all.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)

const verdictOf = (met: boolean) => (met ? 'met' : 'MISSED')

/** One measured value with what was promised of it. A value that is missing misses its target. */
export const atMost = (what: string, value: number, { limit, unit }: { limit: number; unit: string }): string => {
  const shown = Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1)
  return `${what}: ${shown} ${unit} (target <= ${limit} ${unit}: ${verdictOf(value <= limit)})`
}

export const promised = (what: string, met: boolean): string => `${what} (${verdictOf(met)})`

export const isMissed = (line: string): boolean => line.endsWith(`${verdictOf(false)})`)
