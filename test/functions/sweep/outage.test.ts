import { expect, test } from '@jest/globals'
import type { Nudge, OutboxRow } from '../../../functions/contract.ts'
import { correlateStep } from '../../../functions/correlate/step.ts'
import { timerRow } from '../../../functions/row-ids.ts'
import { signOfLifeId } from '../../../functions/sweep/sign-of-life.ts'
import { sweepRounds } from '../../../functions/sweep/step-rounds.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { availability, hubView, outcome, ruleView, seen, start } from '../builders.ts'
import { townWith } from '../evaluate/hub.ts'

type Away = { from: number; to: number }
const minuteMs = 60_000

/** Consumers that work but while they are away, and never on what is poison. Plays minute after minute. */
const house = ({ away = {}, poison = [] }: { away?: Partial<Record<OutboxRow['to'], Away>>; poison?: string[] }) => {
  const clock = { nowMs: start }
  const minute = () => Math.floor((clock.nowMs - start) / minuteMs)
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const [aside, done]: [{ id: string; minute: number }[], { id: string; minute: number }[]] = [[], []]
  const nudge = async (nudges: readonly Nudge[]) => {
    for (const { to, rowId } of nudges) {
      const { from, to: until } = away[to] ?? { from: 0, to: 0 }
      const stored = await store.row(rowId)
      if (!stored || poison.includes(rowId) || (minute() >= from && minute() < until)) continue
      await store.commit([], [{ id: rowId, expect: stored.version }])
      done.push({ id: rowId, minute: minute() })
    }
  }
  const sweep = sweepRounds({
    store,
    nowMs: () => clock.nowMs,
    nudge,
    quarantined: ({ id }) => aside.push({ id, minute: minute() }),
    waitUntil: async (atMs) => {
      clock.nowMs = atMs
    },
  })
  const play = async (minutes: number) => {
    for (let nth = minute(); nth < minutes; nth++) {
      clock.nowMs = start + nth * minuteMs + 1000
      await sweep()
    }
  }
  const put = (...rows: OutboxRow[]) =>
    store.commit(
      [],
      rows.map((row) => ({ id: row.id, expect: 0, row })),
    )
  const due = async () => (await store.due(Number.MAX_SAFE_INTEGER, 100)).map(({ row }) => row.id)
  return { store, put, play, aside, done, due }
}

const news = (id: string): OutboxRow => {
  const body = { kind: 'alert-changes' as const, changes: [] }
  return { id, to: 'correlate', dueAtMs: start, nudges: 0, body }
}
const incidentTimer: OutboxRow = {
  id: 'timer:incident:shop-1',
  to: 'correlate',
  dueAtMs: start,
  nudges: 0,
  body: { kind: 'incident-timer', incidentId: 'shop-1' },
}

test.each([8, 17, 30, 180, 4000])(
  'what correlate is told while it is away for %i minutes is applied minutes after',
  async (to) => {
    const { put, play, aside, done, due } = house({ away: { correlate: { from: 0, to } } })
    await put(news('alerts:0/1:2'), incidentTimer, news('dead-letter:x'))
    await play(to)
    expect(aside).toEqual([])
    await play(to + (to < 17 ? 9 : 2))
    expect(done.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['alerts:0/1:2', incidentTimer.id, 'dead-letter:x']),
    )
    expect([aside, await due()]).toEqual([[], []])
  },
)

test('while correlate works on others a row it never applies is set aside after about twenty minutes, and told', async () => {
  const { put, play, aside, done, due } = house({ poison: ['alerts:0/1:2'] })
  await put(news('alerts:0/1:2'))
  await play(25)
  expect(aside).toEqual([{ id: 'alerts:0/1:2', minute: expect.any(Number) }])
  expect(aside[0]?.minute).toBeLessThan(23)
  expect(done.map(({ id }) => id)).toContain('dead-letter:alerts:0/1:2')
  expect(await due()).toEqual([])
})

test('poison is told apart from the rest once an outage is over', async () => {
  const { put, play, aside, due } = house({
    away: { correlate: { from: 0, to: 45 } },
    poison: ['poison:1', 'poison:2'],
  })
  await put(news('poison:1'), news('alerts:0/1:2'), news('poison:2'))
  await play(45)
  expect(aside).toEqual([])
  await play(70)
  expect(aside.map(({ id }) => id)).toEqual(['poison:1', 'poison:2'])
  expect(await due()).toEqual([])
})

test('an outage that begins while poison is found out takes nothing along', async () => {
  const { put, play, aside, done } = house({ away: { correlate: { from: 16, to: 60 } }, poison: ['poison'] })
  await put(news('poison'))
  await play(16)
  await put(incidentTimer)
  await play(85)
  expect(done.map(({ id }) => id)).toContain(incidentTimer.id)
  expect(aside.map(({ id }) => id)).toEqual(['poison'])
})

test('rows that ask together are sent with one sign', async () => {
  const { put, play, due, done } = house({ away: { correlate: { from: 0, to: 1 } } })
  await put(...['a', 'b', 'c'].map((id) => ({ ...news(id), nudges: 9, dueAtMs: start - 3_600_000 })))
  await play(1)
  expect(await due()).toEqual(['a', 'b', 'c', signOfLifeId])
  await play(2)
  expect(done.map(({ id }) => id)).toEqual([signOfLifeId, 'a', signOfLifeId, 'b', 'c'])
})

test('a dead letter that nobody takes stays, and is tried again and again', async () => {
  const { put, play, aside, due } = house({ poison: ['dead-letter:x'] })
  await put(news('dead-letter:x'))
  await play(120)
  expect([aside, await due()]).toEqual([[], ['dead-letter:x']])
})

test("a shard's timer is never set aside: it is told once that it is stuck, and fires when its shard works again", async () => {
  const { put, play, aside, done, due } = house({ away: { evaluate: { from: 0, to: 90 } } })
  await put(timerRow('0/1', start))
  await play(90)
  expect(aside).toEqual([])
  expect(done.map(({ id }) => id)).toEqual(['dead-letter:timer:0/1'])
  await play(100)
  expect(done.at(-1)?.id).toBe('timer:0/1')
  expect(await due()).toEqual([])
})

test.each([30, 200])(
  'an outage that begins while correlate is away for %i minutes is an incident all the same',
  async (away) => {
    const town = townWith([ruleView(availability())])
    const { store, clock } = town
    const evaluate = town.deployed(1)
    const view = hubView([{ channels: ['pager'] }])
    const correlate = correlateStep({ store, nowMs: () => clock.nowMs, nudge: async () => undefined, view })
    let minute = 0
    const nudge = async (nudges: readonly Nudge[]) => {
      for (const { to, rowId } of nudges) if (to === 'correlate' && minute >= away) await correlate([rowId])
    }
    const sweep = sweepRounds({
      store,
      nowMs: () => clock.nowMs,
      nudge,
      quarantined: () => undefined,
      waitUntil: async (atMs) => {
        clock.nowMs = atMs
      },
    })
    for (; minute < away + 3; minute++) {
      const scheduledAtMs = start + minute * minuteMs
      clock.nowMs = scheduledAtMs + 1000
      await evaluate(seen([outcome({ verdict: 'fail', scheduledAtMs, startedAtMs: scheduledAtMs })]))
      await sweep()
    }
    const incidents = [...(await store.list('incident/shop-', { limit: 10 })).keys()]
    expect(incidents).toHaveLength(1)
    expect((await store.due(clock.nowMs, 100)).map(({ row }) => row.to)).toContain('deliver')
  },
)
