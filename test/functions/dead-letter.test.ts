import { expect, test } from '@jest/globals'
import { type AlertChange, type DeliveryOrder, outboxRow } from '../../functions/contract.ts'
import { deadLetterRows } from '../../functions/dead-letter.ts'
import type { Quarantined } from '../../stores/contract.ts'
import { change, start } from './builders.ts'
import { Hub, oneChannel } from './correlate/hub.ts'
import { order, rowId, rowOf } from './deliver/delivery.ts'

const atMs = start + 12_345
const setAside = (held: unknown, at: Partial<Quarantined> = {}): Quarantined => ({
  rowId: 'changes:0/1:7',
  text: typeof held === 'string' ? held : JSON.stringify(held),
  reason: 'nudged 10 times and never consumed',
  dueAtMs: start,
  quarantinedAtMs: atMs,
  ...at,
})
const told = (found: Quarantined) =>
  deadLetterRows(found).map((row) => {
    expect(outboxRow.parse(row)).toEqual(row)
    return row.to === 'correlate' ? row.body : undefined
  })
const kinds = (found: Quarantined) => told(found).map((body) => body?.kind)

test('whatever is set aside is an alert of our own that names it and ends by itself', () => {
  const found = setAside({ id: 'changes:0/1:7', to: 'correlate', body: { kind: 'alert-changes', changes: [] } })
  expect(deadLetterRows(found)).toEqual([
    {
      id: 'dead-letter:changes:0/1:7',
      to: 'correlate',
      dueAtMs: atMs,
      nudges: 0,
      body: {
        kind: 'alert-changes',
        changes: [
          {
            alertId: 'dead-letter:791',
            ruleId: 'dead-letter',
            service: 'whodunit',
            severity: 'page',
            labels: {},
            from: 'inactive',
            to: 'firing',
            reason: 'set-aside',
            atMs,
            sinceMs: start,
            summary: 'changes:0/1:7 was set aside: nudged 10 times and never consumed',
            endsAtMs: atMs + 3_600_000,
          } satisfies AlertChange,
        ],
      },
    },
  ])
})

test('a delivery that is set aside is refused as well, so that somebody else is asked', () => {
  const row = rowOf(order)
  const found = setAside(row, { rowId })
  expect(deadLetterRows(found).map(({ id }) => id)).toEqual([`receipt:${order.id}:set-aside`, `dead-letter:${rowId}`])
  expect(told(found)[0]).toEqual({
    kind: 'receipt',
    receipt: {
      order,
      status: 'rejected',
      cause: 'it was set aside: nudged 10 times and never consumed',
      atMs,
      attempts: 0,
      withCaseFile: false,
      mayHaveArrived: false,
    },
  })
})

const { body } = rowOf(order)
test.each([
  { given: 'its doubt is noted', more: { attempts: 2, mayHaveArrived: true }, mayHaveArrived: true },
  { given: 'every attempt was answered', more: { attempts: 2, mayHaveArrived: false }, mayHaveArrived: false },
  { given: 'nothing is noted of its attempts', more: { attempts: 2 }, mayHaveArrived: true },
  {
    given: 'a newer version added to it',
    more: { order: { ...order, mood: 'grim' }, tries: [] },
    mayHaveArrived: false,
  },
])('what can be read of a delivery says whether it may have arrived: $given', ({ more, mayHaveArrived }) => {
  const [receipt] = told(setAside({ ...rowOf(order), body: { ...body, ...more } }, { rowId }))
  expect(receipt).toMatchObject({ kind: 'receipt', receipt: { order: { id: order.id }, mayHaveArrived } })
})

