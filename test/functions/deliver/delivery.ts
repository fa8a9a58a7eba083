import type { DeliveryResult } from '../../../channels/contract.ts'
import { type DeliveryOrder, keys, type Nudge, type OutboxRow } from '../../../functions/contract.ts'
import { deliverStep } from '../../../functions/deliver/step.ts'
import { memoryStore } from '../../../stores/memory.ts'
import type { CaseFile } from '../../../triage/contract.ts'
import { start } from '../builders.ts'

export const order: DeliveryOrder = {
  id: 'shop-1:pager:1',
  incidentId: 'shop-1',
  channel: 'pager',
  sequence: 1,
  event: 'opened',
  service: 'shop',
  severity: 'page',
  sinceMs: start,
  openedAtMs: start,
  summaries: ['front fails'],
  affects: [],
  fallbackFor: [],
}
export const rowId = `deliver:${order.id}`

export const caseFile: CaseFile = {
  incidentId: 'shop-1',
  atMs: start,
  headline: 'the answer',
  answers: [],
  suspects: [],
}

/** The row of an order, as it was written when it was decided. */
export const rowOf = (of: DeliveryOrder, at: { dueAtMs?: number; waitsForCaseFile?: boolean } = {}): OutboxRow => ({
  id: `deliver:${of.id}`,
  to: 'deliver',
  dueAtMs: at.dueAtMs ?? start,
  nudges: 0,
  body: { order: of, waitsForCaseFile: at.waitsForCaseFile ?? false, attempts: 0, leaseUntilMs: 0 },
})

/** Another incident's message of that event through the same channel. */
export const nth = (n: number, event: DeliveryOrder['event'] = 'updated'): DeliveryOrder => ({
  ...order,
  id: `shop-${n}:pager:1`,
  incidentId: `shop-${n}`,
  event,
})

export type Answer = DeliveryResult | Promise<DeliveryResult>

/** `deliver` over a store in memory, a clock that only the test moves and a provider that answers as told. */
export const world = (options: { answer?: () => Answer; known?: boolean; ratePerMinute?: number } = {}) => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const sent: string[] = []
  /** What the channel is in the config of now. */
  const kind = { now: 'webhook' }
  const nudges: Nudge[] = []
  const deliver = deliverStep({
    store,
    nowMs: () => clock.nowMs,
    random: () => 0,
    nudge: async (more) => {
      nudges.push(...more)
    },
    render: ({ order: { id }, caseFile: file }) =>
      options.known === false
        ? undefined
        : { body: `${id} ${file?.headline ?? 'no answers'} ${sent.length}`, contentType: 'text/plain' },
    send: async (_, { body }) => {
      sent.push(body)
      return options.answer ? options.answer() : { status: 'delivered' }
    },
    kindOf: () => (options.known === false ? undefined : kind.now),
    ratePerMinute: () => options.ratePerMinute,
  })
  const put = async (waitsForCaseFile: boolean, dueAtMs = start) => {
    const row = rowOf(order, { dueAtMs, waitsForCaseFile })
    await store.commit([], [{ id: row.id, expect: 0, row }])
  }
  const putAll = async (orders: readonly DeliveryOrder[]) => {
    for (const one of orders) await store.commit([], [{ id: `deliver:${one.id}`, expect: 0, row: rowOf(one) }])
  }
  const solve = () => store.commit([{ key: keys.caseFile('shop-1'), expect: 0, value: caseFile }])
  const receipts = async () =>
    (await store.due(Number.POSITIVE_INFINITY, 1000)).flatMap(({ row }) =>
      row.to === 'correlate' && row.body.kind === 'receipt' ? [row.body.receipt] : [],
    )
  return { clock, kind, store, sent, nudges, deliver, put, putAll, solve, receipts }
}
