/** Planted bugs, each at the edge between a step and its world, and the seed by which the simulator finds it. */
import { type DeliveryEvent, keys, type OutboxRow } from '../../../functions/contract.ts'
import { silences } from '../../../functions/hub-state.ts'
import type { Change, RowChange, Store } from '../../../stores/contract.ts'
import type { FunctionName } from '../awaits.ts'
import type { Mutant } from './mutant.ts'

export type Planted = { what: string; make: () => Mutant; seed: number }

type Commit = (
  store: Store,
  changes: readonly Change[],
  rows: readonly RowChange[],
  base: Store,
) => ReturnType<Store['commit']>

/** One function commits in another way. */
const committing = (name: FunctionName, commit: Commit): Mutant => ({
  store: (store, { fn, base }) =>
    fn === name ? { ...store, commit: (changes, rows = []) => commit(store, changes, rows, base) } : store,
})

/** Rows that a commit writes, or deletes, are left out. */
const without = (name: FunctionName, isForgotten: (row: RowChange, all: readonly RowChange[]) => boolean): Mutant =>
  committing(name, (store, changes, rows) =>
    store.commit(
      changes,
      rows.filter((row) => !isForgotten(row, rows)),
    ),
  )

const isReceipt = ({ id }: RowChange) => id.startsWith('receipt:')

const markBeforeSend = (): Mutant => ({
  send: async (attempt) => {
    attempt().catch(() => undefined)
    return { status: 'delivered' }
  },
})

const outboxOutside = (): Mutant =>
  committing('correlate', async (store, changes, rows) => {
    const demanded = rows.filter(({ row }) => row?.to === 'deliver')
    const result = await store.commit(
      changes,
      rows.filter((row) => !demanded.includes(row)),
    )
    if (result === 'committed' && demanded.length > 0) await store.commit([], demanded)
    return result
  })

const noVersionCheck = (): Mutant =>
  committing('correlate', async (store, changes, rows, base) => {
    const known = await base.read(changes.map(({ key }) => key))
    return store.commit(
      changes.map((change) => ({ ...change, expect: known.get(change.key)?.version ?? 0 })),
      rows,
    )
  })

/** The nudge carries what no row says. */
const nudgeWithoutRow = (): Mutant => {
  const carried = new Map<string, OutboxRow>()
  return {
    ...committing('correlate', (store, changes, rows) => {
      const pages = rows.flatMap(({ row }) => (row?.to === 'deliver' ? [row] : []))
      for (const row of pages) carried.set(row.id, row)
      return store.commit(
        changes,
        rows.filter(({ row }) => row?.to !== 'deliver'),
      )
    }),
    receive: async (_, rowId, base) => {
      const row = carried.get(rowId)
      if (row && carried.delete(rowId)) await base.commit([], [{ id: row.id, expect: 0, row }])
    },
  }
}

const resolveWithoutPage = (): Mutant =>
  committing('correlate', (store, changes, rows) => {
    const uninvited = rows.flatMap(({ row }): RowChange[] => {
      if (row?.to !== 'deliver' || row.body.order.event !== ('resolved' satisfies DeliveryEvent)) return []
      const order = { ...row.body.order, channel: 'mail', sequence: 1, id: `${row.body.order.incidentId}:mail:1` }
      const copy: OutboxRow = { ...row, id: `deliver:${order.id}`, body: { ...row.body, order } }
      return rows.some(({ id }) => id === copy.id) ? [] : [{ id: copy.id, expect: 0, row: copy }]
    })
    return store.commit(changes, [...rows, ...uninvited.slice(0, 1)])
  })

const unknownIsPass = (): Mutant => ({
  observation: (observation) =>
    observation.kind === 'outcomes'
      ? {
          ...observation,
          outcomes: observation.outcomes.map((one) => (one.verdict === 'unknown' ? { ...one, verdict: 'pass' } : one)),
        }
      : observation,
})

const fallbackDropped = (): Mutant =>
  without('correlate', ({ row }) => row?.to === 'deliver' && row.body.order.fallbackFor.length > 0)

const waitingForgotten = (): Mutant =>
  without(
    'correlate',
    ({ row }, all) => row?.to === 'deliver' && row.body.order.event === 'resolved' && all.some(isReceipt),
  )

const receiptTwice = (): Mutant => {
  const spared = new Set<string>()
  return without('correlate', (change) => {
    if (!isReceipt(change) || change.row || spared.has(change.id)) return false
    spared.add(change.id)
    return true
  })
}

const timerForgotten = (): Mutant => without('evaluate', ({ row }) => row?.to === 'evaluate')

