import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Counting, countsOf } from '../../../functions/scrape/counts.ts'
import { noCounts, sliOfCounts, withCounts } from '../../../functions/sli-counts.ts'
import type { Counters } from '../../../functions/sli-increments.ts'
import { emptyWindow, remember } from '../../../functions/window.ts'
import type { Sample } from '../../../sources/contract.ts'
import { start } from '../builders.ts'

const minuteMs = 60_000
const counters = (name: string, code?: string): Counters => ({
  name,
  text: name,
  matches: (labels) => code === undefined || labels['code'] === code,
  needs: code === undefined ? [] : ['code'],
  equals: code === undefined ? [] : [{ label: 'code', value: code }],
})
const counting: Counting = {
  objectives: [
    { ruleId: 'slo', shard: '0/1', partIs: 'bad', total: counters('a_total'), part: counters('a_total', '500') },
  ],
  intervalMs: minuteMs,
  gapMs: 5 * minuteMs,
  backMs: 5 * minuteMs,
  summing: new Set(),
}

/** What happens to one of three processes in a minute: what it serves, whether it starts anew first, how it is read. */
const event = fc.record({
  good: fc.nat(50),
  bad: fc.nat(9),
  restarts: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
  read: fc.constantFrom('whole', 'whole', 'whole', 'whole', 'cut', 'down'),
})
const histories = fc.array(fc.record({ targets: fc.tuple(event, event, event), forgets: fc.boolean() }), {
  minLength: 3,
  maxLength: 40,
})

type Process = { good: number; bad: number; startedMs: number }
const samplesOf = ({ good, bad, startedMs }: Process, pod: string): Sample[] => {
  const one = (name: string, value: number, more = {}) => ({ name, value, labels: { pod, ...more } })
  // Like most programs it has no series for what has not happened yet.
  return [
    one('process_start_time_seconds', startedMs / 1000),
    ...(good > 0 ? [one('a_total', good, { code: '200' })] : []),
    ...(bad > 0 ? [one('a_total', bad, { code: '500' })] : []),
  ]
}

type History = typeof histories extends fc.Arbitrary<infer H> ? H : never

/** Reads such a history as `scrape` does, and adds up what really happened and could have been seen. */
const play = (history: History) => {
  const window = emptyWindow('town')
  const processes = [0, 1, 2].map((): Process => ({ good: 0, bad: 0, startedMs: start - 86_400_000 }))
  const truth = { good: 0, bad: 0 }
  let [counts, toldMs] = [noCounts, start - 5 * minuteMs]
  for (const [minute, { targets, forgets }] of history.entries()) {
    const atMs = start + minute * minuteMs
    const readings = targets.map(({ good, bad, restarts, read }, nth) => {
      const before = processes[nth] ?? { good: 0, bad: 0, startedMs: 0 }
      const process = restarts
        ? { good, bad, startedMs: atMs - 1000 }
        : { ...before, good: before.good + good, bad: before.bad + bad }
      processes[nth] = process
      // What a process counted before the first reading is seen only if it says that it has just begun.
      if (minute > 0 || restarts) {
        truth.good += good
        truth.bad += bad
      }
      const all = read === 'down' ? [] : samplesOf(process, `pod-${nth}`)
      const samples = read === 'cut' ? all.slice(0, 2) : all
      return { target: `app ${nth}`, kind: 'app', complete: read === 'whole', samples }
    })
    remember(window, {
      atMs,
      targets: readings,
      allTargets: () => true,
      longestMs: 1_200_000,
      seriesLimit: 100,
      keepMs: () => 1_200_000,
    })
    const unread = readings.flatMap(({ kind, complete }) => (complete ? [] : [{ kind, why: 'not read' }]))
    const [told] = countsOf(window, counting, { fromMs: toldMs, atMs, unread, summed: [], allTargets: () => true })
    counts = withCounts(counts, told ? [{ id: 'slo', partIs: 'bad', minutes: told.minutes }] : [], atMs).state
    // Another process goes on from the window, and tells again what this one may not have told.
    toldMs = forgets ? atMs - counting.backMs : atMs
  }
  const known = sliOfCounts(counts, 'slo').minutes.reduce(
    (sum, { good, bad, unknown }) => ({ good: sum.good + good, bad: sum.bad + bad, unknown: sum.unknown + unknown }),
    { good: 0, bad: 0, unknown: 0 },
  )
  return { truth, known }
}

test('whatever restarts, is cut off or does not answer, no event is counted that did not happen', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const { truth, known } = play(history)
      expect(known.good).toBeLessThanOrEqual(truth.good)
      expect(known.bad).toBeLessThanOrEqual(truth.bad)
    }),
    { seed: 20261123, numRuns: 500 },
  )
})

test('while everything answers and nothing restarts, every event is counted once, whoever goes on from the window', () => {
  const calm = histories.map((history) =>
    history.map((one) => ({
      ...one,
      targets: one.targets.map((each) => ({ ...each, restarts: false, read: 'whole' })) as typeof one.targets,
    })),
  )
  fc.assert(
    fc.property(calm, (history) => {
      const { truth, known } = play(history)
      expect(known).toEqual({ ...truth, unknown: 0 })
    }),
    { seed: 20261123, numRuns: 200 },
  )
})
