import type { Sli, SliBucket } from '../rules/contract.ts'

/** Events were told apart, or it is known that there were none. */
const isHeard = ({ good, bad, unknown }: SliBucket): boolean => good + bad > 0 || unknown === 0

/** The beginning of the last minute, or where no minute is left of the last hour, that said something of an objective. */
export const heardMs = ({ minutes, hours }: Sli): number | undefined =>
  (minutes.findLast(isHeard) ?? hours.findLast(isHeard))?.atMs
