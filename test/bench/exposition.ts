import { execFileSync } from 'node:child_process'
import {
  createReadStream,
  createWriteStream,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGzip, createZstdCompress } from 'node:zlib'
import type { Selector } from '../../sources/contract.ts'
import type { ReadCase, ReadFigures } from './exposition-reads.ts'

const shared = fileURLToPath(new URL('../../../shared/', import.meta.url))
const generator = join(shared, 'tools/gen-ksm.py')
const ruleFolder = join(shared, 'fixtures/rules/kube-prometheus/plain')
const size = ['--pods', '10000', '--namespaces', '80', '--seed', '7']
const child = fileURLToPath(new URL('./exposition-reads.ts', import.meta.url))

/** What tells that a workload is broken: 4.8 % of the series. */
const brokenWorkloads = [
  'kube_deployment_spec_replicas',
  'kube_deployment_status_condition',
  'kube_deployment_status_replicas_available',
  'kube_node_status_condition',
  'kube_pod_container_status_last_terminated_reason',
  'kube_pod_container_status_waiting_reason',
  'kube_pod_owner',
]

/** The exposition and its packed forms, made once in the temporary folder. */
const files = async (): Promise<Record<ReadCase['encoding'], string>> => {
  const identity = join(tmpdir(), 'whodunit-bench-ksm-10000.prom')
  const made = async (path: string, make: (part: string) => unknown): Promise<string> => {
    if (existsSync(path)) return path
    await make(`${path}.part`)
    renameSync(`${path}.part`, path)
    return path
  }
  await made(identity, (part) => execFileSync('python3', [generator, ...size, '--out', part]))
  return {
    identity,
    gzip: await made(`${identity}.gz`, (part) =>
      pipeline(createReadStream(identity), createGzip(), createWriteStream(part)),
    ),
    zstd: await made(`${identity}.zst`, (part) =>
      pipeline(createReadStream(identity), createZstdCompress(), createWriteStream(part)),
    ),
  }
}

/** The names of the exposition that stand in kube-prometheus' rules, from the rule files themselves. */
const namesInRules = (file: string): string[] => {
  const rules = readdirSync(ruleFolder).map((name) => readFileSync(join(ruleFolder, name), 'utf8'))
  const words = new Set(rules.flatMap((text) => text.match(/[a-zA-Z_:][a-zA-Z0-9_:]*/g) ?? []))
  const text = readFileSync(file, 'latin1')
  const exported = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name))
  return [...exported].filter((name) => words.has(name))
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

type Named = { name: string; read: ReadCase }
type Measured = Named & { figures: ReadFigures; mbPerSecond: number; coldMbPerSecond: number }

const measure = (megabytes: number, { name, read }: Named): Measured => {
  const output = execFileSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', child, JSON.stringify(read)],
    {
      encoding: 'utf8',
    },
  )
  const figures: ReadFigures = JSON.parse(output)
  const [first = 0, ...warm] = figures.cpuMs
  const perSecond = (ms: number) => (megabytes * 1000) / ms
  return {
    name,
    read,
    figures,
    mbPerSecond: perSecond(warm.length === 0 ? first : median(warm)),
    coldMbPerSecond: perSecond(first),
  }
}

const row = (cells: readonly string[]): string =>
  cells.map((cell, n) => (n === 0 ? cell.padEnd(44) : cell.padStart(n === 5 ? 8 : 11))).join('')

const report = (measured: readonly Measured[]): string[] => {
  const npm = measured.find(({ read }) => read.parser === 'npm')?.mbPerSecond ?? Number.NaN
  return [
    row(['', 'MB/s of CPU', 'first read', 'peak MiB', 'kept', 'npm ×']),
    ...measured.map(({ name, figures, mbPerSecond, coldMbPerSecond }) =>
      row([
        name,
        mbPerSecond.toFixed(0),
        coldMbPerSecond.toFixed(0),
        figures.rssMiB.toFixed(0),
        `${((100 * figures.kept) / figures.seen).toFixed(1)} %`,
        (mbPerSecond / npm).toFixed(1),
      ]),
    ),
  ]
}

/**
 * Each case in a child process of its own, which reads the file in pieces of 256 KiB: the first read with everything
 * cold, then three more, whose median counts. Memory is the peak of the first read above the child's own before it.
 */
export const measureExposition = async (): Promise<string[]> => {
  if (!existsSync(generator) || !existsSync(ruleFolder)) {
    return [`This bench needs ${generator} and ${ruleFolder}.`]
  }
  const { identity, gzip, zstd } = await files()
  const few: Selector[] = brokenWorkloads.map((name) => ({ name }))
  const ruleNames = namesInRules(identity)
  const many: Selector[] = ruleNames.map((name) => ({ name }))
  const one: Selector[] = ruleNames.map((name) => ({
    name,
    matchers: [{ label: 'namespace', op: '=~', value: 'team-00[0-3]' }],
  }))
  const ours = { parser: 'whodunit', reads: 4 } as const
  const cases: Named[] = [
    { name: 'filtered to 5 %', read: { ...ours, file: identity, encoding: 'identity', keep: few } },
    { name: 'filtered to 5 %, gzip included', read: { ...ours, file: gzip, encoding: 'gzip', keep: few } },
    { name: 'filtered to 5 %, zstd included', read: { ...ours, file: zstd, encoding: 'zstd', keep: few } },
    { name: 'filtered to what the rules read', read: { ...ours, file: identity, encoding: 'identity', keep: many } },
    {
      name: 'what the rules read, of four namespaces',
      read: { ...ours, file: identity, encoding: 'identity', keep: one },
    },
    { name: 'everything', read: { ...ours, file: identity, encoding: 'identity', keep: 'all' } },
    {
      name: 'parse-prometheus-text-format',
      read: { parser: 'npm', reads: 1, file: identity, encoding: 'identity', keep: 'all' },
    },
  ]
  const megabytes = statSync(identity).size / 1e6
  const measured = cases.map((named) => measure(megabytes, named))
  const seen = measured[0]?.figures.seen ?? 0
  return [
    `${megabytes.toFixed(1)} MB, ${seen} series; kube-prometheus' rules read ${ruleNames.length} of its names (${ruleFolder})`,
    ...report(measured),
  ]
}
