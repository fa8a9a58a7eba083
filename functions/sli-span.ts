const hourMs = 3_600_000
/** So far back windows are exact. */
const exactHours = 6
/** The longest window, and a calendar month from its first hour to its last. */
export const daysKept = 92

/** The end of the last hour that is over for good: events before it are counted by the hour. */
export const closedUntilMs = (nowMs: number): number => Math.floor(nowMs / hourMs - exactHours) * hourMs

/** What lies before this is in no window. */
export const keptFromMs = (nowMs: number): number => nowMs - daysKept * 24 * hourMs
