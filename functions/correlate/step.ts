/**
 * Reads outbox rows and all that they may touch of the hub: index, silences, groups, incidents, components; decides;
 * writes what changed, rows and the timers of the incidents it touched, and deletes the rows it applied, in one
 * transaction.
 * Run twice: the second run finds no row. A batch too large for one transaction is applied in parts, and one that
 * cannot be applied, or conflicts every time, message by message.
 */
import { commitLimit, type RowChange, type Store, type StoredRow, storeIsAway } from '../../stores/contract.ts'
import type { CorrelateBody, Nudge, OutboxRow } from '../contract.ts'
import { incidentTimerId, publishRowId, receivedEndPrefix, shardOfAlertsRow, silenceTimerId } from '../row-ids.ts'
import { changesAtOnce, decideCorrelate } from './decide.ts'
import type { HubDecision, HubView } from './hub.ts'
import { silencesEndAtMs } from './silences.ts'
import { changesOf, type Loaded, load } from './step-load.ts'
import { deadlineMs } from './timers.ts'

export type CorrelateWorld = {
  store: Store
  nowMs: () => number
  nudge: (nudges: readonly Nudge[]) => Promise<void>
  view: HubView
  /** While the hub runs, a due row is brought here so soon; without it that is never doubted. */
  sweptWithinMs?: number
}

export type CorrelateResult = { status: 'applied'; rows: number } | { status: 'conflict' }

/** `againAtMs`: when its row is due again, with the rest. */
type Mail = { stored: StoredRow; message: CorrelateBody; rest?: CorrelateBody; againAtMs?: number }

/** Longer chains are applied by later runs. */
const mailLimit = 50

const isReceivedEnd = ({ id }: OutboxRow): boolean => id.startsWith(receivedEndPrefix)

/** A timer, or the end of a posted alert, that was put off since somebody was told of it. */
const isEarly = (row: Extract<OutboxRow, { to: 'correlate' }>, nowMs: number): boolean =>
  (row.body.kind.endsWith('-timer') || isReceivedEnd(row)) && row.dueAtMs > nowMs

/** As long as a Prometheus server lets an alert last that it does not repeat, and a minute. */
const heardAgainMs = 300_000

/** The end of a posted alert is put off when it is applied so late that nobody may have been there to hear a repeat. */
const mailOf = (
  stored: StoredRow,
  message: CorrelateBody,
  { nowMs, sweptWithinMs = Infinity }: CorrelateWorld,
): Mail => {
  const isLate = nowMs() - stored.row.dueAtMs > sweptWithinMs
  if (!isLate || !isReceivedEnd(stored.row) || message.kind !== 'alert-changes') return { stored, message }
  return { stored, message: { ...message, changes: [] }, rest: message, againAtMs: nowMs() + heardAgainMs }
}

/** The rows with these ids, each behind the rows it must not overtake (a lost nudge, a restart, a conflict may mix them up). */
const readMail = async (world: CorrelateWorld, rowIds: readonly string[]): Promise<Mail[]> => {
  const found = new Map<string, Mail>()
  for (const rowId of rowIds) {
    const chain: Mail[] = []
    for (let next: string | undefined = rowId; next !== undefined && !found.has(next); ) {
      const stored: StoredRow | undefined = await world.store.row(next)
      if (stored?.row.to !== 'correlate' || isEarly(stored.row, world.nowMs())) break
      const message = stored.row.body
      chain.unshift(mailOf(stored, message, world))
      next = message.kind === 'alert-changes' ? message.after : undefined
    }
    for (const mail of chain) found.set(mail.stored.row.id, mail)
  }
  return [...found.values()].slice(0, mailLimit)
}

