import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { get } from './reading.ts'

const script = fileURLToPath(new URL('../../../examples/emojivoto/run-town.ts', import.meta.url))
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'town-'))
})
afterAll(() => rm(folder, { recursive: true }))

const run = (...args: string[]) => {
  const child = spawn(process.execPath, [script, ...args], { cwd: folder })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => {
      printed += part.toString()
    })
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const until = async (text: string): Promise<void> => {
    while (!printed.includes(text) && child.exitCode === null) {
      await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), ended])
    }
  }
  return { child, ended, until, printed: () => printed }
}

test('runs a town for others, writes its authority and its token, and goes on Ctrl-C', async () => {
  const town = run('--scene', 'emoji-oom', '--free-ports', '--hang', 'loki', '--unavailable', 'linkerd', '--logs')
  try {
    await town.until('Ctrl-C')
    const address = (name: string): string => new RegExp(`^${name} +(\\S+)$`, 'm').exec(town.printed())?.[1] ?? ''
    const headers = { 'content-type': 'application/json' }
    const fault = { method: 'POST', headers, body: '{"on":true}' }
    expect((await get(`${address('control')}/fault`, fault)).status).toBe(200)
    expect((await get(`${address('web')}/api/list`)).status).toBe(500)
    const state: unknown = JSON.parse((await get(`${address('control')}/state`)).body)
    expect(state).toMatchObject({
      scene: 'emoji-oom',
      faultOn: true,
      sources: { loki: 'hang', linkerd: 'unavailable' },
    })
    expect(await readFile(join(folder, '.whodunit/town-ca.pem'), 'utf8')).toContain('BEGIN CERTIFICATE')
    expect(await readFile(join(folder, '.whodunit/town-token'), 'utf8')).toMatch(/^[\w-]{32}$/)
    expect(town.printed()).toContain('web      2')
  } finally {
    town.child.kill('SIGINT')
  }
  expect(await town.ended).toBe(0)
})

test.each([
  { args: ['--scene', 'murder'], says: '--scene knows healthy, doughnut, emoji-oom' },
  {
    args: ['--hang', 'loky'],
    says: '--hang knows kube-state-metrics, linkerd, loki, kubernetes, kubelet, node, app, not "loky"',
  },
  { args: ['--fault-after', 'soon'], says: '--fault-after wants seconds, not "soon"' },
  { args: ['--fault-for', '-1'], says: "'--fault-for" },
  { args: ['--colour'], says: "Unknown option '--colour'" },
])('$args is refused with the usage', async ({ args, says }) => {
  const town = run(...args)
  expect(await town.ended).toBe(2)
  expect(town.printed()).toContain(says)
  expect(town.printed()).toContain('Usage: node examples/emojivoto/run-town.ts')
})

test('--help prints the usage and opens nothing', async () => {
  const town = run('--help')
  expect(await town.ended).toBe(0)
  expect(town.printed()).toMatch(/^Usage: /)
  expect(existsSync(join(folder, 'town-ca.pem'))).toBe(false)
})
