import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { readConfigFile } from '../config/config-file.ts'
import { costReport } from '../cost/report.ts'
import packageJson from '../package.json' with { type: 'json' }
import { type Store, StoreError } from '../stores/contract.ts'
import { fileBlobs } from '../stores/files.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import { addAlertingCommands } from './alerting-program.ts'
import { addBacktest } from './backtest-program.ts'
import { checkAll, checkExitCode, checkText } from './commands/check.ts'
import { costText } from './commands/cost.ts'
import { explain } from './commands/explain.ts'
import { explainText } from './commands/explain-text.ts'
import { incidentsText, listIncidents } from './commands/incidents.ts'
import { serveHere } from './commands/serve.ts'
import { validateCommand } from './commands/validate.ts'
import { ListenError } from './listen.ts'
import { keepYoungGenerationSmall } from './memory.ts'
import { momentOf } from './moment.ts'
import { addSloCommands } from './slo-program.ts'
import { addSource } from './source-program.ts'
import {
  columns,
  configOption,
  defaultConfig,
  nowMs,
  print,
  printError,
  readConfig,
  secret,
  UsageError,
} from './surroundings.ts'
import { leaveUnread, waitAside, whenUnread } from './terminal.ts'

const onTerminal = process.stdout.isTTY === true
const colour = onTerminal && !process.env['NO_COLOR']
const width = process.stdout.columns ?? 100

const portNumber = (text: string): number => {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('a port is 0 to 65535')
  return port
}

const webAddress = (text: string): string => {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new InvalidArgumentError('an http or https address')
  return text.replace(/\/+$/, '')
}

