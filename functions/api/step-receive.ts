/**
 * Reads alerts that somebody's Prometheus posts, and for each the row that would end it; decides what each is to us;
 * writes rows with what begins or is called otherwise and moves the rows of what goes on or ends, for `correlate`, which
 * alone changes incidents.
 * Run twice: the second finds the ends of the first and at most moves them; a repeat only prolongs.
 */
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { type RowChange, type StoredRow, storeIsAway } from '../../stores/contract.ts'
import type { Nudge, OutboxRow } from '../contract.ts'
import { jsonBytes } from '../json-bytes.ts'
import {
  endRow,
  endRowId,
  firingOf,
  type Known,
  type Meaning,
  type Moment,
  meaningOf,
  overRow,
  type Received,
  type ReceivedView,
  restatedOf,
  rowOf,
  serviceOf,
  unmapped,
} from './received.ts'
import type { ApiWorld } from './step.ts'

const time = z.iso.datetime({ offset: true })

/** Alertmanager's API, version 2, `postableAlert`; Go's zero time stands for none. */
const postable = z.object({
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()).default({}),
  startsAt: time.optional(),
  endsAt: time.optional(),
  generatorURL: z.string().optional(),
})
const alertsLimit = 2000
const posted = z.array(z.unknown()).max(alertsLimit)

export type ReceiveResult =
  | { status: 'accepted'; alerts: number; unmapped: string[] }
  /** Of several alerts those that can be read were accepted all the same. */
  | { status: 'refused'; why: string[]; accepted: number }
  | { status: 'busy' }

const msOf = (text: string | undefined): number | undefined => {
  const ms = text === undefined ? 0 : Date.parse(text)
  return ms > 0 ? ms : undefined
}

const withoutEmpty = (labels: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''))

const hashed = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)

/** The alert's identity: its labels in sorted order, as Alertmanager has it. */
const fingerprintOf = (labels: Readonly<Record<string, string>>): string =>
  hashed(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))

