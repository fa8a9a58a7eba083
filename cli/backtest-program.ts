import { once } from 'node:events'
import { createWriteStream, existsSync, statSync } from 'node:fs'
import { createGzip } from 'node:zlib'
import { type Command, InvalidArgumentError } from 'commander'
import { utc } from '../web/layout.ts'
import { type Arrival, Unsorted } from './backtest/arrivals.ts'
import { lineOf, openHistory } from './backtest/history.ts'
import { backtest, type Failure, failed, failures } from './commands/backtest.ts'
import { backtestText } from './commands/backtest-text.ts'
import { keepYoungGenerationSmall } from './memory.ts'
import { momentOf } from './moment.ts'
import { configOption, defaultConfig, nowMs, print, printError, readConfig, UsageError } from './surroundings.ts'

type Flags = {
  config: string
  today: string
  history: string
  from?: number
  to?: number
  save?: string
  failOn: Failure[]
  json?: boolean
}

const moment = (text: string): number => {
  const atMs = momentOf(text, nowMs())
  if (atMs === undefined) throw new InvalidArgumentError('a time is 2026-11-23T06:30Z, 06:30 (UTC) or -7d')
  return atMs
}

const isFailure = (text: string): text is Failure => failures.some((one) => one === text)

const failOn = (text: string): Failure[] => {
  const wanted = text === 'none' ? [] : text.split(',').map((one) => one.trim())
  if (!wanted.every(isFailure)) throw new InvalidArgumentError(`one or more of ${failures.join(', ')}, or none`)
  return wanted
}

/** Writes what is replayed as a file that can be replayed itself. */
const copyTo = (path: string) => {
  const file = createWriteStream(path)
  const out = path.endsWith('.gz') ? createGzip() : file
  if (out !== file) out.pipe(file)
  const lost = once(file, 'error').then(([error]) => {
    throw new UsageError(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  })
  lost.catch(() => undefined)
  const copy = async (arrival: Arrival) => {
    const lines = arrival.outcomes.map((outcome) => `${lineOf(arrival, outcome)}\n`).join('')
    if (lines !== '' && !out.write(lines)) await Promise.race([once(out, 'drain'), lost])
  }
  const end = async () => {
    out.end()
    await Promise.race([once(file, 'close'), lost])
  }
  return { copy, end }
}

/** One line that is written over, on a terminal alone. */
const progressLine = () => {
  if (process.stderr.isTTY !== true) return { progress: () => undefined, clear: () => undefined }
  let saidMs = 0
  const progress = ({ atMs, outcomes }: { atMs: number; outcomes: number }) => {
    if (nowMs() - saidMs < 200) return
    saidMs = nowMs()
    process.stderr.write(`\r${utc(atMs)}, ${outcomes.toLocaleString('en')} outcomes \u001b[K`)
  }
  return { progress, clear: () => process.stderr.write('\r\u001b[K') }
}

const isSameFile = (one: string, other: string): boolean => {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }))
  return a !== undefined && a.ino === b?.ino && a.dev === b.dev
}

const command = async (flags: Flags): Promise<number> => {
  keepYoungGenerationSmall()
  if (!existsSync(flags.today)) {
    throw new UsageError(
      `there is no ${flags.today} to compare with\n  hint: name today's config with --today, the new one with --config`,
    )
  }
  if (flags.save !== undefined && isSameFile(flags.save, flags.history)) {
    throw new UsageError(`--save would overwrite the history ${flags.history}\n  hint: name another file`)
  }
  const configs = { today: await readConfig(flags.today), new: await readConfig(flags.config) }
  const history = openHistory(flags.history, { fromMs: flags.from, toMs: flags.to })
  const line = progressLine()
  const saved = flags.save === undefined ? undefined : copyTo(flags.save)
  const at = { progress: line.progress, ...(saved ? { copy: saved.copy } : {}) }
  const result = await backtest(history, configs, at).catch((error: unknown) => {
    if (!(error instanceof Unsorted)) throw error
    throw new UsageError(`${flags.history}: ${error.message}\n  hint: sort the lines by scheduledAtMs`)
  })
  line.clear()
  await saved?.end()
  const missed = failed(result, flags.failOn)
  print(
    flags.json
      ? JSON.stringify({ ...result, failed: missed }, null, 2)
      : backtestText(result, { columns: process.stdout.columns }),
  )
  if (result.outcomes === 0) {
    printError('whodunit: nothing was replayed, so nothing is known: exit 2')
    return 2
  }
  return missed.length > 0 ? 1 : 0
}

export const addBacktest = (root: Command, exit: (code: number) => void) =>
  root
    .command('backtest')
    .description(
      "replay what was seen through today's config and a new one (exit 0: all that pages today still would, 1: not so, 2: usage or config error)",
    )
    .option(configOption[0], 'the new config', defaultConfig)
    .option('--today <path>', 'the config to compare it with', defaultConfig)
    .option(
      '--history <path>',
      'the folder of serve, a copy of its history, or a file with an outcome a line',
      '.whodunit',
    )
    .option('--from <time>', 'leave out what is before: 2026-11-23T06:30Z, 06:30 (UTC) or -7d', moment)
    .option('--to <time>', 'leave out what is not before', moment)
    .option(
      '--fail-on <what>',
      'exit 1 for: lost (no longer pages), added (pages now), later (pages later); none for nothing',
      failOn,
      ['lost'] satisfies Failure[],
    )
    .option('--save <file>', 'write the outcomes there as well, a line each (.gz: compressed)')
    .option('--json', 'print everything as JSON')
    .action(async (flags: Flags) => exit(await command(flags)))