const stopSignal = () =>
  new Promise<'asked'>((resolve) => {
    let asked = 0
    const onSignal = () => {
      if (++asked > 1) process.exit(130)
      resolve('asked')
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })

type ServeFlags = { config: string; host: string; port: number; data: string; publicUrl?: string }

const serveCommand = async (flags: ServeFlags): Promise<number> => {
  keepYoungGenerationSmall()
  for (const out of [process.stdout, process.stderr]) waitAside(out)
  const config = await readConfig(flags.config)
  const stopped = Promise.race([stopSignal(), whenUnread(process.stdout)])
  const served = await serveHere({
    config,
    host: flags.host,
    port: flags.port,
    dataDir: flags.data,
    ...(flags.publicUrl === undefined ? {} : { publicUrl: flags.publicUrl }),
    nowMs,
    random: Math.random,
    secret,
    out: process.stdout,
    colour,
    warn: printError,
  })
  const why = await stopped
  if (why === 'unread') printError('whodunit: nobody reads the output any more, so pages to it are lost: stopping')
  else print(`${onTerminal ? '\r' : ''}stopping: finishing what is on its way, the rest is kept in ${flags.data}`)
  await served.stop()
  const code = why === 'unread' ? 1 : 0
  leaveUnread(code)
  return code
}

const checkCommand = async (only: readonly string[], flags: { config: string; json?: boolean }): Promise<number> => {
  const config = await readConfig(flags.config)
  const missing = only.find((id) => !config.monitors[id])
  if (missing !== undefined)
    throw new UsageError(`there is no monitor ${missing}; there are ${Object.keys(config.monitors).join(', ')}`)
  const all = await checkAll(config, { nowMs, secret, only })
  print(flags.json ? JSON.stringify(all, null, 2) : checkText(all, { width, colour }))
  return checkExitCode(all)
}

const costCommand = async (flags: { config: string; json?: boolean }): Promise<number> => {
  const report = costReport(await readConfig(flags.config))
  print(flags.json ? JSON.stringify(report, null, 2) : costText(report, { columns: process.stdout.columns }))
  return 0
}

/** Reads the state of `serve`, also while it runs. */
const withState = async <T>(data: string, read: (store: Store) => Promise<T>, what = 'incidents'): Promise<T> => {
  const path = join(data, 'whodunit.sqlite')
  if (!existsSync(path))
    throw new UsageError(
      `${data} holds no ${what}: nothing has run there\n  hint: \`whodunit serve\` writes them; name its folder with --data`,
    )
  const store = sqliteStore({ path, nowMs, readOnly: true })
  try {
    return await read(store)
  } finally {
    await store.close()
  }
}

const incidentsCommand = (flags: { data: string; json?: boolean }): Promise<number> =>
  withState(flags.data, async (store) => {
    const listed = await listIncidents(store)
    print(flags.json ? JSON.stringify(listed, null, 2) : incidentsText(listed, nowMs()))
    return 0
  })

const moment = (text: string): number => {
  const atMs = momentOf(text, nowMs())
  if (atMs === undefined) throw new InvalidArgumentError('a time is 2026-11-23T06:30Z, 06:30 (UTC) or -15m')
  return atMs
}

const hoursBack = (text: string): number => {
  const hours = Number(text)
  if (!Number.isInteger(hours) || hours < 1 || hours > 24 * 366) throw new InvalidArgumentError('hours are 1 to 8784')
  return hours
}

type ExplainFlags = { config: string; data: string; at?: number; hours: number; json?: boolean }

const explainCommand = (name: string, flags: ExplainFlags): Promise<number> =>
  withState(flags.data, async (store) => {
    // The state says what happened; the config, where there is one, what it happened to.
    const known = flags.config !== defaultConfig || existsSync(defaultConfig)
    const config = known ? { config: await readConfig(flags.config) } : {}
    const world = { store, blobs: fileBlobs({ directory: join(flags.data, 'blobs') }), nowMs: nowMs(), ...config }
    const { at, hours } = flags
    const explained = await explain(world, { name, hours, ...(at === undefined ? {} : { atMs: at }) })
    if (explained.kind === 'unknown')
      throw new UsageError(`there is no incident, alert or monitor ${name}\n  hint: ${explained.hint}`)
    const screen = { columns: process.stdout.columns }
    print(flags.json ? JSON.stringify(explained, null, 2) : explainText(explained, world.nowMs, screen))
    return 0
  })

const dataOption = ['-d, --data <directory>', 'where state is kept', '.whodunit'] as const

/** Commands that read what `serve` keeps. */
const addStateCommands = (root: Command, exit: (code: number) => void) => {
  root
    .command('incidents')
    .description('list what happened, the newest first')
    .option(...dataOption)
    .option('--json', 'print incidents and case files as JSON')
    .action(async (flags) => exit(await incidentsCommand(flags)))
  root
    .command('explain')
    .description('what happened to an incident, an alert or a monitor and why, or why nothing did')
    .argument('<name>', 'the id of an incident, an alert or a monitor')
    .option(...configOption)
    .option(...dataOption)
    .option('--at <time>', 'when: 2026-11-23T06:30Z, 06:30 (UTC) or -15m; the last look when absent', moment)
    .option('--hours <number>', 'how far back the steps of an alert are told', hoursBack, 6)
    .option('--json', 'print what is known as JSON')
    .action(async (name, flags) => exit(await explainCommand(name, flags)))
}

const program = (exit: (code: number) => void): Command => {
  const root = new Command('whodunit')
    .description('Synthetic monitoring that pages with the case file already filled in')
    .version(packageJson.version)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
  root
    .command('serve')
    .description('watch, question and page from this machine until Ctrl-C')
    .option(...configOption)
    .option(...dataOption)
    .option('-p, --port <number>', 'where the pages are served', portNumber, 8440)
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--public-url <url>', 'how people reach these pages, when that is not --host', webAddress)
    .action(async (flags) => exit(await serveCommand(flags)))
  root
    .command('check')
    .description('run every monitor once (exit 0: all pass, 1: something does not, 2: config error)')
    .argument('[monitors...]', 'only these')
    .option(...configOption)
    .option('--json', 'print the outcomes as JSON')
    .action(async (only, flags) => exit(await checkCommand(only, flags)))
  root
    .command('validate')
    .description('check the config file (exit 0: fine, 2: mistakes)')
    .option(...configOption)
    .option('--json', 'print what was found as JSON')
    .action(async (flags) =>
      exit(
        await validateCommand({
          ...flags,
          json: flags.json === true,
          print,
          printError,
          readFile: readConfigFile,
          nowMs,
          columns: columns(),
        }),
      ),
    )
  root
    .command('cost')
    .description('what the config costs a month on AWS, by list prices (exit 0: told, 2: config error)')
    .option(...configOption)
    .option('--json', 'print the figures as JSON')
    .action(async (flags) => exit(await costCommand(flags)))
  addSource(root, exit)
  addStateCommands(root, exit)
  addSloCommands(root, { nowMs, print, printError, readConfig, withState, exit })
  addBacktest(root, exit)
  addAlertingCommands(root, { nowMs, env: process.env, print, printError, webAddress, exit })
  return root
}

/** What a store says of a folder that it cannot be in; the rest is what befalls one that is open. */
const wrongPlace: ReadonlySet<StoreError['code']> = new Set(['locked', 'not-a-store', 'unwritable'])

const told = (error: unknown): number => {
  if (error instanceof CommanderError) {
    if (error.code === 'commander.unknownCommand') printError('  hint: `whodunit --help` lists the commands')
    return error.exitCode === 0 ? 0 : 2
  }
  if (error instanceof UsageError) printError(`whodunit: ${error.message}`)
  else if (error instanceof StoreError || error instanceof ListenError) {
    printError(`whodunit: ${error.message}\n  hint: ${error.hint}`)
  } else printError(`whodunit: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  const isPlace = error instanceof StoreError && wrongPlace.has(error.code)
  return isPlace || error instanceof UsageError || error instanceof ListenError ? 2 : 1
}

/** Runs the command line; answers the exit code (0 fine, 1 what was checked is bad, 2 usage or config error). */
export const main = async (argv: readonly string[]): Promise<number> => {
  void whenUnread(process.stdout)
  void whenUnread(process.stderr)
  let code = 0
  try {
    await program((exitCode) => {
      code = exitCode
    }).parseAsync(argv)
  } catch (error) {
    code = told(error)
  }
  return code
}
