import { isMissed } from './figures.ts'

/**
 * `npm run bench -- NAME`: prints what was measured, exit 1 when it misses a target. Loaded by name, so that one bench
 * needs nothing of another.
 */
const benches: Readonly<Record<string, (args: readonly string[]) => Promise<string[]>>> = {
  bundles: async () => (await import('./bundles.ts')).measureBundles(),
  window: async () => (await import('./window.ts')).windowBench(),
  detection: async () => (await import('./detection.ts')).measureDetection(),
  history: async () => (await import('./history.ts')).measureHistory(),
  backtest: async (args) => (await import('./backtest.ts')).measureBacktest(args),
  exposition: async () => (await import('./exposition.ts')).measureExposition(),
  'aws-scale': async () => (await import('./aws-scale.ts')).awsScale(),
  slo: async () => (await import('./slo.ts')).measureSlo(),
  'page-latency': async (args) => (await import('./page-latency.ts')).benchPageLatency(args),
  storm: async (args) => (await import('./storm.ts')).benchStorm(args),
  serve: async (args) => (await import('./serve.ts')).benchServe(args),
}

const [name = '', ...args] = process.argv.slice(2)
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined
if (bench) {
  const lines = await bench(args)
  for (const line of lines) console.log(line)
  if (lines.some(isMissed)) process.exitCode = 1
} else {
  console.error(`No bench called "${name}". There are: ${Object.keys(benches).join(', ')}`)
  process.exitCode = 2
}
