/**
 * Reads rows addressed to it, the hub's index and the incidents they name; decides incidents and who is told; writes
 * index, incidents and rows, and deletes the rows it applied, in one transaction.
 * Run twice: the second run finds no row. A batch too large for one transaction is applied in parts.
 */
import {
  type Change,
  commitLimit,
  type RowChange,
  type Store,
  type StoredRow,
  StoreError,
} from '../../stores/contract.ts'
import {
  emptyIndex,
  type HubIndex,
  hubIndex,
  type Incident,
  incident,
  keys,
  type Nudge,
  type OutboxRow,
} from '../contract.ts'
import { type CorrelateMessage, decideCorrelate, type HubDecision, type HubView, incidentsNamed } from './decide.ts'

export type CorrelateWorld = {
  store: Store
  nowMs: () => number
  nudge: (nudges: readonly Nudge[]) => Promise<void>
  view: HubView
}

export type CorrelateResult = { status: 'applied'; rows: number } | { status: 'conflict' }

/** How long a resolved incident is kept. */
const keepResolvedMs = 90 * 86_400_000

type Mail = { stored: StoredRow; message: CorrelateMessage; rest?: CorrelateMessage }
type Loaded = { index: HubIndex; incidents: Map<string, Incident>; versions: Map<string, number> }

/** Longer chains are applied by later runs. */
const mailLimit = 50

/** The rows with these ids, each behind the rows it must not overtake (a lost nudge, a restart, a conflict may mix them up). */
const readMail = async (store: Store, rowIds: readonly string[]): Promise<Mail[]> => {
  const found = new Map<string, Mail>()
  for (const rowId of rowIds) {
    const chain: Mail[] = []
    for (let next: string | undefined = rowId; next !== undefined && !found.has(next); ) {
      const stored: StoredRow | undefined = await store.row(next)
      if (stored?.row.to !== 'correlate') break
      const message = stored.row.body
      chain.unshift({ stored, message })
      next = message.kind === 'alert-changes' ? message.after : undefined
    }
    for (const mail of chain) found.set(mail.stored.row.id, mail)
  }
  return [...found.values()].slice(0, mailLimit)
}

const load = async (store: Store, messages: readonly CorrelateMessage[]): Promise<Loaded> => {
  const stored = (await store.read([keys.hub])).get(keys.hub)
  const index = stored ? hubIndex.parse(stored.value) : emptyIndex
  const named = incidentsNamed(index, messages)
  const items = await store.read(named.map(keys.incident))
  const versions = new Map([...items].map(([key, { version }]) => [key, version]))
  versions.set(keys.hub, stored?.version ?? 0)
  const incidents = [...items.values()].map(({ value }) => incident.parse(value))
  return { index, versions, incidents: new Map(incidents.map((found) => [found.id, found])) }
}

const changesOf = (loaded: Loaded, decision: HubDecision): Change[] => {
  const touched = [...decision.incidents].filter(([id, found]) => loaded.incidents.get(id) !== found)
  const expect = (key: string) => loaded.versions.get(key) ?? 0
  return [
    { key: keys.hub, expect: expect(keys.hub), value: decision.index },
    ...touched.map(([id, value]) => ({
      key: keys.incident(id),
      expect: expect(keys.incident(id)),
      value,
      ...(value.resolvedAtMs === undefined ? {} : { expiresAtMs: value.resolvedAtMs + keepResolvedMs }),
    })),
  ]
}

const consumed = ({ stored, rest }: Mail): RowChange => {
  const { row, version } = stored
  if (!rest || row.to !== 'correlate') return { id: row.id, expect: version }
  return { id: row.id, expect: version, row: { ...row, body: rest } }
}

/** Half of the work: fewer messages, or the first half of one message's alerts with the rest left in its row. */
const halve = (mail: readonly Mail[]): Mail[] => {
  if (mail.length > 1) return mail.slice(0, Math.ceil(mail.length / 2))
  return mail.map((one) => {
    if (one.message.kind !== 'alert-changes') return one
    const { changes } = one.message
    const half = Math.ceil(changes.length / 2)
    const left = one.rest?.kind === 'alert-changes' ? one.rest.changes : []
    const rest = { ...one.message, changes: [...changes.slice(half), ...left] }
    return { ...one, message: { ...one.message, changes: changes.slice(0, half) }, rest }
  })
}

const canHalve = ([first, ...more]: readonly Mail[]) =>
  more.length > 0 || (first?.message.kind === 'alert-changes' && first.message.changes.length > 1)

const nudgesFor = (rows: readonly OutboxRow[], nowMs: number): Nudge[] =>
  rows.map(({ to, id, dueAtMs }) => ({ to, rowId: id, afterMs: Math.max(0, dueAtMs - nowMs) }))

const apply = async (world: CorrelateWorld, mail: readonly Mail[]): Promise<CorrelateResult> => {
  const nowMs = world.nowMs()
  const messages = mail.map(({ message }) => message)
  const loaded = await load(world.store, messages)
  const decision = decideCorrelate(loaded, messages, { view: world.view, nowMs })
  const changes = changesOf(loaded, decision)
  const published: OutboxRow[] =
    changes.length > 1
      ? [{ id: `publish:${loaded.versions.get(keys.hub)}`, to: 'publish', dueAtMs: nowMs, nudges: 0, body: {} }]
      : []
  const rows = [...decision.rows, ...published]
  const tooMany = changes.length + rows.length + mail.length > commitLimit
  if (tooMany && canHalve(mail)) return apply(world, halve(mail))
  const written = rows.map((row) => ({ id: row.id, expect: 0, row }))
  // A retried order keeps its row id: the row it replaces was deleted with its receipt, so 0 is right for it as well.
  const committed = await world.store.commit(changes, [...mail.map(consumed), ...written])
  if (committed === 'conflict') return { status: 'conflict' }
  await world.nudge(nudgesFor(rows, nowMs))
  return { status: 'applied', rows: mail.filter(({ rest }) => !rest).length }
}

/** Nothing is wrong with what was to be written: it fails for everybody, and will work later. */
const storeIsAway = (error: unknown) => error instanceof StoreError && !['too-large', 'misuse'].includes(error.code)

/** One message that cannot be applied must not take its neighbours along: then each goes alone. */
const applyOrPart = async (world: CorrelateWorld, mail: readonly Mail[]): Promise<CorrelateResult> => {
  try {
    return await apply(world, mail)
  } catch (error) {
    if (mail.length === 1 || storeIsAway(error)) throw error
  }
  let rows = 0
  const failures: unknown[] = []
  for (const one of mail) {
    try {
      const result = await apply(world, [one])
      if (result.status === 'conflict') return result
      rows += result.rows
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return { status: 'applied', rows }
}

const tries = 5

/** Applies the rows with these ids; those already applied are passed over. */
export const correlateStep =
  (world: CorrelateWorld) =>
  async (rowIds: readonly string[]): Promise<CorrelateResult> => {
    let rows = 0
    for (let conflicts = 0; conflicts < tries; ) {
      const mail = await readMail(world.store, rowIds)
      if (mail.length === 0) return { status: 'applied', rows }
      const result = await applyOrPart(world, mail)
      if (result.status === 'applied') rows += result.rows
      else conflicts++
    }
    return { status: 'conflict' }
  }