const incidentTimerForgotten = (): Mutant =>
  without('correlate', ({ row }) => row?.to === 'correlate' && row.body.kind === 'incident-timer')

/** What `correlate` reads of silences says that they last for another day. */
const silenceForEver = (): Mutant => ({
  store: (store, { fn }) => {
    if (fn !== 'correlate') return store
    const read: Store['read'] = async (wanted) => {
      const found = await store.read(wanted)
      const item = found.get(keys.silences)
      if (!item) return found
      const kept = silences.parse(item.value).silences.map((one) => ({ ...one, endsAtMs: one.endsAtMs + 86_400_000 }))
      return new Map(found).set(keys.silences, { ...item, value: { silences: kept } })
    }
    return { ...store, read }
  },
})

/** What recovered explains what depends on it for good. */
const rootForEver = (): Mutant => ({ view: (view) => ({ ...view, settleMs: () => 86_400_000 }) })

const escalationForgotten = (): Mutant => ({
  view: (view) => {
    const routes = view.routing.routes.map(({ escalateAfterSeconds: _, ...route }) => route)
    return { ...view, routing: { ...view.routing, routes } }
  },
})

/** What is a page by now is told as news to whoever knows of the ticket. */
const pageAsNews = (): Mutant =>
  committing('correlate', (store, changes, rows) => {
    const quiet = rows.map((change): RowChange => {
      const { row } = change
      if (row?.to !== 'deliver' || row.body.order.event !== 'opened' || row.body.order.sequence === 1) return change
      const order = { ...row.body.order, event: 'updated' as const }
      return { ...change, row: { ...row, body: { ...row.body, order } } }
    })
    return store.commit(changes, quiet)
  })

/** The child takes its half, and the parent keeps it too. */
const unmarkedMove = (): Mutant =>
  committing('evaluate', (store, changes, rows) => {
    const shards = changes.filter(({ key }) => /^shard\/\d+\/\d+$/.test(key))
    const counts = shards.map(({ key }) => Number(key.split('/')[2]))
    const most = Math.max(...counts)
    const own = shards.length > 1 ? changes.filter(({ key }) => Number(key.split('/')[2]) === most) : changes
    return store.commit(own, rows)
  })

/** `npm run simulate -- --mutant NAME` finds the seed anew, where the simulator changed. */
export const mutants: Readonly<Record<string, Planted>> = {
  'mark before send': {
    what: 'deliver writes its receipt before the channel answered',
    make: markBeforeSend,
    seed: 1,
  },
  'outbox outside the transaction': {
    what: 'correlate commits its rows for deliver after its state',
    make: outboxOutside,
    seed: 2,
  },
  'no version check': {
    what: 'correlate writes over whatever version is there',
    make: noVersionCheck,
    seed: 141,
  },
  'nudge without row': {
    what: 'pages are in the nudge and in no row',
    make: nudgeWithoutRow,
    seed: 1,
  },
  'resolve without page': {
    what: 'a resolve also goes to a channel that never got the page',
    make: resolveWithoutPage,
    seed: 1,
  },
  'unknown counted as pass': {
    what: 'evaluate hears pass where a prober could not look',
    make: unknownIsPass,
    seed: 75,
  },
  'fallback dropped': {
    what: 'a page that a channel refused goes to nobody else',
    make: fallbackDropped,
    seed: 1,
  },
  'waiting forgotten': {
    what: 'a resolve that waited for its page to be final is not sent',
    make: waitingForgotten,
    seed: 1,
  },
  'receipt applied twice': {
    what: 'correlate applies a receipt without deleting its row',
    make: receiptTwice,
    seed: 2,
  },
  'timer forgotten': {
    what: 'evaluate does not write the row that wakes a shard',
    make: timerForgotten,
    seed: 247,
  },
  'incident timer forgotten': {
    what: 'correlate does not write the row that wakes an incident',
    make: incidentTimerForgotten,
    seed: 8,
  },
  'silence never ends': {
    what: 'correlate takes a silence for one that lasts another day',
    make: silenceForEver,
    seed: 6,
  },
  "root's end forgotten": {
    what: 'what recovered keeps its dependents quiet for good',
    make: rootForEver,
    seed: 448,
  },
  'escalation forgotten': {
    what: 'nobody else hears of what nobody takes on',
    make: escalationForgotten,
    seed: 69,
  },
  'page told as news': {
    what: 'correlate sends an update where something less severe was known before',
    make: pageAsNews,
    seed: 42,
  },
  'move without a mark': {
    what: 'a shard takes its half over and the parent keeps it too',
    make: unmarkedMove,
    seed: 10,
  },
}
