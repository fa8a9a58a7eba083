import { join } from 'node:path'
import type { Command } from 'commander'
import { clusterReader } from '../functions/cluster-reader.ts'
import { fileBlobs } from '../stores/files.ts'
import {
  findSources,
  readSource,
  readWindows,
  sourceExitCode,
  sourceJson,
  sourcesNamed,
  sourceText,
} from './commands/source.ts'
import { awsCredentials } from './hub/credentials.ts'
import { parseKubeconfig } from './hub/kubeconfig.ts'
import { configOption, nowMs, print, readConfig, secret, UsageError } from './surroundings.ts'

type SourceFlags = { config: string; data: string; json?: boolean; facts?: boolean }

const sourceCommand = async (names: readonly string[], flags: SourceFlags): Promise<number> => {
  const config = await readConfig(flags.config)
  const world = { nowMs, reader: clusterReader({ nowMs, secret, awsCredentials, parseKubeconfig }) }
  const { all, unfound } = await findSources(config, world)
  const missing = names.find((name) => sourcesNamed(all, name).length === 0)
  const lacks = unfound.map(({ name, why }) => `; ${name}: ${why}`).join('')
  const found = all.length === 0 ? 'the config has none' : `there are ${all.map(({ name }) => name).join(', ')}`
  const there = `${found}${lacks}`
  if (missing !== undefined || all.length === 0)
    throw new UsageError(`there is no source ${missing ?? 'to read'}; ${there}`)
  const wanted =
    names.length === 0 ? all : all.filter((one) => names.some((name) => sourcesNamed([one], name).length > 0))
  const read = await Promise.all(wanted.map((one) => readSource(config, one, world)))
  const clusters = new Set(wanted.map(({ cluster }) => cluster))
  const whole = names.length === 0 ? [...clusters] : names.filter((name) => clusters.has(name))
  const windows = await readWindows(config, whole, {
    nowMs,
    blobs: fileBlobs({ directory: join(flags.data, 'blobs') }),
    place: flags.data,
  })
  const reports = [...read, ...unfound.filter(({ name }) => clusters.has(name.split('/')[0] ?? '')), ...windows]
  print(flags.json ? JSON.stringify(sourceJson(reports, flags.facts === true), null, 2) : sourceText(reports))
  return sourceExitCode(reports)
}

export const addSource = (root: Command, exit: (code: number) => void) =>
  root
    .command('source')
    .description('read sources once (exit 0: all whole, 1: something is missing, 2: config error)')
    .argument('[names...]', 'a source like main/loki, a cluster, or a kind; all when left out')
    .option(...configOption)
    .option('-d, --data <directory>', 'where state is kept: its windows are told of as well', '.whodunit')
    .option('--json', 'print what was read as JSON')
    .option('--facts', 'with --json: every fact that was read, not only their number')
    .action(async (names, flags) => exit(await sourceCommand(names, flags)))
