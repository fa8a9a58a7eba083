import { readFile } from 'node:fs/promises'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { issueText } from '../config/issues.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { StoreError } from '../stores/contract.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import { checkAll, checkExitCode, checkText } from './commands/check.ts'
import { incidentsText, listIncidents } from './commands/incidents.ts'
import { ListenError, serveHere } from './commands/serve.ts'
import { validateCommand } from './commands/validate.ts'
import { environmentSecrets } from './secrets.ts'

const nowMs = () => Date.now()
const secret = environmentSecrets(process.env)
const colour = process.stdout.isTTY === true && !process.env['NO_COLOR']
const width = process.stdout.columns ?? 100
const print = (text: string) => process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
const printError = (text: string) => process.stderr.write(text.endsWith('\n') ? text : `${text}\n`)

/** A mistake of whoever called us, already told: exit code 2. */
class UsageError extends Error {
  override name = 'UsageError'
}

const readConfig = async (path: string): Promise<Config> => {
  const loaded = await loadConfig(path, { readFile })
  const issues = loaded.ok ? loaded.warnings : loaded.issues
  for (const issue of issues) printError(issueText(issue))
  if (loaded.ok) return loaded.config
  throw new UsageError(`${path} has ${loaded.issues.length === 1 ? 'a mistake' : `${loaded.issues.length} mistakes`}`)
}

const portNumber = (text: string): number => {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('a port is 0 to 65535')
  return port
}

const stopSignal = () =>
  new Promise<void>((resolve) => {
    let asked = 0
    const onSignal = () => {
      if (++asked > 1) process.exit(130)
      resolve()
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })

type ServeFlags = { config: string; host: string; port: number; data: string; publicUrl?: string }

const serveCommand = async (flags: ServeFlags): Promise<number> => {
  const config = await readConfig(flags.config)
  const stopped = stopSignal()
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
  await stopped
  print('stopping: finishing what is on its way')
  await served.stop()
  return 0
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

const incidentsCommand = async (flags: { data: string; json?: boolean }): Promise<number> => {
  const store = sqliteStore({ path: `${flags.data}/whodunit.sqlite`, nowMs, readOnly: true })
  try {
    const listed = await listIncidents(store)
    print(flags.json ? JSON.stringify(listed, null, 2) : incidentsText(listed, nowMs()))
    return 0
  } finally {
    await store.close()
  }
}

const program = (exit: (code: number) => void): Command => {
  const root = new Command('whodunit')
    .description('Synthetic monitoring that pages with the case file already filled in')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
  const config = ['-c, --config <path>', 'the config file', 'whodunit.yaml'] as const
  const data = ['-d, --data <directory>', 'where state is kept', '.whodunit'] as const
  root
    .command('serve')
    .description('watch, question and page from this machine until Ctrl-C')
    .option(...config)
    .option(...data)
    .option('-p, --port <number>', 'where the pages are served', portNumber, 8440)
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--public-url <url>', 'how people reach these pages')
    .action(async (flags) => exit(await serveCommand(flags)))
  root
    .command('check')
    .description('run every monitor once (exit 0: all pass, 1: something does not, 2: config error)')
    .argument('[monitors...]', 'only these')
    .option(...config)
    .option('--json', 'print the outcomes as JSON')
    .action(async (only, flags) => exit(await checkCommand(only, flags)))
  root
    .command('validate')
    .description('check the config file (exit 0: fine, 2: mistakes)')
    .option(...config)
    .option('--json', 'print what was found as JSON')
    .action(async (flags) =>
      exit(await validateCommand({ ...flags, json: flags.json === true, print, printError, readFile })),
    )
  root
    .command('incidents')
    .description('list what happened, the newest first')
    .option(...data)
    .option('--json', 'print incidents and case files as JSON')
    .action(async (flags) => exit(await incidentsCommand(flags)))
  return root
}

const told = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof UsageError) printError(`whodunit: ${error.message}`)
  else if (error instanceof StoreError || error instanceof ListenError) {
    printError(`whodunit: ${error.message}\n  hint: ${error.hint}`)
  } else printError(`whodunit: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  return error instanceof UsageError || error instanceof ListenError ? 2 : 1
}

/** Runs the command line; answers the exit code (0 fine, 1 what was checked is bad, 2 usage or config error). */
export const main = async (argv: readonly string[]): Promise<number> => {
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
