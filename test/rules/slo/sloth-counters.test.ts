import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { exportSlos } from '../../../cli/commands/slo-export.ts'
import { importSlos } from '../../../cli/commands/slo-import.ts'
import { loadConfig } from '../../../config/load.ts'
import type { Config } from '../../../config/schema.ts'
import { evaluateView } from '../../../functions/evaluate/config.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { clusterView } from '../../../functions/scrape/config.ts'
import { scrapeStep } from '../../../functions/scrape/step.ts'
import type { Reading, Sample, Scrape } from '../../../sources/contract.ts'
import { memoryBlobs, memoryStore } from '../../../stores/memory.ts'
import {
  type Case,
  canCompare,
  cases,
  counterName,
  eventsAMinute,
  minuteMs,
  patienceMinutes,
  promtoolSays,
  rulesFile,
  specFile,
} from './sloth-cases.ts'

const startMs = Date.UTC(2026, 10, 23)
const ruleId = 'myservice-requests-availability'

/** sloth's own objective, carried over. */
const imported = async (): Promise<Config> => {
  const slos = importSlos(readFileSync(specFile, 'utf8'), { cluster: 'main', prometheus: 'http://127.0.0.1:9090' })
  const text = slos.status === 'read' ? slos.config : ''
  const loaded = await loadConfig('imported.yaml', { readFile: async () => text })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues))
  return loaded.config
}

/** The counters at the end of a minute: those of `seriesOf`. */
const readingAt = (minute: number, { cleanMinutes, badShare }: Case): Reading<Scrape> => {
  const bad = Math.max(0, minute - cleanMinutes + 1) * Math.round(eventsAMinute * badShare)
  const sample = (code: string, value: number): Sample => ({
    name: counterName,
    labels: { job: 'myservice', code },
    value,
  })
  const samples = [sample('200', minute * eventsAMinute - bad), sample('500', bad)]
  return { status: 'read', value: { atMs: startMs, samples, bytes: 0, seriesSeen: 2 } }
}

/** The minute at which the objective's alert fires when the counters are read every minute, counted and judged. */
const firesAt = async (config: Config, one: Case): Promise<number> => {
  const clock = { nowMs: startMs }
  const nowMs = () => clock.nowMs
  const store = memoryStore({ nowMs })
  const evaluate = evaluateStep({ store, nowMs, nudge: async () => {}, ...evaluateView(config) })
  const alertId = one.severity === 'page' ? ruleId : `${ruleId}:ticket`
  let fired: number | undefined
  let fence = 0
  const scrape = scrapeStep({
    blobs: memoryBlobs(),
    held: new Map(),
    nowMs,
    lease: async () => ({ fence: ++fence * 2, release: async () => {} }),
    send: async (observation) => {
      const result = await evaluate(observation)
      const changes = result.status === 'evaluated' ? result.changes : []
      if (changes.some((change) => change.alertId === alertId && change.to === 'firing'))
        fired ??= (clock.nowMs - startMs) / minuteMs
    },
  })
  const reader = { world: () => Promise.reject(new Error()), targets: () => Promise.reject(new Error()) }
  const main = { ...clusterView(config, 'main', { reader, remembers: () => [] }) }
  const counting = main.counting && { ...main.counting, intervalMs: minuteMs }
  for (let minute = 0; fired === undefined; minute++) {
    if (minute > one.cleanMinutes + patienceMinutes(one)) throw new Error('it does not fire')
    clock.nowMs = startMs + minute * minuteMs
    const target = { kind: 'prometheus', url: 'http://p', labels: {}, scrape: async () => readingAt(minute, one) }
    await scrape({ ...main, ...(counting && { counting }), find: async () => ({ targets: [target] }) })
  }
  return fired
}

const compare = canCompare ? test.each(cases) : test.skip.each(cases)

compare(
  "when $given, counters that we read fire the same $severity within one tick of sloth's rules and of those we export",
  async (one) => {
    const directory = mkdtempSync(join(tmpdir(), 'sloth-'))
    try {
      const config = await imported()
      const firesAtMinute = await firesAt(config, one)
      const file = join(directory, 'exported.yaml')
      writeFileSync(file, exportSlos(config).text)
      const rules = [
        { file: rulesFile, alerts: `alertname="MyServiceHighErrorRate",sloth_severity="${one.severity}"` },
        { file, alerts: `alertname=~"${ruleId}-${one.severity}-.*"` },
      ]
      expect(promtoolSays(directory, one, { rules, firesAtMinute })).toContain('SUCCESS')
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
  180_000,
)

type Rule = { record?: string; alert?: string; expr: string }
const rulesIn = (text: string): Rule[] => parse(text).groups.flatMap(({ rules }: { rules: Rule[] }) => rules)
const plain = (text: string) => text.replace(/[\s()]/g, '')

const withFixtures = canCompare ? test : test.skip
withFixtures('what is imported from sloth is exported as the ratios and limits that sloth writes', async () => {
  const theirs = rulesIn(readFileSync(rulesFile, 'utf8'))
  const ours = rulesIn(exportSlos(await imported()).text)
  const windows = ['5m', '30m', '1h', '2h', '6h', '1d', '3d']
  const ratio = (rules: Rule[], prefix: string, window: string) =>
    plain(rules.find(({ record }) => record === `${prefix}${window}`)?.expr ?? 'missing')
  for (const window of windows)
    expect(ratio(ours, 'whodunit:slo_bad:ratio_', window)).toBe(ratio(theirs, 'slo:sli_error:ratio_rate', window))
  const factors = (rules: Rule[]) =>
    rules
      .filter(({ alert }) => alert)
      .flatMap(({ expr }) => [...expr.matchAll(/>\s*\(?([\d.]+)\s*\*/g)].map(([, f]) => Number(f)))
  expect(factors(ours).sort((a, b) => a - b)).toEqual(factors(theirs).sort((a, b) => a - b))
})
