import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { readConfigFile, textOf } from '../config/config-file.ts'
import { httpUrl, id } from '../config/contract.ts'
import type { Config } from '../config/schema.ts'
import type { Store } from '../stores/contract.ts'
import { fileBlobs } from '../stores/files.ts'
import { exportSlos } from './commands/slo-export.ts'
import { sloReportPage } from './commands/slo-page.ts'
import { type SloReport, sloReports, sloReportText } from './commands/slo-report.ts'
import { UsageError } from './surroundings.ts'

export type SloWorld = {
  nowMs: () => number
  print: (text: string) => void
  printError: (text: string) => void
  readConfig: (path: string) => Promise<Config>
  /** Reads the state of `serve`, also while it runs. */
  withState: <T>(data: string, read: (store: Store) => Promise<T>, what?: string) => Promise<T>
  exit: (code: number) => void
}

type ReportFlags = { config: string; data: string; html?: string; json?: boolean }

const writePage = (file: string, page: string): Promise<void> =>
  writeFile(file, page).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${file} cannot be written: ${why}\n  hint: give --html a file in a folder that is there`)
  })

const report = async (world: SloWorld, flags: ReportFlags): Promise<number> => {
  const config = await world.readConfig(flags.config)
  const nowMs = world.nowMs()
  const blobs = fileBlobs({ directory: join(flags.data, 'blobs') })
  let unreadable = 0
  const lost = () => unreadable++
  const read = (store: Store) => sloReports({ store, blobs }, { config, nowMs, lost })
  const reports = await world.withState(flags.data, read, 'events of objectives')
  if (unreadable > 0)
    world.printError(
      `latencies: ${unreadable === 1 ? '1 hour' : `${unreadable} hours`} could not be read whole: what is missing is left out`,
    )
  if (flags.html !== undefined) {
    await writePage(flags.html, sloReportPage(reports, { title: config.statusPage.title, nowMs }))
  }
  world.print(flags.json ? JSON.stringify(reports, null, 2) : sloReportText(reports))
  const isLeft = ({ spentRatio, achievedPercent }: SloReport) => spentRatio < 1 && achievedPercent !== undefined
  return reports.every(isLeft) ? 0 : 1
}

const clusterName = (text: string): string => {
  if (!id.safeParse(text).success) throw new InvalidArgumentError('a name of lower-case letters, digits and dashes')
  return text
}

const prometheusUrl = (text: string): string => {
  if (!httpUrl.safeParse(text).success) throw new InvalidArgumentError('an http or https address')
  return text
}

type ImportFlags = { cluster: string; prometheus: string; json?: boolean }

const importFile = async (world: SloWorld, file: string, flags: ImportFlags): Promise<number> => {
  const { importSlos, importText } = await import('./commands/slo-import.ts')
  const bytes = await readConfigFile(file).catch((error: unknown) => {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  })
  const text = textOf(bytes)
  if (typeof text !== 'string') {
    world.printError(`${file}: ${text.message}${text.hint === undefined ? '' : `\n  hint: ${text.hint}`}`)
    return 2
  }
  const imported = importSlos(text, flags)
  if (imported.status === 'unusable') {
    world.printError(`${file}:${imported.line} ${imported.why}`)
    return 2
  }
  if (flags.json) world.print(JSON.stringify(imported, null, 2))
  else {
    if (imported.config !== '') world.print(imported.config.trimEnd())
    world.printError(importText(file, imported))
  }
  return imported.lost.length > 0 || imported.rules.length < imported.objectives ? 1 : 0
}

/** The commands about objectives. */
export const addSloCommands = (root: Command, world: SloWorld): void => {
  const slo = root.command('slo').description('objectives: what is left of their budgets')
  slo
    .command('report')
    .description(
      'what is left of every budget (exit 0: something of each, 1: one is spent or not known, 2: config error)',
    )
    .option('-c, --config <path>', 'the config file', 'whodunit.yaml')
    .option('-d, --data <directory>', 'where state is kept', '.whodunit')
    .option('--html <file>', 'write a page with burn-down charts there as well')
    .option('--json', 'print the figures as JSON')
    .action(async (flags: ReportFlags) => world.exit(await report(world, flags)))
  slo
    .command('export')
    .description(
      'print every objective as a Prometheus rule file over /metrics or its own counters; what it cannot say goes to standard error',
    )
    .option('-c, --config <path>', 'the config file', 'whodunit.yaml')
    .option('--json', 'print { text, lost } as JSON')
    .action(async (flags: { config: string; json?: boolean }) => {
      const exported = exportSlos(await world.readConfig(flags.config))
      world.print(flags.json ? JSON.stringify(exported, null, 2) : exported.text)
      if (!flags.json) for (const one of exported.lost) world.printError(one)
      world.exit(0)
    })
  slo
    .command('import')
    .argument('<file>', 'objectives as sloth (prometheus/v1, PrometheusServiceLevel) or OpenSLO (v1) writes them')
    .description(
      'print them as a config; what is not carried over goes to standard error (exit 0: all is, 1: something is not, 2: no such file)',
    )
    .option('--cluster <name>', 'what the place with their series is called', clusterName, 'main')
    .option('--prometheus <url>', 'the Prometheus that has their series', prometheusUrl, 'http://127.0.0.1:9090')
    .option('--json', 'print { config, rules, objectives, lost } as JSON')
    .action(async (file: string, flags: ImportFlags) => world.exit(await importFile(world, file, flags)))
}
