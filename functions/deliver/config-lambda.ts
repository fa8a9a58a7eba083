import type { DeliverWorld } from './step.ts'

/** What the hub's stack tells the function, besides what it tells all. */
export const deliverNeeds = ['WHODUNIT_TOPICS', 'WHODUNIT_API_URL', 'WHODUNIT_STATUS_URL'] as const

type Health = { measure: (metric: 'PageDelayMs', value: number) => void }

/** Measures how long an incident was open when a channel took its page. */
export const timed =
  (send: DeliverWorld['send'], { nowMs, health }: { nowMs: () => number; health: Health }): DeliverWorld['send'] =>
  async (order, ...rest) => {
    const result = await send(order, ...rest)
    const isPage = order.event === 'opened' && result.status === 'delivered'
    if (isPage) health.measure('PageDelayMs', Math.max(0, nowMs() - order.openedAtMs))
    return result
  }
