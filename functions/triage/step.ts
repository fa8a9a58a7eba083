/**
 * Reads a triage row; asks the questions; writes the case file, deletes the row and tells `correlate`, in one
 * transaction; then nudges the pages that wait for it. It never writes those pages' rows: a case file that comes too
 * late changes nothing but what is sent next.
 * Run twice: the second run finds no row, or loses the commit.
 */
import type { Store } from '../../stores/contract.ts'
import type { Brief, CaseFile } from '../../triage/contract.ts'
import { keys, type Nudge, type OutboxRow } from '../contract.ts'
import { pageDeadlineMs } from '../page-event.ts'

export type TriageWorld = {
  store: Store
  nowMs: () => number
  nudge: (nudges: readonly Nudge[]) => Promise<void>
  /** Questions everybody; answers within `deadlineMs`, with `unknown: why` for whoever did not. */
  investigate: (brief: Brief, deadlineMs: number) => Promise<CaseFile>
}

export type TriageResult = { status: 'gone' } | { status: 'lost-race' } | { status: 'stored'; caseFile: CaseFile }

/** Even a late triage gets this long: an update with answers is worth more than one without. */
export const leastAskingMs = 1000

/** How long to ask; a clock that was set back since the page was decided has nobody asked for longer than it waits. */
const askingMs = (answerByMs: number, nowMs: number) =>
  Math.min(pageDeadlineMs, Math.max(leastAskingMs, answerByMs - nowMs))

/** As long as a resolved incident is kept. */
const keepCaseFileMs = 90 * 86_400_000

/** Answers one incident's questions. */
export const triageStep =
  (world: TriageWorld) =>
  async (rowId: string): Promise<TriageResult> => {
    const stored = await world.store.row(rowId)
    if (stored?.row.to !== 'triage') return { status: 'gone' }
    const { brief, nudge, answerByMs } = stored.row.body
    const caseFile = await world.investigate(brief, askingMs(answerByMs, world.nowMs()))
    const key = keys.caseFile(brief.incidentId)
    const known = (await world.store.read([key])).get(key)
    const toldId = `case-file:${brief.incidentId}:${(known?.version ?? 0) + 1}`
    const nowMs = world.nowMs()
    const told: OutboxRow = {
      id: toldId,
      to: 'correlate',
      dueAtMs: nowMs,
      nudges: 0,
      body: { kind: 'case-file', incidentId: brief.incidentId },
    }
    const committed = await world.store.commit(
      [{ key, expect: known?.version ?? 0, value: caseFile, expiresAtMs: nowMs + keepCaseFileMs }],
      [
        { id: rowId, expect: stored.version },
        { id: toldId, expect: 0, row: told },
      ],
    )
    if (committed === 'conflict') return { status: 'lost-race' }
    const pages = nudge.map((id) => ({ to: 'deliver' as const, rowId: id, afterMs: 0 }))
    await world.nudge([...pages, { to: 'correlate', rowId: toldId, afterMs: 0 }])
    return { status: 'stored', caseFile }
  }
