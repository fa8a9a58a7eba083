/** `correlate` as it runs, over a store in memory, with channels that take everything at once. */
import type { Config } from '../../config/schema.ts'
import { type AlertChange, type DeliveryOrder, keys, type OutboxRow } from '../../functions/contract.ts'
import { hubView } from '../../functions/correlate/config.ts'
import { correlateStep } from '../../functions/correlate/step.ts'
import { alertPage, incident } from '../../functions/hub-state.ts'
import type { RowChange, Store } from '../../stores/contract.ts'
import { memoryStore } from '../../stores/memory.ts'
import type { Ledger } from './ledger.ts'

/** So many changes are sure to fit a row. */
const changesPerRow = 30
/** Receipts of a storm that are applied in one go. */
const receiptsAtOnce = 20

const isTimer = (row: OutboxRow) => row.to === 'correlate' && row.body.kind.endsWith('-timer')

export class Paging {
  readonly #ledger: Ledger
  readonly #store: Store
  readonly #correlate: (rowIds: readonly string[]) => Promise<unknown>
  readonly #timers = new Map<string, number>()
  #orders: DeliveryOrder[] = []
  #done: string[] = []
  #told = 0

  constructor(config: Config, { ledger, nowMs }: { ledger: Ledger; nowMs: () => number }) {
    const inner = memoryStore({ nowMs })
    this.#ledger = ledger
    this.#store = {
      ...inner,
      commit: async (changes, rows = []) => {
        const result = await inner.commit(changes, rows)
        if (result === 'conflict') return result
        for (const { key, value } of changes) this.#wrote(key, value, nowMs())
        for (const row of rows) this.#put(row, nowMs())
        return result
      },
    }
    const nudge = async () => undefined
    this.#correlate = correlateStep({ store: this.#store, nowMs, nudge, view: hubView(config) })
  }

  /** When something must be done though nothing arrives. */
  dueAtMs(): number {
    return [...this.#timers].reduce((first, [, atMs]) => Math.min(first, atMs), Number.POSITIVE_INFINITY)
  }

  async tell(changes: readonly AlertChange[], nowMs: number): Promise<void> {
    for (let at = 0; at < changes.length; at += changesPerRow) {
      const id = `alerts:${++this.#told}`
      const body = { kind: 'alert-changes' as const, changes: changes.slice(at, at + changesPerRow) }
      await this.#store.commit([], [{ id, expect: 0, row: { id, to: 'correlate', dueAtMs: nowMs, nudges: 0, body } }])
      await this.#apply([id], nowMs)
    }
    // It forgets what has expired when it is asked for what is due.
    await this.#store.due(nowMs, 1)
  }

  async runDue(nowMs: number): Promise<void> {
    const due = [...this.#timers].filter(([, atMs]) => atMs <= nowMs).map(([id]) => id)
    for (const id of due.sort()) {
      this.#timers.delete(id)
      await this.#apply([id], nowMs)
    }
  }

  #wrote(key: string, value: unknown, nowMs: number): void {
    const [kind, id = ''] = key.split('/')
    if (key === keys.incident(id)) this.#ledger.incident(incident.parse(value), nowMs)
    else if (kind === 'alerts') this.#ledger.page(id, alertPage.parse(value), nowMs)
  }

  #put({ id, row }: RowChange, nowMs: number): void {
    if (row?.to === 'deliver') {
      this.#orders.push(row.body.order)
      this.#ledger.ordered(row.body.order, nowMs)
    }
    if (row?.to === 'triage') this.#done.push(id)
    if (row && isTimer(row)) this.#timers.set(id, row.dueAtMs)
    else this.#timers.delete(id)
  }

  /** Applies rows and whatever follows from them at once. */
  async #apply(rowIds: readonly string[], nowMs: number): Promise<void> {
    await this.#correlate(rowIds)
    while (this.#orders.length > 0) {
      const orders = this.#orders.splice(0, receiptsAtOnce)
      const receipts = await Promise.all(orders.map((order) => this.#deliver(order, nowMs)))
      await this.#correlate(receipts)
    }
    for (const id of this.#done.splice(0)) await this.#forget(id)
  }

  async #deliver(order: DeliveryOrder, nowMs: number): Promise<string> {
    const id = `receipt:${order.id}`
    const receipt = { order, status: 'delivered' as const, atMs: nowMs, attempts: 1, withCaseFile: true }
    const row: OutboxRow = { id, to: 'correlate', dueAtMs: nowMs, nudges: 0, body: { kind: 'receipt', receipt } }
    await this.#forget(`deliver:${order.id}`)
    await this.#store.commit([], [{ id, expect: 0, row }])
    return id
  }

  async #forget(id: string): Promise<void> {
    const stored = await this.#store.row(id)
    if (stored) await this.#store.commit([], [{ id, expect: stored.version }])
  }
}