const readAlert = (input: unknown, nowMs: number, view: ReceivedView): Received | string => {
  const read = postable.safeParse(input)
  if (!read.success) {
    const [issue] = read.error.issues
    return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'no alert'}`
  }
  const labels = withoutEmpty(read.data.labels)
  if (Object.keys(labels).length === 0) return 'labels: an alert needs at least one label that is not empty'
  const endsAtMs = msOf(read.data.endsAt) ?? nowMs + view.alertmanager.resolveTimeoutSeconds * 1000
  const startsAtMs = msOf(read.data.startsAt)
  if (startsAtMs !== undefined && endsAtMs < startsAtMs) return 'endsAt: the alert ends before it starts'
  return { fingerprint: fingerprintOf(labels), labels, annotations: read.data.annotations, startsAtMs, endsAtMs }
}

const knownOf = (stored: StoredRow | undefined): Known | undefined => {
  if (stored?.row.to !== 'correlate' || stored.row.body.kind !== 'alert-changes') return undefined
  const { changes, after } = stored.row.body
  const [end] = changes
  return end && { end, dueAtMs: stored.row.dueAtMs, after }
}

type Alert = { received: Received; stored: StoredRow | undefined }
type Meant = Alert & { known: Known | undefined; meaning: Meaning }

/** The end of what begins, goes on or is over; before it a row that tells what the config calls otherwise by now. */
const rowsOf = ({ meaning, known, stored, ...alert }: Meant, at: Moment & { beginning: string }): RowChange[] => {
  if (meaning === 'nothing') return []
  const received = { ...alert.received, startsAtMs: alert.received.startsAtMs ?? known?.end.sinceMs }
  const endChange = (row: OutboxRow): RowChange => ({ id: row.id, expect: stored?.version ?? 0, row })
  if (known === undefined) return [endChange(endRow(received, { ...at, after: at.beginning }))]
  if (meaning === 'ends') return [endChange(overRow(received, known, at.nowMs))]
  const changes = restatedOf(received, known.end, at)
  if (changes.length === 0) return [endChange(endRow(received, { ...at, after: known.after }))]
  const told = changes.map(({ alertId, service, severity }) => [alertId, service, severity])
  const id = `received:${hashed([received.endsAtMs, told])}`
  const row = rowOf(id, changes, { dueAtMs: at.nowMs, after: known.after })
  return [{ id, expect: 0, row }, endChange(endRow(received, { ...at, after: id }))]
}

type Plan = { rows: RowChange[]; nudges: Nudge[]; begun: Received[] }

/** One commit's worth of alerts: one row with all that begin, and those of each. */
const planOf = (alerts: readonly Alert[], { view, nowMs }: Moment): Plan => {
  const meant = alerts.map((alert): Meant => {
    const known = knownOf(alert.stored)
    return { ...alert, known, meaning: meaningOf(alert.received, known, nowMs) }
  })
  const begun = meant.filter(({ meaning }) => meaning === 'begins').map(({ received }) => received)
  const id = `received:${hashed(begun.map(({ fingerprint, endsAtMs }) => [fingerprint, endsAtMs]))}`
  const changes = begun.map((received) => firingOf(received, view, nowMs))
  const beginning = rowOf(id, changes, { dueAtMs: nowMs, after: undefined })
  const others = meant.flatMap((one) => rowsOf(one, { view, nowMs, beginning: id }))
  const rows = [...(begun.length > 0 ? [{ id, expect: 0, row: beginning }] : []), ...others]
  // An end that is not due yet is the sweep's to keep.
  const due = rows.filter(({ row }) => row && row.dueAtMs <= nowMs)
  return { rows, nudges: due.map((row) => ({ to: 'correlate', rowId: row.id, afterMs: 0 })), begun }
}

/** A transaction has room for so many alerts, and the row with all that begin for so much: it holds at most 64 KB. */
const atOnce = 20
const partBytes = 48_000
const tries = 5

/** The alerts in parts that can be written at once, whatever their letters take. */
const partsOf = (alerts: readonly Received[], view: ReceivedView, nowMs: number): Received[][] => {
  const parts: Received[][] = []
  let bytes = 0
  for (const received of alerts) {
    const added = jsonBytes(firingOf(received, view, nowMs))
    const part = parts.at(-1)
    const fits = part !== undefined && part.length < atOnce && bytes + added <= partBytes
    if (fits) part.push(received)
    else parts.push([received])
    bytes = fits ? bytes + added : added
  }
  return parts
}

const writePart = async (world: ApiWorld, view: ReceivedView, part: readonly Received[]): Promise<Plan | 'busy'> => {
  for (let attempt = 0; attempt < tries; attempt++) {
    const alerts = await Promise.all(
      part.map(async (received) => ({ received, stored: await world.store.row(endRowId(received.fingerprint)) })),
    )
    const plan = planOf(alerts, { view, nowMs: world.nowMs() })
    if (plan.rows.length === 0 || (await world.store.commit([], plan.rows)) === 'committed') return plan
  }
  return 'busy'
}

const nudgeAll = async (world: ApiWorld, nudges: readonly Nudge[]) => {
  if (nudges.length === 0) return
  try {
    await world.nudge(nudges)
  } catch (error) {
    world.warn(
      `nudge of received alerts lost, the sweep will bring them: ${error instanceof Error ? error.message : error}`,
    )
  }
}

/** What one alert's labels are called where its service is not known. */
const nameOf = ({ labels }: Received): string => labels['alertname'] ?? JSON.stringify(labels).slice(0, 100)

const takePart = async (
  world: ApiWorld & { view: ReceivedView },
  part: readonly Received[],
): Promise<'taken' | 'busy'> => {
  const { view } = world
  const plan = await writePart(world, view, part)
  if (plan === 'busy') return 'busy'
  const lost = plan.begun.filter((received) => serviceOf(received, view) === unmapped).map(nameOf)
  if (lost.length > 0) world.warn(`received alerts of no known service: ${lost.join(', ')}`)
  await nudgeAll(world, plan.nudges)
  return 'taken'
}

/** Takes what was posted to `/api/v2/alerts`. */
export const receiveStep =
  (world: ApiWorld & { view: ReceivedView }) =>
  async (input: unknown): Promise<ReceiveResult> => {
    const { view } = world
    const list = posted.safeParse(input)
    if (!list.success)
      return { status: 'refused', why: [`the body is not a list of at most ${alertsLimit} alerts`], accepted: 0 }
    const nowMs = world.nowMs()
    const read = list.data.map((one, index) => {
      const alert = readAlert(one, nowMs, view)
      return typeof alert === 'string' ? `alert ${index + 1}: ${alert}` : alert
    })
    const why = read.filter((one) => typeof one === 'string')
    // The same alert twice in one body: the last word counts.
    const alerts = [
      ...new Map(read.flatMap((one) => (typeof one === 'string' ? [] : [[one.fingerprint, one]]))).values(),
    ]
    const parts = partsOf(alerts, view, nowMs)
    const failures: unknown[] = []
    let busy = false
    for (const part of parts) {
      try {
        busy = (await takePart(world, part)) === 'busy' || busy
      } catch (error) {
        if (storeIsAway(error)) throw error
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
    if (busy) return { status: 'busy' }
    if (why.length > 0) return { status: 'refused', why, accepted: alerts.length }
    const lost = alerts.filter((received) => serviceOf(received, view) === unmapped)
    return { status: 'accepted', alerts: alerts.length, unmapped: [...new Set(lost.map(nameOf))] }
  }
