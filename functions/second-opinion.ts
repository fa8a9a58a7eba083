/** A second opinion that is older than this is none: it is neither looked for nor asked again. */
export const secondOpinionForMs = 60_000

/** Asked too long ago, or by a clock that was ahead. */
export const isOverdue = (askedAtMs: number, nowMs: number): boolean => Math.abs(nowMs - askedAtMs) > secondOpinionForMs
