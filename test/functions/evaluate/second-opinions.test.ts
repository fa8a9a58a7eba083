import { expect, test } from '@jest/globals'
import type { OutboxRow, ProbeBody } from '../../../functions/contract.ts'
import { distanceKm, farthest } from '../../../functions/evaluate/distance.ts'
import { secondOpinionStep } from '../../../functions/probe/step-second-opinion.ts'
import { secondOpinionRowId } from '../../../functions/row-ids.ts'
import { secondOpinionForMs } from '../../../functions/second-opinion.ts'
import type { ProbeOutcome, Verdict } from '../../../probes/contract.ts'
import { availability, outcome, period, ruleView, seen, start } from '../builders.ts'
import { townWith } from './hub.ts'

const locations = ['eu-central-1', 'eu-west-1', 'us-east-1', 'ap-southeast-2']

const townOf = (thresholds = {}, from: readonly string[] = locations) =>
  townWith([ruleView(availability({ failureThreshold: 2, ...thresholds }), { locations: from })], locations)

const questionsIn = async (town: ReturnType<typeof townOf>): Promise<{ id: string; body: ProbeBody }[]> => {
  const rows = await town.store.due(Number.MAX_SAFE_INTEGER, 100)
  return rows.flatMap(({ row }: { row: OutboxRow }) => (row.to === 'probe' ? [{ id: row.id, body: row.body }] : []))
}

const look = (at: Partial<ProbeOutcome> & { verdict: Verdict }) =>
  outcome({ location: 'eu-central-1', startedAtMs: at.scheduledAtMs ?? start, ...at })

const askedAtMs = start + 12

test('a first failure asks the two most distant other locations, in the transaction that counts it', async () => {
  const town = townOf()
  await town.deployed(1)(seen([look({ verdict: 'fail' })]))
  const questions = await questionsIn(town)
  const expected = ['ap-southeast-2', 'us-east-1'].map((location) => ({
    shard: '0/1',
    monitorId: 'front',
    location,
    askedAtMs,
  }))
  expect(questions.map(({ body }) => body)).toEqual(expected)
  expect(town.nudges).toEqual(expected.map((body) => ({ to: 'probe', rowId: secondOpinionRowId(body), afterMs: 0 })))
})

/** Everybody else has just seen it pass. */
const othersPass = async (town: ReturnType<typeof townOf>) => {
  const passing = locations.slice(1).map((location) => look({ verdict: 'pass', location, scheduledAtMs: start - 1000 }))
  await town.deployed(1)(seen(passing))
}

const asks = async (given: ProbeOutcome[][], town = townOf(), nowMs = start) => {
  town.clock.nowMs = nowMs
  const evaluate = town.deployed(1)
  await othersPass(town)
  for (const outcomes of given) await evaluate(seen(outcomes))
  return (await questionsIn(town)).map(({ body }) => body.askedAtMs - start)
}
const fail = (tick: number, more: Partial<ProbeOutcome> = {}) =>
  look({ verdict: 'fail', scheduledAtMs: start + tick * period, ...more })
const pass = (tick: number) => look({ verdict: 'pass', scheduledAtMs: start + tick * period })
const twice = (ms: number) => [ms + 12, ms + 12]

test.each([
  { given: 'the same outcome again', looks: [[fail(0)], [fail(0)]], asked: twice(0) },
  { given: 'a re-check', looks: [[fail(0, { look: 'recheck' })]], asked: [] },
  {
    given: 'the last re-check of a tick, since the others may have looked before what it sees began',
    looks: [[fail(0)], [fail(0, { look: 'recheck' })], [fail(0, { look: 'recheck-2', startedAtMs: start + 1000 })]],
    asked: [...twice(0), ...twice(1000)],
  },
  { given: 'the last re-check of a second opinion', looks: [[fail(0, { look: 'recheck-2' })]], asked: [] },
  { given: 'a re-check that overtook its tick', looks: [[fail(0, { look: 'recheck' })], [fail(0)]], asked: twice(0) },
  {
    given: 'further ticks of the run, which may have outlasted what began it',
    looks: [[fail(0)], [fail(0.3)], [fail(0.5)]],
    asked: [...twice(0), ...twice(18_000), ...twice(30_000)],
  },
  {
    given: 'more ticks than that, of a location that is cut off',
    looks: [[fail(0)], [fail(0.1)], [fail(0.2)], [fail(0.3)], [fail(0.4)]],
    asked: [...twice(0), ...twice(6000), ...twice(12_000)],
  },
  {
    given: 'a tick that a later one overtook',
    looks: [[fail(0.5)], [fail(0)]],
    asked: [...twice(0), ...twice(30_000)],
  },
  { given: 'a new run', looks: [[fail(0)], [pass(0.2)], [fail(0.4)]], asked: [...twice(0), ...twice(24_000)] },
  { given: 'a pass', looks: [[pass(0)]], asked: [] },
  { given: 'an unknown', looks: [[look({ verdict: 'unknown' })]], asked: [] },
])('$given', async ({ looks, asked }) => expect((await asks(looks)).sort((a, b) => a - b)).toEqual(asked))

test('a location whose tick was followed by a pass before its re-checks failed looks once more itself', async () => {
  const town = townOf({ failureThreshold: 9 })
  await othersPass(town)
  const evaluate = town.deployed(1)
  const began = (beganMs: number, more: Partial<ProbeOutcome>) => fail(0, { startedAtMs: start + beganMs, ...more })
  const looks = [
    look({ verdict: 'pass', scheduledAtMs: start + 900, startedAtMs: start + 900, look: 'probe:x' }),
    began(0, {}),
    began(10_000, { look: 'recheck' }),
    began(11_000, { look: 'recheck-2' }),
  ]
  town.clock.nowMs = start + 12_000
  for (const one of looks) await evaluate(seen([one]))
  const asked = (await questionsIn(town)).map(({ body }) => body.location)
  expect(asked.sort()).toEqual(['ap-southeast-2', 'eu-central-1', 'us-east-1'])
})

