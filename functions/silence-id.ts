import { createHash } from 'node:crypto'
import type { SilenceRequest } from './contract.ts'

/** RFC 4648 §6 in small letters. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const letters = 6

/** Half a minute apart is asked once and repeated; a name that a person can type follows from what was asked. */
const roundedMs = 60_000

/** `s-k3xq7a`: the same wish within a minute has the same id, so that a repeat is no second silence. */
export const silenceId = (wish: Omit<SilenceRequest, 'id'>): string => {
  const { matchers, author, reason, startsAtMs, endsAtMs, incidentId = '' } = wish
  const lasts = Math.round((endsAtMs - startsAtMs) / 1000)
  const text = JSON.stringify([matchers, author, reason, Math.floor(startsAtMs / roundedMs), lasts, incidentId])
  const bytes = createHash('sha256').update(text).digest()
  return `s-${[...bytes.subarray(0, letters)].map((byte) => alphabet[byte % alphabet.length]).join('')}`
}
