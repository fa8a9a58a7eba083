// node examples/emojivoto/run-town.ts --scene doughnut --fault-after 20 --fault-for 60 --hang loki,linkerd
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { freePorts } from './ports.ts'
import { type SceneName, sceneNames } from './scenes.ts'
import { TownPortTaken } from './serving.ts'
import { isSourceName, type SourceName, sourceNames } from './sources.ts'
import { startTown, type Town, type TownOptions } from './town.ts'

const usage = `Usage: node examples/emojivoto/run-town.ts [options]
  --scene NAME         ${sceneNames.join(', ')} (doughnut)
  --fault-after S      the fault comes on after S seconds; without it, POST {"on":true} to the control address
  --fault-for S        and goes after S more seconds
  --hang NAMES         sources that accept and never answer: ${sourceNames.join(', ')}
  --unavailable NAMES  sources that answer 503
  --free-ports         take any free ports instead of 18080 to 18090
  --logs               print what the programs log
  --help`

class UsageError extends Error {}

const isScene = (name: string): name is SceneName => sceneNames.some((known) => known === name)

const seconds = (flag: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0 || value > 1_000_000) {
    throw new UsageError(`${flag} wants seconds, not "${text}"`)
  }
  return value * 1000
}

const sourcesOf = (flag: string, text: string | undefined): SourceName[] =>
  (text ?? '')
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      if (!isSourceName(name)) throw new UsageError(`${flag} knows ${sourceNames.join(', ')}, not "${name}"`)
      return name
    })

const options = {
  scene: { type: 'string', default: 'doughnut' },
  'fault-after': { type: 'string' },
  'fault-for': { type: 'string' },
  hang: { type: 'string' },
  unavailable: { type: 'string' },
  'free-ports': { type: 'boolean', default: false },
  logs: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

type Wish = { help: boolean; town: TownOptions; hang: SourceName[]; unavailable: SourceName[] }

const parse = (args: string[]): ReturnType<typeof parseArgs<{ options: typeof options }>>['values'] => {
  try {
    return parseArgs({ args, options }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

const wishOf = (args: string[]): Wish => {
  const values = parse(args)
  const { scene, hang, unavailable, logs, help } = values
  if (!isScene(scene)) throw new UsageError(`--scene knows ${sceneNames.join(', ')}, not "${scene}"`)
  const faultAfterMs = seconds('--fault-after', values['fault-after'])
  const faultForMs = seconds('--fault-for', values['fault-for'])
  return {
    help,
    hang: sourcesOf('--hang', hang),
    unavailable: sourcesOf('--unavailable', unavailable),
    town: {
      scene,
      ...(faultAfterMs === undefined ? {} : { faultAfterMs }),
      ...(faultForMs === undefined ? {} : { faultForMs }),
      ...(values['free-ports'] ? { ports: freePorts } : {}),
      ...(logs ? { logs: ({ app, line }) => console.log(`${app.padEnd(8)} ${line}`) } : {}),
    },
  }
}

/** Where `whodunit.yaml` expects what the town's HTTPS is trusted by, and what its Kubernetes API is shown. */
const writeFiles = async ({ caPem, token }: Town): Promise<{ authority: string; token: string }> => {
  const folder = resolve('.whodunit')
  await mkdir(folder, { recursive: true })
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name)
    // Renamed into place, so nobody reads half of it.
    await writeFile(`${path}.${process.pid}`, text, { mode: 0o600 })
    await rename(`${path}.${process.pid}`, path)
    return path
  }
  return { authority: await write('town-ca.pem', caPem), token: await write('town-token', token) }
}

/** When the fault comes and goes, in words. */
const faultText = ({ scene, faultAfterMs, faultForMs }: TownOptions): string => {
  if (scene === 'healthy') return 'none'
  if (faultAfterMs === undefined) return 'when {"on":true} is posted to the control address'
  const end = faultForMs === undefined ? '' : `, for ${faultForMs / 1000} s`
  return `${faultAfterMs / 1000} s from now${end}`
}

const runTown = async ({ town: townOptions, hang, unavailable }: Wish): Promise<void> => {
  const town = await startTown(townOptions)
  const close = () => {
    if (process.connected) process.disconnect()
    void town.close()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.once(name, close)
  if (hang.length > 0) town.setHang(hang)
  if (unavailable.length > 0) town.setUnavailable(unavailable)
  const files = await writeFiles(town)
  const rows = [
    ['scene', town.scene],
    ['fault', faultText(townOptions)],
    ...Object.entries(town.urls),
    ['certificate authority', files.authority],
    ['token file', files.token],
  ]
  console.log(rows.map(([name = '', value = '']) => `${name.padEnd(22)} ${value}`).join('\n'))
  console.log('Ctrl-C closes the town.')
}

const main = async (): Promise<number> => {
  try {
    const wish = wishOf(process.argv.slice(2))
    if (wish.help) console.log(usage)
    else await runTown(wish)
    return 0
  } catch (error) {
    if (error instanceof TownPortTaken) {
      console.error(error.message)
      return 1
    }
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${usage}`)
    return 2
  }
}

process.exitCode = await main()
