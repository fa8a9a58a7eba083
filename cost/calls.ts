import { cadenceOf } from '../config/cadence.ts'

/** How a schedule's calls relate to its ticks. Averages over all calls. */
export type CallPattern = {
  everySeconds: number
  /** Which part of the calls has any tick to run; the others end at once. */
  activeShare: number
  /** How long a call waits from its start to its last tick. */
  waitSeconds: number
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/** Ticks lie on multiples of the period; a call runs those in its interval and is paid while it waits for the last. */
export const callPattern = (
  periodSeconds: number,
  everySeconds = cadenceOf(periodSeconds).everySeconds,
): CallPattern => {
  const calls = periodSeconds / gcd(periodSeconds, everySeconds)
  let active = 0
  let waitSeconds = 0
  for (let call = 0; call < calls; call++) {
    const startS = call * everySeconds
    const lastS = Math.floor((startS + everySeconds - 1) / periodSeconds) * periodSeconds
    if (lastS < startS) continue
    active++
    waitSeconds += lastS - startS
  }
  return { everySeconds, activeShare: active / calls, waitSeconds: waitSeconds / calls }
}
