import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { freePort } from '../engines/free-port.ts'

const version = '1.5.33'
const root = join(import.meta.dirname, '..', '..')
const venv = join(root, '.cache', `ministack-${version}`)
const binary = join(venv, 'bin', 'ministack')
const nodeBin = join(root, 'node_modules', 'node', 'bin')

/** An AWS that runs here: every region, TLS, IAM enforced, functions as processes of this machine. */
export type Emulator = {
  url: string
  port: number
  /** What a client of it needs in its environment. */
  env: Record<string, string>
  logPath: string
  /** Kills the processes that functions run in, as AWS takes away a warm environment. Answers how many. */
  killFunctions: () => number
  stop: () => Promise<void>
}

/** Installs the emulator into `.cache/`, once. Throws where there is no Python 3 or no package index. */
const install = () => {
  if (existsSync(binary)) return
  execFileSync('python3', ['-m', 'venv', venv], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 120_000 })
  const pip = ['install', '--quiet', '--disable-pip-version-check', `ministack==${version}`]
  execFileSync(join(venv, 'bin', 'pip'), pip, { stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 })
}

/** Trusts the certificate the emulator made for itself, as soon as it is there. */
const trust = (certificate: string) => {
  if (existsSync(certificate))
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(certificate, 'utf8')])
}

const healthy = async (url: string, certificate: string): Promise<boolean> => {
  try {
    trust(certificate)
    return (await fetch(`${url}/_ministack/health`, { signal: AbortSignal.timeout(1000) })).ok
  } catch {
    return false
  }
}

type Process = { pid: number; parent: number; command: string }

const processes = (): Process[] =>
  execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
      return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }]
    })

const descendants = (pid: number, all = processes()): Process[] =>
  all.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...descendants(child.pid, all)])

const signalled = (pid: number, signal: NodeJS.Signals) => {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}

/** Starts the emulator on a free port; resolves when it answers. */
export const startEmulator = async (region: string): Promise<Emulator> => {
  install()
  const port = await freePort()
  const url = `https://127.0.0.1:${port}`
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-ministack-'))
  const certificate = join(folder, 'ministack-tls', 'server.crt')
  const trusting = { NODE_EXTRA_CA_CERTS: certificate, AWS_CA_BUNDLE: certificate }
  const logPath = join(root, '.cache', `ministack-${port}.log`)
  const log = openSync(logPath, 'w')
  const child = spawn(binary, {
    stdio: ['ignore', log, log],
    detached: true,
    env: {
      ...process.env,
      PATH: `${nodeBin}:${process.env['PATH']}`,
      NODE_PATH: join(root, 'node_modules'),
      AUTH: 'true',
      USE_SSL: '1',
      TMPDIR: folder,
      ...trusting,
      GATEWAY_PORT: String(port),
      MINISTACK_HOST: '127.0.0.1',
      BIND_HOST: '127.0.0.1',
      MINISTACK_REGION: region,
    },
  })
  const pid = child.pid ?? 0
  for (let tries = 0; !(await healthy(url, certificate)); tries++) {
    if (tries > 300 || child.exitCode !== null) throw new Error(`the emulator did not start; see ${logPath}`)
    await sleep(100)
  }
  const stop = async () => {
    const all = [{ pid }, ...descendants(pid)]
    for (const one of all) signalled(one.pid, 'SIGTERM')
    await sleep(500)
    for (const one of all) signalled(one.pid, 'SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  const functions = () => descendants(pid).filter(({ command }) => /(^|\/)node /.test(command))
  return {
    url,
    port,
    logPath,
    env: {
      AWS_ENDPOINT_URL: url,
      ...trusting,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EC2_METADATA_DISABLED: 'true',
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      CDK_NOTICES: 'false',
    },
    killFunctions: () => functions().filter((one) => signalled(one.pid, 'SIGKILL')).length,
    stop,
  }
}
