export const minuteMs = 60_000
export const startMs = Date.UTC(2026, 10, 23, 6, 0, 0)
/** Faults and troubles are over by then: whatever is wrong afterwards stays wrong. */
export const calmAtMs = startMs + 22 * minuteMs
export const endMs = startMs + 30 * minuteMs
/** So long may it take until everybody is told: what is set aside is told for an hour, by clocks that may have gone back. */
export const patienceMs = 100 * minuteMs
/** Two clocks of the hub: what one dates may seem to be before its cause, which the other dated. */
export const apartMs = 600
