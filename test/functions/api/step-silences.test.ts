import { expect, test } from '@jest/globals'
import { acknowledgeStep } from '../../../functions/api/step.ts'
import { askedSilences, endSilenceStep, listSilences, silenceStep } from '../../../functions/api/step-silences.ts'
import { keys, type Nudge } from '../../../functions/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { putIncidents, sinceMs, storedIncident } from '../stored-incidents.ts'

const hour = 3_600_000
const body = { matchers: ['service=shop'], author: 'kim', reason: 'a new database', forSeconds: 7200 }

const world = () => {
  const clock = { nowMs: sinceMs + 60_000 }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const nudges: Nudge[] = []
  const nudge = async (more: readonly Nudge[]) => void nudges.push(...more)
  const given = { store, nowMs: () => clock.nowMs, nudge, warn: () => undefined }
  const rows = async () => (await store.due(sinceMs + 1e9, 10)).map(({ row }) => row)
  return {
    clock,
    store,
    nudges,
    rows,
    silence: silenceStep(given),
    list: () => listSilences(given),
    asked: () => askedSilences(given),
    end: endSilenceStep(given),
    take: acknowledgeStep(given),
  }
}

test('a silence is a row for correlate, nudged, and says what it will keep quiet', async () => {
  const { store, silence, rows, nudges } = world()
  await putIncidents(store, [storedIncident('shop'), storedIncident('cart')])
  const result = await silence(body)
  const { forSeconds: _, ...asked } = body
  const silenced = {
    ...asked,
    id: expect.stringMatching(/^s-/),
    startsAtMs: sinceMs + 60_000,
    endsAtMs: sinceMs + 60_000 + 2 * hour,
  }
  expect(result).toEqual({
    ok: true,
    answer: {
      silence: silenced,
      hides: [expect.objectContaining({ service: 'shop', summary: 'shop fails from local' })],
    },
  })
  const [row] = await rows()
  expect(row).toMatchObject({
    to: 'correlate',
    dueAtMs: sinceMs + 60_000,
    body: { kind: 'silence', silence: silenced },
  })
  expect(nudges).toEqual([{ to: 'correlate', rowId: row?.id, afterMs: 0 }])
})

test('asking twice within a minute is one silence, also once correlate has it', async () => {
  const { clock, store, silence, rows, list } = world()
  const first = await silence(body)
  clock.nowMs += 5000
  const second = await silence(body)
  expect(await rows()).toHaveLength(1)
  if (!first.ok || !second.ok) throw new Error('refused')
  expect(second.answer.silence.id).toBe(first.answer.silence.id)
  const kept = { ...first.answer.silence, hid: [], hidCount: 0 }
  const id = `silence:${kept.id}`
  const row = await store.row(id)
  await store.commit(
    [{ key: keys.silences, expect: 0, value: { silences: [kept] } }],
    [{ id, expect: row?.version ?? 0 }],
  )
  await silence(body)
  expect(await rows()).toEqual([])
  expect(await list()).toEqual([{ ...kept, state: 'in-force' }])
})

test('a store without a hub takes a silence all the same, lists it and ends it', async () => {
  const { silence, list, asked: pending, end, rows } = world()
  expect(await silence(body)).toMatchObject({ ok: true, answer: { hides: [] } })
  expect(await list()).toEqual([])
  const [asked] = await pending()
  expect(asked).toMatchObject({ state: 'asked', author: 'kim', hidCount: 0 })
  expect(await end({ id: asked?.id ?? '', by: 'kim' })).toMatchObject({ ok: true })
  expect((await rows()).map(({ body }) => body)).toMatchObject([{ kind: 'silence' }, { kind: 'end-silence' }])
})

test('a silence to come hides nothing yet', async () => {
  const { store, silence, clock } = world()
  await putIncidents(store, [storedIncident('shop')])
  const later = { ...body, startsAtMs: clock.nowMs + hour }
  expect(await silence(later)).toMatchObject({ ok: true, answer: { hides: [] } })
})

test.each([
  {
    given: 'an incident that is not there',
    incidentId: 'shop-20261123-060001',
    then: { code: 'unknown-incident', hint: 'did you mean shop-20261123-060000?' },
  },
  { given: 'an incident that is over', incidentId: 'cart-20261123-060000', then: { code: 'incident-over' } },
])('a silence that ends with $given is refused', async ({ incidentId, then }) => {
  const { store, silence, rows } = world()
  await putIncidents(store, [storedIncident('shop'), storedIncident('cart', { status: 'resolved' })])
  expect(await silence({ ...body, incidentId })).toMatchObject({ ok: false, refusal: then })
  expect(await rows()).toEqual([])
})

test('a silence is ended by its id, and an unknown id names the nearest', async () => {
  const { store, end, rows } = world()
  const kept = { ...body, id: 's-abcdef', startsAtMs: sinceMs, endsAtMs: sinceMs + hour, hid: [], hidCount: 0 }
  const { forSeconds: _, ...silence } = kept
  await store.commit([{ key: keys.silences, expect: 0, value: { silences: [silence] } }])
  expect(await end({ id: 's-abcdeg', by: 'lee' })).toEqual({
    ok: false,
    refusal: { code: 'unknown-silence', message: 'there is no silence s-abcdeg', hint: 'did you mean s-abcdef?' },
  })
  expect(await end({ id: 's-abcdef', by: 'lee' })).toEqual({
    ok: true,
    answer: { silence: { ...silence, state: 'in-force' } },
  })
  await end({ id: 's-abcdef', by: 'kim' })
  expect(await rows()).toMatchObject([
    { id: 'silence:s-abcdef:end', to: 'correlate', body: { kind: 'end-silence', silenceId: 's-abcdef', by: 'lee' } },
  ])
})

test('what stands for a maintenance window is ended in the config, not by hand', async () => {
  const { store, end, rows } = world()
  const { forSeconds: _, ...kept } = { ...body, startsAtMs: sinceMs, endsAtMs: sinceMs + hour, hid: [], hidCount: 0 }
  const window = { ...kept, id: 'maintenance-disks-20261123-060000' }
  await store.commit([{ key: keys.silences, expect: 0, value: { silences: [window] } }])
  expect(await end({ id: window.id, by: 'lee' })).toMatchObject({ ok: false, refusal: { code: 'maintenance-window' } })
  expect(await rows()).toEqual([])
})

test('whoever gives a name acknowledges with it; of two the first has it', async () => {
  const { store, take, rows } = world()
  await putIncidents(store, [storedIncident('shop')])
  const incidentId = 'shop-20261123-060000'
  expect(await take({ incidentId, by: 'kim' })).toMatchObject({ status: 'pending' })
  expect(await take({ incidentId, by: 'lee' })).toMatchObject({ status: 'pending' })
  expect(await rows()).toMatchObject([
    { id: `ack:${incidentId}:@`, body: { kind: 'acknowledge', incidentId, by: 'kim', atMs: sinceMs + 60_000 } },
  ])
})
