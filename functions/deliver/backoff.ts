/** Attempts before a channel counts as refusing and the next one is tried: about half a minute. */
export const attemptsPerOrder = 5

const firstMs = 1000
const capMs = 60_000

/**
 * How long to wait before the next attempt: exponential with full jitter over the upper half, or what the provider
 * asked for. `random` is 0..1.
 */
export const retryAfterMs = (attempt: number, options: { random: number; askedMs?: number }): number => {
  if (options.askedMs !== undefined) return Math.min(Math.max(options.askedMs, firstMs), 3_600_000)
  const ceiling = Math.min(capMs, firstMs * 2 ** (attempt - 1))
  return Math.round(ceiling / 2 + (ceiling / 2) * options.random)
}
