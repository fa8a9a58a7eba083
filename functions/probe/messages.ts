import type { Observation } from '../contract.ts'

const encoder = new TextEncoder()

/**
 * An observation as messages that fit their queue: halved, with ids that stay different, until each is within
 * `limitBytes` of JSON or holds a single outcome.
 */
export const fittingMessages = (observation: Observation, limitBytes = 200_000): { id: string; body: string }[] => {
  const body = JSON.stringify(observation)
  const fits = encoder.encode(body).byteLength <= limitBytes
  if (fits || observation.kind !== 'outcomes' || observation.outcomes.length < 2) return [{ id: observation.id, body }]
  const middle = Math.ceil(observation.outcomes.length / 2)
  const halves = [observation.outcomes.slice(0, middle), observation.outcomes.slice(middle)]
  return halves.flatMap((outcomes, half) =>
    fittingMessages({ ...observation, id: `${observation.id}/${half}`, outcomes }, limitBytes),
  )
}
