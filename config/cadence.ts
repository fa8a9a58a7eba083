/** When a schedule of EventBridge Scheduler fires for monitors of one period. */
export type Cadence = { expression: string; everySeconds: number }

/**
 * The schedule for a period. Cron, because `rate` counts from whenever it was made while ticks of all locations and of
 * the fallback clock lie on multiples of the period, in UTC. A period that cron cannot say (90 s, 7 min, everything
 * below a minute) gets the minute, and the function runs the multiples that lie in it.
 */
export const cadenceOf = (periodSeconds: number): Cadence => {
  const minutes = periodSeconds / 60
  const hours = minutes / 60
  if (hours === 24) return { expression: 'cron(0 0 * * ? *)', everySeconds: periodSeconds }
  if (Number.isInteger(hours) && 24 % hours === 0) {
    return { expression: `cron(0 0/${hours} * * ? *)`, everySeconds: periodSeconds }
  }
  if (Number.isInteger(minutes) && minutes > 1 && 60 % minutes === 0) {
    return { expression: `cron(0/${minutes} * * * ? *)`, everySeconds: periodSeconds }
  }
  return { expression: 'cron(* * * * ? *)', everySeconds: 60 }
}
