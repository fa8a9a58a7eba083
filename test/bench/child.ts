import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** Starts the loopback targets in their own process. */
export const startTargets = async (): Promise<{ url: string; stop: () => void }> => {
  const child = fork(new URL('./targets.ts', import.meta.url))
  const [port] = await once(child, 'message')
  return { url: `http://127.0.0.1:${port}`, stop: () => child.kill('SIGKILL') }
}

/** A real `whodunit serve`. Its folder is its working directory and holds `whodunit.json`. */
export const startServe = async (
  folder: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ process: ChildProcess; url: string }> => {
  const program = new URL('../../cli/launch.mjs', import.meta.url).pathname
  const args = ['serve', '--config', 'whodunit.json', '--data', 'data', '--port', '0']
  const child = spawn(process.execPath, [...execArgv(), program, ...args], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(0, 10_000)
    const url = /status page {2}(\S+)\//.exec(said)?.[1]
    if (url) resolve(url)
  })
  child.once('exit', (code) => reject(new Error(`serve ended with ${code} before it listened`)))
  return { process: child, url: await promise }
}

/** `BENCH_EXEC_ARGV="--cpu-prof"`: how to look into the process that is measured. */
const execArgv = () => (process.env['BENCH_EXEC_ARGV'] ?? '').split(' ').filter((arg) => arg !== '')

/** SIGTERM, and SIGKILL for what does not end by itself. */
export const stopServe = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await exited
  clearTimeout(late)
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** CPU seconds a process has used in user and kernel, all threads (proc(5), fields 14 and 15). */
export const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Resident memory in MB, now (`VmRSS`) or the most it ever was (`VmHWM`). */
export const memoryMb = (pid: number, which: 'VmRSS' | 'VmHWM'): number => {
  const kb = new RegExp(`${which}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kb ?? Number.NaN) / 1024
}
