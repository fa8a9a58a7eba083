import { createHash } from 'node:crypto'
import type { Nudge, Observation } from '../functions/contract.ts'

const encoder = new TextEncoder()
const sizeOf = (text: string) => encoder.encode(text).byteLength

/** A message is at most this large; SQS takes 256 KiB and up to ten messages together in the same room. */
export const messageLimitBytes = 200_000
const batchLimit = 10
const batchLimitBytes = 256 * 1024

const halves = (observation: Observation): Observation[] => {
  const part = <T>(all: readonly T[]) => {
    const middle = Math.ceil(all.length / 2)
    return [all.slice(0, middle), all.slice(middle)].filter((half) => half.length > 0)
  }
  const id = (half: number) => `${observation.id}/${half}`
  switch (observation.kind) {
    case 'outcomes':
      return part(observation.outcomes).map((outcomes, half) => ({ ...observation, id: id(half), outcomes }))
    case 'rule-results':
      return part(observation.results).map((results, half) => ({ ...observation, id: id(half), results }))
    case 'sli-counts':
      return part(observation.counts).map((counts, half) => ({ ...observation, id: id(half), counts }))
    default:
      return [observation]
  }
}

/**
 * An observation as messages that fit their queue: halved, with ids that stay different, until each is within
 * `limitBytes` of JSON or holds a single outcome or result.
 */
export const fittingMessages = (
  observation: Observation,
  limitBytes = messageLimitBytes,
): { id: string; body: string }[] => {
  const body = JSON.stringify(observation)
  const parts = sizeOf(body) <= limitBytes ? [observation] : halves(observation)
  if (parts.length < 2) return [{ id: observation.id, body }]
  return parts.flatMap((part) => fittingMessages(part, limitBytes))
}

/** Messages in their order, in batches that one call takes. One that is too large by itself goes by itself. */
export const inBatches = <M extends { body: string }>(messages: readonly M[]): M[][] => {
  const batches: M[][] = []
  let roomBytes = 0
  for (const message of messages) {
    const bytes = sizeOf(message.body)
    const last = batches.at(-1)
    if (last && last.length < batchLimit && bytes <= roomBytes) {
      last.push(message)
      roomBytes -= bytes
    } else {
      batches.push([message])
      roomBytes = batchLimitBytes - bytes
    }
  }
  return batches
}

/**
 * What tells nudges apart. Many rows keep their id when they are written anew (timers, acknowledgements), and counting
 * starts over then: without its time SQS would take the nudge of the new row for the old one's, five minutes long.
 */
export const nudgeId = ({ rowId, nudge = 0 }: Nudge, sentAtMs: number): string => `${rowId}:${nudge}:${sentAtMs}`

/** A deduplication id: 1 to 128 of SQS' characters, else a hash, which is as unique as the id. */
export const deduplicationId = (id: string): string =>
  /^[\x21-\x7e]{1,128}$/.test(id) ? id : createHash('sha256').update(id).digest('hex')
