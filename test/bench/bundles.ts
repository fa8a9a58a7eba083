import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { bundleHandler } from '../../cdk/bundle.ts'
import { readConfigFile } from '../../config/config-file.ts'
import { loadConfig } from '../../config/load.ts'

const runs = 7
const targetMs = 300

const queueNames = ['observations', 'alert-changes', 'triage', 'deliver', 'publish']
/** What the stacks tell all functions together. */
const environment = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  WHODUNIT_NAME: 'bench',
  WHODUNIT_HUB_REGION: 'eu-west-1',
  WHODUNIT_TABLE: 'bench',
  WHODUNIT_QUEUES: JSON.stringify(Object.fromEntries(queueNames.map((name) => [name, `https://sqs.example/${name}`]))),
  WHODUNIT_OBSERVATIONS_URL: 'https://sqs.example/observations',
  WHODUNIT_PROBE_QUEUES: '{}',
  WHODUNIT_BUCKETS: '{"evidence":"e","windows":"w","status":"s"}',
  WHODUNIT_TOPICS: '{}',
  WHODUNIT_API_URL: 'https://api.example',
  WHODUNIT_STATUS_URL: 'https://status.example',
  WHODUNIT_LOCATION: 'eu-west-1',
  WHODUNIT_PROBES_AT_ONCE: '100',
  WHODUNIT_OPERATORS_TOPIC: 'arn:aws:sns:eu-west-1:000000000000:operators',
  WHODUNIT_WATCH_TABLE: 'bench-watch',
}

/** From the first line of a bare Node's own work to a handler that could be called. Node's start is Lambda's, not ours. */
const initMs = (directory: string): number => {
  const path = JSON.stringify(join(directory, 'index.mjs'))
  const script = `const began = performance.now(); await import(${path}); console.log(performance.now() - began); process.exit(0)`
  const env = { PATH: process.env['PATH'] ?? '', ...environment }
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env,
  })
  if (status !== 0) throw new Error(`${directory} does not start: ${stderr.slice(-500)}`)
  return Number(stdout)
}

const median = (all: readonly number[]) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN

/** Size and start of every function's bundle. */
export const measureBundles = async (): Promise<string[]> => {
  const outDir = mkdtempSync(join(tmpdir(), 'whodunit-bundles-'))
  try {
    const loaded = await loadConfig('examples/emojivoto/whodunit.yaml', { readFile: readConfigFile })
    if (!loaded.ok) throw new Error('the example does not load')
    const names = readdirSync('functions', { withFileTypes: true }).flatMap((one) =>
      one.isDirectory() ? [one.name] : [],
    )
    const lines = names.map((name) => {
      const { directory } = bundleHandler({ root: process.cwd(), name, outDir, config: loaded.config })
      const path = join(directory, 'index.mjs')
      const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} KB`
      const took = Array.from({ length: runs }, () => initMs(directory))
      const ms = [median(took), Math.max(...took)].map((one) => `${one.toFixed(0)} ms`)
      const zipped = kilobytes(gzipSync(readFileSync(path)).byteLength)
      return [
        name.padEnd(10),
        kilobytes(statSync(path).size),
        `${zipped} zipped`,
        `init ${ms[0]}, at most ${ms[1]}`,
      ].join('  ')
    })
    return [`Node ${process.version}, ${runs} starts each, target ${targetMs} ms`, ...lines]
  } finally {
    rmSync(outDir, { recursive: true, force: true })
  }
}
