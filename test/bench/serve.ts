// npm run bench -- serve [--monitors 5000] [--minutes 3.5] [--hanging 0]: `whodunit serve` as a person starts it, against loopback
// targets. What it looked at, and how late, is read from its own store; the first minute is for warming up.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { latestOutcomes } from '../../functions/latest-outcomes.ts'
import { sqliteStore } from '../../stores/sqlite.ts'
import { cpuSeconds, memoryMb, startServe, startTargets, stopServe } from './child.ts'
import { atMost, most, percentile } from './figures.ts'

const periodSeconds = 60
const warmUpMs = 60_000
const sampleMs = 5000
const services = 50
const latenciesMs = [0, 0, 0, 5, 20, 80, 250]

const pathOf = (index: number, hanging: number) =>
  index < hanging ? '/never' : `/after/${latenciesMs[index % latenciesMs.length]}`

const serveConfig = (url: string, { monitors, hanging }: { monitors: number; hanging: number }) => ({
  services: Object.fromEntries(Array.from({ length: services }, (_, index) => [`service-${index}`, {}])),
  monitors: Object.fromEntries(
    Array.from({ length: monitors }, (_, index) => [
      `monitor-${index}`,
      {
        kind: 'http',
        service: `service-${index % services}`,
        url: `${url}${pathOf(index, hanging)}?monitor=${index}`,
        periodSeconds,
      },
    ]),
  ),
  channels: { screen: { kind: 'console' } },
  routes: [{ channels: ['screen'] }],
  allowTargets: ['loopback'],
})

/** Every look the store showed: a monitor's last is there for a whole period, far longer than a sample's interval. */
const lookReader = (path: string, config: ReturnType<typeof serveConfig>) => {
  const store = sqliteStore({ path, nowMs: Date.now, readOnly: true })
  const monitors = Object.entries(config.monitors).map(([monitorId, { service, url }]) => {
    return { monitorId, service, target: url, locations: ['local'], periodSeconds }
  })
  const latenessMs = new Map<string, { scheduledAtMs: number; latenessMs: number }>()
  const verdicts = new Map<string, number>()
  return {
    read: async () => {
      for (const look of await latestOutcomes(store, { locations: ['local'], monitors })) {
        if (look.look !== 'tick') continue
        const key = `${look.monitorId}@${look.scheduledAtMs}`
        if (latenessMs.has(key)) continue
        const verdict = look.cause ? `${look.verdict} (${look.cause.code})` : look.verdict
        verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
        const { scheduledAtMs, startedAtMs } = look
        latenessMs.set(key, { scheduledAtMs, latenessMs: startedAtMs - scheduledAtMs })
      }
    },
    /** Of looks scheduled in a span. */
    lateness: (fromMs: number, toMs: number) =>
      [...latenessMs.values()]
        .filter((one) => one.scheduledAtMs >= fromMs && one.scheduledAtMs < toMs)
        .map((one) => one.latenessMs),
    verdicts: () => [...verdicts].map(([verdict, count]) => `${count} ${verdict}`).join(', '),
    close: () => store.close(),
  }
}

type Usage = { cores: number[]; rssMb: number[]; meanCores: number }

/** Samples the process and its store until `untilMs`. */
const watch = async (
  pid: number,
  at: { fromMs: number; untilMs: number; look: () => Promise<void> },
): Promise<Usage> => {
  const seen: Usage = { cores: [], rssMb: [], meanCores: Number.NaN }
  await sleep(Math.max(0, at.fromMs - Date.now()))
  const first = { atMs: performance.now(), cpu: cpuSeconds(pid) }
  let before = first
  while (Date.now() < at.untilMs) {
    await sleep(sampleMs)
    const now = { atMs: performance.now(), cpu: cpuSeconds(pid) }
    seen.cores.push((now.cpu - before.cpu) / ((now.atMs - before.atMs) / 1000))
    seen.meanCores = (now.cpu - first.cpu) / ((now.atMs - first.atMs) / 1000)
    seen.rssMb.push(memoryMb(pid, 'VmRSS'))
    before = now
    await at.look()
  }
  return seen
}

/** Runs it; answers the figures as lines. */
export const benchServe = async (args: readonly string[]): Promise<string[]> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      monitors: { type: 'string', default: '5000' },
      minutes: { type: 'string', default: '3.5' },
      hanging: { type: 'string', default: '0' },
    },
  })
  const [count, minutes, hanging] = [Number(values.monitors), Number(values.minutes), Number(values.hanging)]
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-load-'))
  const targets = await startTargets()
  const config = serveConfig(targets.url, { monitors: count, hanging })
  writeFileSync(join(folder, 'whodunit.json'), JSON.stringify(config))
  const startedAtMs = Date.now()
  const { process: child } = await startServe(folder)
  const reader = lookReader(join(folder, 'data', 'whodunit.sqlite'), config)
  try {
    const pid = child.pid ?? 0
    const untilMs = startedAtMs + minutes * 60_000
    const usage = await watch(pid, { fromMs: startedAtMs + warmUpMs, untilMs, look: reader.read })
    // Whole periods that began after the warm-up and whose last looks have had their time.
    const periods = Math.floor((untilMs - startedAtMs - warmUpMs - 10_000) / (periodSeconds * 1000))
    const fromMs = startedAtMs + warmUpMs
    const lateness = reader.lateness(fromMs, fromMs + periods * periodSeconds * 1000)
    return [
      `${count} monitors (${hanging} hang) every ${periodSeconds} s, ${services} services, ${minutes} minutes, the first for warming up; Node ${process.version}`,
      `looks done / expected in ${periods} periods: ${lateness.length} / ${count * periods}; verdicts: ${reader.verdicts()}`,
      `lateness: median ${percentile(lateness, 0.5)} ms, p99 ${percentile(lateness, 0.99)} ms`,
      `CPU in ${sampleMs / 1000} s: median ${percentile(usage.cores, 0.5).toFixed(2)} cores, most ${most(usage.cores).toFixed(2)}`,
      `resident: median ${percentile(usage.rssMb, 0.5).toFixed(0)} MB`,
      atMost('looks that never came', count * periods - lateness.length, { limit: 0, unit: 'looks' }),
      atMost('latest tick', most(lateness) / 1000, { limit: 5, unit: 's' }),
      atMost('CPU', usage.meanCores, { limit: 1, unit: 'cores' }),
      atMost('peak resident memory', memoryMb(pid, 'VmHWM'), { limit: 512, unit: 'MB' }),
    ]
  } finally {
    await reader.close()
    await stopServe(child)
    targets.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
