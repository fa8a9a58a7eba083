import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { waitFor } from '../scenes/receivers.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** A monitor that passes: it looks at the pages of this `serve` itself. */
const folderWatching = (port: number) => {
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-unread-'))
  closing.push(() => rmSync(folder, { recursive: true, force: true }))
  const url = `http://127.0.0.1:${port}/incidents`
  const config = {
    services: { shop: {} },
    monitors: { front: { kind: 'http', service: 'shop', url, periodSeconds: 5, timeoutSeconds: 2 } },
    channels: { terminal: { kind: 'console' } },
    routes: [{ channels: ['terminal'] }],
    allowTargets: ['loopback'],
  }
  writeFileSync(join(folder, 'whodunit.yaml'), JSON.stringify(config))
  return folder
}

const looked = async (port: number): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(3000) })
  const text = await response.text()
  return /probe_success\{.*\} 1/.exec(text)?.[0] ?? `no look in ${text}`
}

const eventually = async (port: number): Promise<string> => {
  let seen = 'nothing'
  for (const untilMs = Date.now() + 15_000; Date.now() < untilMs && !seen.startsWith('probe'); ) {
    seen = await looked(port).catch((error: Error) => error.message)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return seen
}

const hasTerminals = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0
const onTerminal = hasTerminals ? test : test.skip
const launcher = join(process.cwd(), 'cli', 'launch.mjs')
const env = { ...process.env, NODE_OPTIONS: '' }

onTerminal('a terminal that is stopped with Ctrl-S stops nothing, and serve ends when it is told to', async () => {
  const port = await freePort()
  const cwd = folderWatching(port)
  const command = `echo $$ > pid; exec ${process.execPath} ${launcher} serve --port ${port}`
  const terminal = spawn('script', ['-qec', command, '/dev/null'], { cwd, env, stdio: ['pipe', 'pipe', 'ignore'] })
  closing.push(() => terminal.kill('SIGKILL'))
  let text = ''
  terminal.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const ended = new Promise<number | null>((resolve) => terminal.once('exit', resolve))
  await waitFor('serve to listen', () => (text.includes('stop with Ctrl-C') ? true : undefined))
  terminal.stdin.write('\u0013')
  // Frames come every second: by then one that is written waits for the terminal.
  await new Promise((resolve) => setTimeout(resolve, 2500))
  expect(await looked(port)).toMatch(/^probe_success/)
  process.kill(Number(readFileSync(join(cwd, 'pid'), 'utf8')), 'SIGTERM')
  expect(await ended).toBe(0)
})

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('an output that takes nothing from the start is told, and everything else goes on', async () => {
  const port = await freePort()
  const cwd = folderWatching(port)
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [launcher, 'serve', '--port', String(port)], {
    cwd,
    env,
    stdio: ['ignore', full, 'pipe'],
  })
  closing.push(() => child.kill('SIGKILL'))
  let told = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    told += chunk.toString()
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  expect(await eventually(port)).toMatch(/^probe_success/)
  expect(told).toContain('nothing can be printed: ENOSPC')
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
})
