import type { AlertChange, Observation } from '../../../functions/contract.ts'
import type { RuleView } from '../../../functions/evaluate/decide.ts'
import { evaluateStep } from '../../../functions/evaluate/step.ts'
import { timerRowId } from '../../../functions/row-ids.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { start } from '../builders.ts'

export const minute = 60_000
export const shard = '0/1'

/** A hub on a clock of its own that wakes its shard when the timer says so. */
export const timedHub = (rules: readonly RuleView[]) => {
  const clock = { nowMs: start }
  const store = memoryStore({ nowMs: () => clock.nowMs })
  const told: (Pick<AlertChange, 'alertId' | 'to'> & { minute: number })[] = []
  const begin = (lookingSinceMs?: () => number) =>
    evaluateStep({
      store,
      nowMs: () => clock.nowMs,
      nudge: async () => {},
      locations: ['local'],
      rulesOf: () => rules,
      home: { monitor: () => shard, rule: () => shard },
      ...(lookingSinceMs ? { lookingSinceMs } : {}),
    })
  let step = begin()
  let wakes = 0
  const send = async (observation: Observation) => {
    const result = await step(observation)
    if (result.status !== 'evaluated') return
    for (const { alertId, to } of result.changes) told.push({ alertId, to, minute: (clock.nowMs - start) / minute })
  }
  const wake = (rowId: string) => send({ kind: 'timer', id: rowId, shard, rowId })
  const runTo = async (minutes: number) => {
    const untilMs = start + minutes * minute
    for (;;) {
      const timer = await store.row(timerRowId(shard))
      if (!timer || timer.row.dueAtMs > untilMs) break
      clock.nowMs = Math.max(clock.nowMs, timer.row.dueAtMs)
      wakes++
      await wake(timer.row.id)
    }
    clock.nowMs = untilMs
  }
  const restart = async () => {
    const sinceMs = clock.nowMs
    step = begin(() => sinceMs)
    await wake('')
  }
  const off = (untilMinute: number) => {
    clock.nowMs = start + untilMinute * minute
  }
  const minuteNow = () => (clock.nowMs - start) / minute
  return { clock, minuteNow, told, send, runTo, restart, off, start: () => wake(''), wakes: () => wakes }
}
