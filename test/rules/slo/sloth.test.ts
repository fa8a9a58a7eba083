import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { budgetRatioOf, burns, usualBurnRates } from '../../../rules/slo/burn-rate.ts'
import {
  type Case,
  canCompare,
  cases,
  eventsAMinute,
  minuteMs,
  patienceMinutes,
  promtoolSays,
  rulesFile,
} from './sloth-cases.ts'
import { timeline } from './traffic.ts'

/** The minute of the first tick at which one of our pairs fires. */
const firesAt = (one: Case): number => {
  const { severity, cleanMinutes, badShare } = one
  const badFromMs = cleanMinutes * minuteMs
  const traffic = { fromMs: 0, badFromMs, eventsAMinute, badShare }
  const untilMs = badFromMs + patienceMinutes(one) * minuteMs
  const { at } = timeline(traffic, untilMs)
  const rates = usualBurnRates(30).filter((rate) => rate.severity === severity)
  const wanted = { budgetRatio: budgetRatioOf(99.9), guard: { minEvents: 1, minBadEvents: 1 } }
  for (let nowMs = badFromMs; nowMs <= untilMs; nowMs += minuteMs) {
    if (rates.some((rate) => burns(at(nowMs), rate, { nowMs, ...wanted }))) return nowMs / minuteMs
  }
  throw new Error('none of our pairs fires')
}

const compare = canCompare ? test.each(cases) : test.skip.each(cases)

compare(
  "when $given, sloth's rules in Prometheus fire the same $severity within one tick of ours",
  (one) => {
    const directory = mkdtempSync(join(tmpdir(), 'sloth-'))
    const alerts = `alertname="MyServiceHighErrorRate",sloth_severity="${one.severity}"`
    try {
      expect(
        promtoolSays(directory, one, { rules: [{ file: rulesFile, alerts }], firesAtMinute: firesAt(one) }),
      ).toContain('SUCCESS')
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
  180_000,
)
