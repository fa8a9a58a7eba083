import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { acknowledgeBody } from '../functions/api-contract.ts'
import { memoryStore } from '../stores/memory.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import { type Alerting, remoteAlerting, storeAlerting } from './alerting.ts'
import { acknowledge } from './commands/ack.ts'
import {
  durationSeconds,
  type SilenceFlags,
  silenceAdd,
  silenceEnd,
  silenceList,
  type Teller,
  tellRefusal,
} from './commands/silence.ts'
import { momentHere } from './moment.ts'

export type ProgramWorld = {
  nowMs: () => number
  env: Readonly<Record<string, string | undefined>>
  print: (text: string) => void
  printError: (text: string) => void
  webAddress: (text: string) => string
  exit: (code: number) => void
}

type Where = { data: string; url?: string; tokenEnv?: string; json?: boolean }

const duration = (text: string): number => {
  const seconds = durationSeconds(text)
  if (seconds === undefined || seconds === 0) throw new InvalidArgumentError('a time span is like 30m, 2h or 1d12h')
  return seconds
}

const moment = (text: string): number => {
  const ms = momentHere(text)
  if (ms === undefined) throw new InvalidArgumentError('a moment is like 2026-12-24T22:00 (here) or 2026-12-24T22:00Z')
  return ms
}

const name = (text: string): string => {
  const { data } = acknowledgeBody.shape.by.safeParse(text)
  if (data === undefined) throw new InvalidArgumentError('a name has 1 to 100 characters')
  return data
}

const userName = (): string => {
  try {
    return userInfo().username || 'somebody'
  } catch {
    return 'somebody'
  }
}

type Work = (alerting: Alerting, teller: Teller) => Promise<number>

/** `look` changes nothing; `change` is about state that must be there; `create` makes the store it keeps something in. */
type Purpose = 'look' | 'change' | 'create'

const withStore = async (
  world: ProgramWorld,
  at: { data: string; purpose: Purpose },
  work: (alerting: Alerting) => Promise<number>,
) => {
  const { nowMs } = world
  const path = join(at.data, 'whodunit.sqlite')
  const readOnly = at.purpose === 'look'
  const store = readOnly && !existsSync(path) ? memoryStore({ nowMs }) : sqliteStore({ path, nowMs, readOnly })
  try {
    return await work(storeAlerting(store, nowMs))
  } finally {
    await store.close()
  }
}

const run = async (world: ProgramWorld, at: { where: Where; purpose: Purpose }, work: Work): Promise<number> => {
  const { where, purpose } = at
  const { nowMs, env, print, printError } = world
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions()
  const teller = { print, printError, json: where.json === true, nowMs: nowMs(), timeZone }
  const { url, tokenEnv, data } = where
  if (url === undefined && purpose === 'change' && !existsSync(join(data, 'whodunit.sqlite'))) {
    const hint = 'name the folder of `whodunit serve` with --data, or its address with --url'
    return tellRefusal({ code: 'no-state', message: `${data} holds no state: nothing has run there`, hint }, teller)
  }
  if (url === undefined) return withStore(world, { data, purpose }, (alerting) => work(alerting, teller))
  const token = tokenEnv === undefined ? undefined : env[tokenEnv]
  if (tokenEnv !== undefined && !token) {
    printError(
      `whodunit: there is no ${tokenEnv} in the environment\n  hint: --token-env names the variable that holds the API token`,
    )
    return 2
  }
  return work(remoteAlerting({ url, token }), teller)
}

const places = (command: Command, world: ProgramWorld): Command =>
  command
    .option('-d, --data <directory>', 'where state is kept', '.whodunit')
    .option('--url <url>', 'ask a hub at this address instead', world.webAddress)
    .option('--token-env <name>', 'the environment variable that holds its API token')
    .option('--json', 'print the answer as JSON')

const addSilence = (root: Command, world: ProgramWorld): void => {
  const silence = root.command('silence').description('keep alerts that match quiet for a while')
  places(silence.command('add'), world)
    .description('begin one (exit 0: asked for, 1: could not be asked, 2: refused)')
    .argument('<matchers...>', 'such as service=shop or \'severity=~"page|ticket"\'; all of them must match')
    .requiredOption('--for <span>', 'how long: 30m, 2h, 1d12h; 31 days at most', duration)
    .requiredOption('--reason <text>', 'why')
    .option('--from <moment>', 'when it begins, if not now', moment)
    .option('--author <name>', 'whose it is', userName())
    .option('--incident <id>', 'it ends with this incident, if that comes first')
    .action(async (matchers: string[], flags: Where & SilenceFlags) =>
      world.exit(
        await run(world, { where: flags, purpose: 'create' }, (alerting, teller) =>
          silenceAdd(alerting, matchers, { flags, teller }),
        ),
      ),
    )
  places(silence.command('list'), world)
    .description('those in force and those to come')
    .action(async (flags: Where) => world.exit(await run(world, { where: flags, purpose: 'look' }, silenceList)))
  places(silence.command('end'), world)
    .description('end one before its time')
    .argument('<id>', 'as `silence list` shows it')
    .option('--by <name>', 'who ends it', name, userName())
    .action(async (id: string, flags: Where & { by: string }) =>
      world.exit(
        await run(world, { where: flags, purpose: 'change' }, (alerting, teller) =>
          silenceEnd(alerting, id, { by: flags.by, teller }),
        ),
      ),
    )
}

/** The commands of whoever is on call. */
export const addAlertingCommands = (root: Command, world: ProgramWorld): void => {
  addSilence(root, world)
  places(root.command('ack'), world)
    .description('take an incident on (exit 0: done, 1: somebody has it or it is over, 2: there is none)')
    .argument('<incident>', 'its id, as `whodunit incidents` and every page show it')
    .option('--by <name>', 'who takes it on', name, userName())
    .action(async (id: string, flags: Where & { by: string }) =>
      world.exit(
        await run(world, { where: flags, purpose: 'change' }, (alerting, teller) =>
          acknowledge(alerting, id, { by: flags.by, teller }),
        ),
      ),
    )
}
