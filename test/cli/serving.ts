import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { waitFor } from '../scenes/receivers.ts'

export type Running = {
  process: ChildProcess
  stdout: () => string
  stderr: () => string
  /** Resolves with the exit code, or the signal's name. */
  exited: Promise<number | string>
}

/** The command line as a person starts it, in a process of its own. */
export const whodunit = (args: readonly string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}): Running => {
  const child = spawn(process.execPath, [`${process.cwd()}/cli/launch.mjs`, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  const texts = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    texts.stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    texts.stderr += chunk.toString()
  })
  const exited = once(child, 'close').then(([code, signal]) => (code === null ? String(signal) : Number(code)))
  return { process: child, stdout: () => texts.stdout, stderr: () => texts.stderr, exited }
}

/** Waits until a server says where it listens. */
export const listening = (running: Running): Promise<string> =>
  waitFor(`serve to listen (${running.stderr()})`, () => /status page {2}(\S+)\//.exec(running.stdout())?.[1])