const ours: DeliveryOrder = { ...order, service: 'whodunit', incidentId: 'whodunit-20261123-060000' }
const incidentId = 'whodunit-20261123-060000'
test.each([
  { given: 'a delivery', held: rowOf(ours), then: ['receipt'] },
  { given: 'a delivery nobody can read', held: { to: 'deliver', body: { order: { service: 'whodunit' } } }, then: [] },
  { given: 'changes', held: { body: { changes: [change({ to: 'firing', service: 'whodunit' })] } }, then: [] },
  { given: 'a receipt', held: { body: { kind: 'receipt', receipt: { order: ours } } }, then: [] },
  { given: 'the questions', held: { body: { brief: { service: 'whodunit', incidentId } } }, then: [] },
  { given: 'a timer', held: { body: { kind: 'incident-timer', incidentId } }, then: [] },
  { given: 'a dead letter', held: 'torn', at: { rowId: 'dead-letter:timer:0/1' }, then: [] },
  { given: 'a torn delivery', held: 'torn', at: { rowId: `deliver:${incidentId}:pager:1` }, then: [] },
  { given: 'a message', held: { rowId: 'dead-letter:timer:0/1', was: 1 }, at: { rowId: 'message:q:1' }, then: [] },
])('a dead letter about $given of our own incident raises no other', ({ held, at, then }) => {
  expect(kinds(setAside(held, at))).toEqual(then)
})

test.each([
  { given: 'a service whose name begins like ours', held: { body: { incidentId: 'whodunit-demo-20261123-060000' } } },
  {
    given: 'changes of others beside ours',
    held: { body: { changes: [{ service: 'whodunit' }, { service: 'shop' }] } },
  },
  { given: 'bytes that are nothing', held: '\u0000{' },
  { given: 'JSON that is no row', held: '[1]' },
  { given: 'a message that says nothing', held: '{}', at: { rowId: 'message:deliver:m-1' } },
])('$given is told', ({ held, at }) => expect(kinds(setAside(held, at))).toEqual(['alert-changes']))

test('what is in a row is told to nobody, and what is told has its limits', () => {
  const held = { ...rowOf({ ...order, summaries: ['sesame'] }), to: 'publish', token: 'sesame' }
  const rows = deadLetterRows(setAside(held, { rowId: 'x'.repeat(900), reason: 'y'.repeat(900) }))
  expect(JSON.stringify(rows)).not.toContain('sesame')
  expect(JSON.stringify(rows).length).toBeLessThan(1500)
})

/** What people hear when these rows are set aside, each so many minutes after the start. */
const heardOf = (asides: readonly { rowId: string; minute: number }[]) => {
  const hub = new Hub(oneChannel)
  for (const { rowId, minute } of asides) {
    hub.until(minute * 60)
    for (const body of told(setAside('{}', { rowId, quarantinedAtMs: hub.nowMs }))) if (body) hub.hear(body)
  }
  hub.until(4 * 3600)
  return { log: hub.log.map((line) => line.replace(/ \S+ /, ' ')), hub: hub.hub }
}

test.each([
  { given: 'nothing else is', rowIds: ['triage:one'], then: ['0 opened', '3600 resolved'] },
  {
    given: 'something else is half an hour later',
    rowIds: ['triage:one', 'alerts:0/1:7'],
    then: ['0 opened', '1800 updated', '5400 resolved'],
  },
  { given: 'the same is told again', rowIds: ['triage:one', 'triage:one'], then: ['0 opened', '5400 resolved'] },
])('what is set aside is told, and is over an hour later: $given', ({ rowIds, then }) => {
  const { log } = heardOf(rowIds.map((id, nth) => ({ rowId: id, minute: nth * 30 })))
  expect(log).toEqual(then)
})

test('hundreds that are set aside at once are a few messages', () => {
  const { log } = heardOf(Array.from({ length: 300 }, (_, nth) => ({ rowId: `triage:${nth}`, minute: nth / 60 })))
  expect(log[0]).toBe('0 opened')
  expect(log.at(-1)).toMatch(/ resolved$/)
  expect(log.length).toBeLessThan(10)
})

test('thousands that are set aside are no more alerts than an incident has room for', () => {
  const ids = Array.from({ length: 20_000 }, (_, nth) => told(setAside('{}', { rowId: `triage:${nth}` }))[0])
  const alertIds = new Set(ids.flatMap((body) => (body?.kind === 'alert-changes' ? body.changes[0]?.alertId : [])))
  expect(alertIds.size).toBeGreaterThan(4000)
  expect(alertIds.size).toBeLessThanOrEqual(4096)
})
