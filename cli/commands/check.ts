import pLimit from 'p-limit'
import type { Config } from '../../config/schema.ts'
import type { MonitorView } from '../../functions/latest-outcomes.ts'
import { monitorRunner, monitorViews } from '../../functions/probe/config.ts'
import type { Sighting } from '../../probes/contract.ts'
import { type Row, tableLines } from '../table.ts'

export type Checked = MonitorView & Sighting

const atOnce = 20

/** Runs every monitor once from here. */
export const checkAll = async (
  config: Config,
  world: { nowMs: () => number; secret: (reference: string) => string; only: readonly string[] },
): Promise<Checked[]> => {
  const limit = pLimit(atOnce)
  const run = monitorRunner(config, world)
  const wanted = monitorViews(config).filter(
    ({ monitorId }) => world.only.length === 0 || world.only.includes(monitorId),
  )
  return Promise.all(wanted.map((view) => limit(async () => ({ ...view, ...(await run(view.monitorId)) }))))
}

/** `503 ms` */
export const took = (ms: number): string => `${Math.round(ms)} ms`

export const causeText = (cause: Sighting['cause']): string =>
  cause ? `${cause.phase}: ${cause.detail} (${cause.code})` : ''

/** One row of the table for a monitor. */
export const checkedRow = ({ monitorId, verdict, timingsMs, cause }: Checked): Row => ({
  monitor: monitorId,
  verdict,
  took: took(timingsMs.total),
  cause: causeText(cause),
})

const detailLines = (checked: Checked): string[] => {
  const phases = Object.entries(checked.timingsMs).flatMap(([phase, ms]) =>
    ms === undefined ? [] : [`${phase} ${took(ms)}`],
  )
  const seen = checked.attempt?.bodyStart
  return [
    '',
    `${checked.monitorId} (service ${checked.service}) ${checked.verdict}: ${causeText(checked.cause)}`,
    `  ${checked.target}`,
    `  ${phases.join(', ')}`,
    ...(seen === undefined ? [] : [`  body: ${seen.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 200)}`]),
  ]
}

const verdictCount = (all: number, bad: number): string => {
  if (all === 1) return `the monitor ${bad === 0 ? 'passes' : 'does not pass'}`
  return bad === 0 ? `all ${all} monitors pass` : `${bad} of ${all} monitors ${bad === 1 ? 'does' : 'do'} not pass`
}

/** What `check` prints for people: a line a monitor, then what is known of each that did not pass. */
export const checkText = (all: readonly Checked[], options: { width: number; colour: boolean }): string => {
  const bad = all.filter(({ verdict }) => verdict === 'fail' || verdict === 'unknown')
  const lines = tableLines(all.map(checkedRow), options)
  return [...lines, ...bad.flatMap(detailLines), '', verdictCount(all.length, bad.length), ''].join('\n')
}

/** 0 when everything passed, 1 when something failed or could not be looked at: unknown is not green. */
export const checkExitCode = (all: readonly Checked[]): 0 | 1 =>
  all.every(({ verdict }) => verdict === 'pass' || verdict === 'degraded') ? 0 : 1