const consumed = ({ stored, rest, againAtMs }: Mail): RowChange => {
  const { row, version } = stored
  const { id, to } = row
  if (!rest || to !== 'correlate') return { id, expect: version }
  if (againAtMs === undefined) return { id, expect: version, row: { ...row, body: rest } }
  // Nobody has tried it by then.
  return { id, expect: version, row: { id, to, dueAtMs: againAtMs, nudges: 0, body: rest } }
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

type Due = { id: string; dueAtMs: number | undefined; body: CorrelateBody }

/** The timers of what a decision touched: one row an incident, at its earliest deadline, and one for all silences. */
const timersOf = ({ hub }: Loaded, decision: HubDecision, at: { view: HubView; nowMs: number }): Due[] => {
  const touched = [...decision.incidents].filter(([id, one]) => hub.incidents.get(id) !== one)
  return [
    ...touched.map(([incidentId, one]): Due => {
      const body = { kind: 'incident-timer' as const, incidentId }
      return { id: incidentTimerId(incidentId), dueAtMs: deadlineMs(one, at), body }
    }),
    ...(decision.silences === hub.silences
      ? []
      : [
          {
            id: silenceTimerId,
            dueAtMs: silencesEndAtMs(decision.silences),
            body: { kind: 'silence-timer' as const },
          },
        ]),
  ]
}

/** One that is due earlier already is left alone: it finds nothing to do then and says when it is due again. */
const timerChange = async (
  store: Store,
  due: Due,
  at: { applied: ReadonlyMap<string, StoredRow>; nowMs: number },
): Promise<RowChange[]> => {
  const { id, dueAtMs, body } = due
  const fired = at.applied.get(id)
  const stored = fired ?? (await store.row(id))
  if (dueAtMs === undefined) return stored ? [{ id, expect: stored.version }] : []
  if (stored && !fired && stored.row.dueAtMs <= dueAtMs) return []
  // One that was just applied has done all it could for now, whatever it says.
  const againAtMs = fired ? Math.max(dueAtMs, at.nowMs + 1000) : dueAtMs
  return [{ id, expect: stored?.version ?? 0, row: { id, to: 'correlate', dueAtMs: againAtMs, nudges: 0, body } }]
}

/** Does it change what the status page shows? Receipts, timers and who took something on do not. */
const showsNews = ({ hub }: Loaded, { incidents, components }: HubDecision): boolean =>
  [...incidents].some(([id, now]) => {
    const before = hub.incidents.get(id)
    const isSame = before?.severity === now.severity && before.sinceMs === now.sinceMs
    return !isSame || before.resolvedAtMs !== now.resolvedAtMs
  }) ||
  [...components].some(([service, now]) => {
    const before = hub.components.get(service)
    return before?.status !== now.status || before.incidentId !== now.incidentId
  })

/** One row demands the status page, written again by whatever changes it: the page that answers it holds everything. */
const publishChange = async (store: Store, nowMs: number): Promise<RowChange[]> => {
  const stored = await store.row(publishRowId)
  const row: OutboxRow = { id: publishRowId, to: 'publish', dueAtMs: nowMs, nudges: 0, body: {} }
  return [{ id: publishRowId, expect: stored?.version ?? 0, row }]
}

const apply = async (
  world: CorrelateWorld,
  mail: readonly Mail[],
  atOnce = changesAtOnce,
): Promise<CorrelateResult> => {
  const { store, view } = world
  const nowMs = world.nowMs()
  const messages = mail.map(({ message, stored }) => ({ ...message, shard: shardOfAlertsRow(stored.row.id) }))
  const loaded = await load(world, messages)
  const decision = decideCorrelate(loaded.hub, messages, { view, nowMs, atOnce })
  const changes = changesOf(loaded, decision, { view, nowMs })
  const { rows } = decision
  const applied = new Map(mail.map(({ stored }) => [stored.row.id, stored]))
  const deadlines = timersOf(loaded, decision, { view, nowMs })
  const page = showsNews(loaded, decision) ? await publishChange(store, nowMs) : []
  const timers = (await Promise.all(deadlines.map((one) => timerChange(store, one, { applied, nowMs })))).flat()
  const rewritten = new Set(timers.map(({ id }) => id))
  const done = mail.map(consumed).filter(({ id }) => !rewritten.has(id))
  const tooMany = changes.length + rows.length + timers.length + page.length + done.length > commitLimit
  if (tooMany && canHalve(mail)) return apply(world, halve(mail))
  if (tooMany && atOnce > 1) return apply(world, mail, Math.ceil(atOnce / 2))
  // A retried order keeps its row id: the row it replaces was deleted with its receipt, so 0 is right for it as well.
  const written = rows.map((row) => ({ id: row.id, expect: 0, row }))
  if ((await store.commit(changes, [...done, ...timers, ...page, ...written])) === 'conflict')
    return { status: 'conflict' }
  // A timer that is not due yet is the sweep's to keep.
  const due = [...timers, ...page].flatMap(({ row }) => (row && row.dueAtMs <= nowMs ? [row] : []))
  await world.nudge(nudgesFor([...rows, ...due], nowMs))
  return { status: 'applied', rows: mail.filter(({ rest }) => !rest).length }
}

const alertIdsOf = ({ message }: Mail): string[] =>
  message.kind === 'alert-changes' ? message.changes.map(({ alertId }) => alertId) : []

/** Each alone. Only what says more of the same alerts stays behind one that is not done, as an end behind its beginning. */
const applyEach = async (world: CorrelateWorld, mail: readonly Mail[]): Promise<CorrelateResult> => {
  const undone = new Set<string>()
  const failures: unknown[] = []
  let [rows, conflicts] = [0, 0]
  for (const one of mail) {
    const alertIds = alertIdsOf(one)
    const isBehind = alertIds.some((id) => undone.has(id))
    let done = 0
    try {
      const result = isBehind ? undefined : await apply(world, [one])
      if (result?.status === 'conflict') conflicts++
      else done = result?.rows ?? 0
    } catch (error) {
      if (storeIsAway(error)) throw error
      failures.push(error)
    }
    if (done === 0) for (const id of alertIds) undone.add(id)
    rows += done
  }
  if (failures.length > 0) throw failures[0]
  return conflicts > 0 ? { status: 'conflict' } : { status: 'applied', rows }
}

/** One message that cannot be applied, or conflicts every time, must not take its neighbours along. */
const applyOrPart = async (
  world: CorrelateWorld,
  mail: readonly Mail[],
  isLastTry: boolean,
): Promise<CorrelateResult> => {
  if (isLastTry) return applyEach(world, mail)
  try {
    return await apply(world, mail)
  } catch (error) {
    if (mail.length === 1 || storeIsAway(error)) throw error
    return applyEach(world, mail)
  }
}

const tries = 5

/** Applies the rows with these ids; those already applied are passed over. */
export const correlateStep =
  (world: CorrelateWorld) =>
  async (rowIds: readonly string[]): Promise<CorrelateResult> => {
    let rows = 0
    for (let conflicts = 0; conflicts < tries; ) {
      const mail = await readMail(world, rowIds)
      if (mail.length === 0) return { status: 'applied', rows }
      const result = await applyOrPart(world, mail, conflicts === tries - 1)
      if (result.status === 'applied') rows += result.rows
      else conflicts++
    }
    return { status: 'conflict' }
  }