test('whoever agrees already is not asked once more', async () => {
  const town = townOf({ failureThreshold: 9 })
  await othersPass(town)
  const evaluate = town.deployed(1)
  await evaluate(seen([fail(0)]))
  await evaluate(seen([fail(0, { location: 'us-east-1', look: 'recheck' })]))
  await evaluate(seen([fail(0, { look: 'recheck-2', startedAtMs: start + 1000 })]))
  const again = (await questionsIn(town)).filter(({ body }) => body.askedAtMs === askedAtMs + 1000)
  expect(again.map(({ body }) => body.location)).toEqual(['ap-southeast-2'])
})

test('a failure that fires its alert by itself asks nobody', async () => {
  expect(await asks([[fail(0)]], townOf({ failureThreshold: 1, quorum: 1 }))).toEqual([])
})

test('a monitor that is looked at from one place only has nobody to ask', async () => {
  expect(await asks([[fail(0)]], townOf({}, ['eu-central-1']))).toEqual([])
})

test.each([
  { given: 'old', nowMs: askedAtMs + secondOpinionForMs + 1 },
  { given: 'dated by a clock that is ahead', nowMs: askedAtMs - secondOpinionForMs - 1 },
])('a failure that is $given asks nobody', async ({ nowMs }) => {
  expect(await asks([[fail(0)]], townOf(), nowMs)).toEqual([])
})

test('how long a look took does not make it old', async () => {
  const slow = fail(0, { timingsMs: { total: 59_000 } })
  expect(await asks([[slow]], townOf(), start + 61_000)).toEqual([59_000, 59_000])
})

test('two locations that fail in the same millisecond ask one question of whom both would ask', async () => {
  const town = townOf()
  const evaluate = town.deployed(1)
  await evaluate(seen([fail(0)]))
  expect(await evaluate(seen([fail(0, { location: 'eu-west-1' })]))).toMatchObject({ status: 'evaluated' })
  expect(await questionsIn(town)).toHaveLength(2)
})

/** Answers every open question as `probe` would in the location that was asked. */
const answered = async (town: ReturnType<typeof townOf>, verdict: Verdict): Promise<ProbeOutcome[]> => {
  const answers: ProbeOutcome[] = []
  for (const { id, body } of await questionsIn(town)) {
    const step = secondOpinionStep({
      nowMs: () => askedAtMs + 500,
      location: body.location,
      waitUntil: () => new Promise(setImmediate),
      run: async () => {
        const { cause } = outcome({ verdict })
        return { verdict, timingsMs: { total: 80 }, ...(cause ? { cause } : {}) }
      },
      send: async (observation) => {
        if (observation.kind === 'outcomes') answers.push(...observation.outcomes)
      },
    })
    expect(await step(id)).toEqual({ status: 'looked', monitorId: 'front', verdict })
  }
  return answers
}

test('answers count towards the threshold and delete their rows: the page goes out between two ticks', async () => {
  const town = townOf({ failureThreshold: 1, quorum: 3 })
  const evaluate = town.deployed(1)
  await evaluate(seen([fail(0)]))
  const answers = await answered(town, 'fail')
  for (const answer of answers) await evaluate(seen([answer]))
  expect(town.told.map(({ to, sinceMs }) => [to, sinceMs])).toEqual([['firing', start]])
  expect(await questionsIn(town)).toEqual([])
})

test('an answer that comes twice counts once, also when its shard has moved meanwhile', async () => {
  const town = townOf({ failureThreshold: 2, quorum: 2 })
  await othersPass(town)
  await town.deployed(1)(seen([fail(0), fail(0, { look: 'recheck' })]))
  const [answer] = await answered(town, 'fail')
  const late = answer ? seen([answer]) : seen([])
  await town.deployed(1)(late)
  await town.deployed(8)(late)
  await town.deployed(8)({ ...late, id: 'again' })
  expect(town.told).toEqual([])
})

test('an answer that saw nothing takes no say from its location, and is not asked for again', async () => {
  const town = townOf({ failureThreshold: 1, quorum: 2 }, locations.slice(0, 3))
  const evaluate = town.deployed(1)
  await othersPass(town)
  await evaluate(seen([fail(0)]))
  for (const answer of await answered(town, 'unknown')) await evaluate(seen([answer]))
  expect(town.told).toEqual([])
  expect(await questionsIn(town)).toEqual([])
})

test('a look that names a row which is no question of it deletes nothing', async () => {
  const town = townOf()
  const evaluate = town.deployed(1)
  await evaluate(seen([fail(0)]))
  const [question] = await questionsIn(town)
  await evaluate(seen([look({ verdict: 'pass', location: 'eu-west-1', look: question?.id ?? '' })]))
  expect(await questionsIn(town)).toHaveLength(2)
})

test('the farthest are told by great circles, and unknown places are farther than any', () => {
  expect(distanceKm('eu-central-1', 'eu-west-2')).toBeGreaterThan(600)
  expect(distanceKm('eu-central-1', 'eu-west-2')).toBeLessThan(680)
  expect(distanceKm('us-west-2', 'ap-northeast-1')).toBeLessThan(distanceKm('us-west-2', 'eu-central-1'))
  expect(farthest('eu-central-1', ['eu-west-1', 'us-east-1', 'office', 'annex', 'ap-southeast-2'], 3)).toEqual([
    'annex',
    'office',
    'ap-southeast-2',
  ])
})
