import type { AlertChange, CorrelateBody, DeliveryOrder, OutboxRow, Receipt } from '../../../functions/contract.ts'
import { decideCorrelate, type Message } from '../../../functions/correlate/decide.ts'
import type { HubDecision, HubView } from '../../../functions/correlate/hub.ts'
import { deadlineMs } from '../../../functions/correlate/timers.ts'
import { emptyIndex, type Incident } from '../../../functions/hub-state.ts'
import { change, hubView, start } from '../builders.ts'

export const nothing: HubDecision = {
  index: emptyIndex,
  silences: [],
  groups: new Map(),
  incidents: new Map(),
  unreadable: new Set(),
  pages: new Map(),
  components: new Map(),
  inhibitors: new Map(),
  rows: [],
}

export const oneChannel = hubView([{ channels: ['pager'] }])
/** Pages go to the pager and on to the boss, the rest to the chat. */
export const pagerBossChat = hubView(
  [
    { severities: ['page'], channels: ['pager'], escalateAfterSeconds: 600 },
    { severities: ['page'], channels: ['boss'] },
    { channels: ['chat'] },
  ],
  ['pager', 'boss', 'chat'],
)

const changed = (to: AlertChange['to'], more: object): CorrelateBody => ({
  kind: 'alert-changes',
  changes: [change({ to, ...more })],
})
export const firing = (more: object = {}): CorrelateBody => changed('firing', more)
export const over = (more: object = {}): CorrelateBody => changed('inactive', more)
/** An alert of a service of its own. */
export const of = (service: string, more: object = {}) => ({
  service,
  alertId: `${service}-down`,
  ruleId: `${service}-down`,
  ...more,
})

/** One message after another; rows pile up so that a test sees all that was ever sent. */
export const apply = (
  hub: HubDecision,
  message: Message,
  at: { view?: HubView; afterMs?: number } = {},
): HubDecision => {
  const next = decideCorrelate(hub, [message], { view: at.view ?? oneChannel, nowMs: start + (at.afterMs ?? 0) })
  return { ...next, rows: [...hub.rows, ...next.rows] }
}

export const orders = ({ rows }: { rows: readonly OutboxRow[] }): DeliveryOrder[] =>
  rows.flatMap((row) => (row.to === 'deliver' ? [row.body.order] : []))
export const sent = (hub: HubDecision): string[] => orders(hub).map(({ id, event }) => `${id} ${event}`)

export const receipt = (
  order: DeliveryOrder | undefined,
  status: Receipt['status'],
  more: Partial<Receipt> = {},
): CorrelateBody => {
  if (!order) throw new Error('no order to acknowledge')
  return { kind: 'receipt', receipt: { order, status, atMs: start, attempts: 1, withCaseFile: true, ...more } }
}

export const open = (hub: HubDecision): string[] =>
  [...hub.incidents.values()].filter(({ status }) => status !== 'resolved').map(({ id }) => id)

export const incidentOf = (hub: HubDecision, id: string): Incident => {
  const found = hub.incidents.get(id)
  if (!found) throw new Error(`there is no incident ${id}`)
  return found
}

/** Plays a hub on a clock: every order is delivered at once, and every deadline met, as the steps do. */
export class Hub {
  #hub: HubDecision = nothing
  #delivered = 0
  nowMs = start
  #view: HubView
  readonly #answer: (order: DeliveryOrder) => CorrelateBody
  /** What was sent, with seconds since the start: `12 shop-20261123-060000:pager:1 opened`. */
  readonly log: string[] = []

  constructor(view: HubView, answer: (order: DeliveryOrder) => CorrelateBody = (order) => receipt(order, 'delivered')) {
    this.#view = view
    this.#answer = answer
  }

  get hub(): HubDecision {
    return this.#hub
  }

  /** Goes on with another config. */
  deploy(view: HubView): this {
    this.#view = view
    return this
  }

  hear(message: Message): this {
    this.#hub = apply(this.#hub, message, { view: this.#view, afterMs: this.nowMs - start })
    for (let all = orders(this.#hub); this.#delivered < all.length; all = orders(this.#hub)) {
      const order = all[this.#delivered++]
      if (!order) break
      this.log.push(`${(this.nowMs - start) / 1000} ${order.id} ${order.event}`)
      this.#hub = apply(this.#hub, this.#answer(order), { view: this.#view, afterMs: this.nowMs - start })
    }
    return this
  }

  /** The first deadline of all, with what is to be told then. */
  #next(): { atMs: number; message: CorrelateBody } | undefined {
    const context = { view: this.#view, nowMs: this.nowMs }
    const timers = [...this.#hub.incidents.values()].flatMap((one) => {
      const atMs = deadlineMs(one, context)
      return atMs === undefined
        ? []
        : [{ atMs, message: { kind: 'incident-timer' as const, incidentId: one.id } as CorrelateBody }]
    })
    const ends = this.#hub.silences.map(({ endsAtMs }) => ({
      atMs: endsAtMs,
      message: { kind: 'silence-timer' as const } as CorrelateBody,
    }))
    return [...timers, ...ends].sort((a, b) => a.atMs - b.atMs)[0]
  }

  /** Lets time pass, with all that is due until then. */
  until(seconds: number): this {
    const untilMs = start + seconds * 1000
    for (let next = this.#next(); next && next.atMs <= untilMs; next = this.#next()) {
      this.nowMs = Math.max(this.nowMs, next.atMs)
      this.hear(next.message)
    }
    this.nowMs = untilMs
    return this
  }
}
