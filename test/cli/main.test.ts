import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { waitFor } from '../scenes/receivers.ts'
import { listening, whodunit } from './serving.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** Ends with its test, however that ends. */
const started = (args: readonly string[], options: Parameters<typeof whodunit>[1]) => {
  const running = whodunit(args, options)
  closing.push(() => running.process.kill('SIGKILL'))
  return running
}

const target = async (statusCode: number) => {
  const server = createServer((_, response) => {
    response.statusCode = statusCode
    response.end('what came back')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close())
  const { port } = server.address() as AddressInfo // a TCP server has one
  return { url: `http://127.0.0.1:${port}/`, port }
}

const folderWith = (config: object) => {
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-cli-'))
  closing.push(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'whodunit.yaml'), JSON.stringify(config))
  return folder
}

const watching = (url: string) => ({
  services: { shop: {} },
  monitors: { front: { kind: 'http', service: 'shop', url, periodSeconds: 5, timeoutSeconds: 2 } },
  channels: { terminal: { kind: 'console' } },
  routes: [{ channels: ['terminal'] }],
  allowTargets: ['loopback'],
})

const run = async (args: readonly string[], cwd: string) => {
  const running = started(args, { cwd })
  const code = await running.exited
  return { code, stdout: running.stdout(), stderr: running.stderr() }
}

test('check exits 0 when everything passes', async () => {
  const { url } = await target(200)
  const { code, stdout } = await run(['check'], folderWith(watching(url)))
  expect([code, stdout]).toEqual([0, expect.stringContaining('the monitor passes')])
})

test('check exits 1 and says which monitor fails, in which phase, and why', async () => {
  const { url } = await target(503)
  const { code, stdout } = await run(['check'], folderWith(watching(url)))
  expect(code).toBe(1)
  expect(stdout).toContain('front (service shop) fail: assert: expected status 2xx, saw 503 (assert-status)')
  expect(stdout).toContain('what came back')
})

test('check prints its outcomes as JSON', async () => {
  const { url } = await target(200)
  const { code, stdout } = await run(['check', '--json'], folderWith(watching(url)))
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject([{ monitorId: 'front', verdict: 'pass', attempt: { statusCode: 200 } }])
})

test('what could not be looked at is not green: exit 1', async () => {
  const { url } = await target(200)
  const { code, stdout } = await run(['check'], folderWith({ ...watching(url), allowTargets: [] }))
  expect([code, stdout]).toEqual([1, expect.stringContaining('target-refused')])
})

test.each([
  { given: 'a config mistake', args: ['check'], config: { services: {} }, says: 'whodunit.yaml' },
  { given: 'no config', args: ['check', '--config', 'nowhere.yaml'], config: {}, says: 'nowhere.yaml' },
  { given: 'an unknown command', args: ['chekc'], config: {}, says: 'Did you mean check?)\n  hint: `whodunit --help`' },
  {
    given: 'objectives of which nothing is kept',
    args: ['slo', 'report'],
    config: watching('http://127.0.0.1:9/'),
    says: 'holds no events of objectives',
  },
  {
    given: 'a folder that cannot be made',
    args: ['serve', '--port', '0', '--data', '/proc/x'],
    config: watching('http://127.0.0.1:9/'),
    says: '/proc/x cannot be made',
  },
  { given: 'an acknowledgement where nothing ran', args: ['ack', 'foo'], config: {}, says: '--data' },
  { given: 'the end of a silence where nothing ran', args: ['silence', 'end', 'foo'], config: {}, says: '--data' },
  { given: 'a folder without incidents', args: ['incidents'], config: {}, says: 'nothing has run there' },
  {
    given: 'an unknown monitor',
    args: ['check', 'fornt'],
    config: watching('http://127.0.0.1:9/'),
    says: 'there is no monitor fornt',
  },
  {
    given: 'a port that is none',
    args: ['serve', '--port', '70000'],
    config: watching('http://127.0.0.1:9/'),
    says: 'a port is 0 to 65535',
  },
  {
    given: 'a public address that is none',
    args: ['serve', '--public-url', 'foo'],
    config: watching('http://127.0.0.1:9/'),
    says: 'an http or https address',
  },
])('$given exits 2 with a sentence', async ({ args, config, says }) => {
  const { code, stderr } = await run(args, folderWith(config))
  expect([code, stderr]).toEqual([2, expect.stringContaining(says)])
  expect(stderr).not.toMatch(/^\s+at /m)
})

test('serve in a pipe says where it is, stays quiet, shows its pages, and Ctrl-C ends it with 0', async () => {
  const { url } = await target(200)
  const running = started(['serve', '--port', '0'], { cwd: folderWith(watching(url)) })
  const base = await listening(running)
  const text = async (path: string) => (await fetch(`${base}${path}`)).text()
  expect(await text('/incidents')).toContain('None so far')
  expect((await fetch(`${base}/incidents/nothing`)).status).toBe(404)
  const until = async (path: string, wanted: string) => {
    for (let index = 0; index < 200; index++) {
      const seen = await text(path)
      if (seen.includes(wanted)) return seen
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return `never ${wanted}`
  }
  expect(await until('/metrics', 'probe_success')).toMatch(
    /probe_success\{monitor="front",service="shop",location="local",[^}]*\} 1/,
  )
  expect(await text('/metrics')).toMatch(/whodunit_schedule_lag_seconds_bucket\{le="5"\} \d+\n/)
  expect(await until('/', 'operational')).toContain('All services are operational')
  running.process.kill('SIGINT')
  expect(await running.exited).toBe(0)
  expect(running.stdout().split('\n').filter(Boolean)).toHaveLength(6)
  expect(running.stdout()).not.toContain('\u001b')
})

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('serve has threads to look up more than two names at a time', async () => {
  const { url } = await target(200)
  const env = { UV_THREADPOOL_SIZE: '' }
  const running = started(['serve', '--port', '0'], { cwd: folderWith(watching(url)), env })
  await listening(running)
  const threads = () => readdirSync(`/proc/${running.process.pid}/task`).length
  await waitFor('its threads', () => (threads() >= 64 ? true : undefined))
  running.process.kill('SIGINT')
  expect(await running.exited).toBe(0)
})

test('a mistake is shown where it stands, and warnings take one line', async () => {
  const bad = await run(['check'], folderWith({ ...watching('http://127.0.0.1:9/'), alowTargets: [] }))
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringMatching(/\n +1 \| .*\n.*\^/)])
  const { url } = await target(200)
  const warned = await run(['check'], folderWith(watching(url)))
  expect(warned.stderr).toMatch(/^\d warnings?: `whodunit validate` shows more\n$/)
})

test('serve whose reader has gone stops with a sentence, not a stack', async () => {
  const { url } = await target(503)
  const running = started(['serve', '--port', '0'], { cwd: folderWith(watching(url)) })
  await listening(running)
  running.process.stdout?.destroy()
  expect(await running.exited).toBe(1)
  expect(running.stderr()).toContain('nobody reads the output any more')
  expect(running.stderr()).not.toMatch(/^\s+at /m)
})

test('serve says at its start which secret is missing, before somebody is to be told with it', async () => {
  const { url } = await target(200)
  const chat = { kind: 'webhook', url, secret: 'secret:NO_SUCH_KEY' }
  const config = { ...watching(url), channels: { chat, terminal: { kind: 'console' } } }
  const running = whodunit(['serve', '--port', '0'], { cwd: folderWith(config) })
  await listening(running)
  await waitFor('the word of it', () => (running.stderr().includes('secret:NO_SUCH_KEY is not set') ? true : undefined))
  running.process.kill('SIGINT')
  expect(await running.exited).toBe(0)
})

test('serve that the network can reach without a token says what that means, may be read, and is not changed', async () => {
  const { url } = await target(200)
  const running = started(['serve', '--port', '0', '--host', '0.0.0.0'], { cwd: folderWith(watching(url)) })
  const base = (await listening(running)).replace('0.0.0.0', '127.0.0.1')
  await waitFor('both warnings', () => (/api\.token[\s\S]*--public-url/.test(running.stderr()) ? true : undefined))
  const body = JSON.stringify({ matchers: ['service=shop'], author: 'x', reason: 'x', forSeconds: 60 })
  const headers = { 'content-type': 'application/json' }
  expect((await fetch(`${base}/api/v1/silences`, { method: 'POST', body, headers })).status).toBe(403)
  expect((await fetch(`${base}/api/v1/silences`)).status).toBe(200)
  running.process.kill('SIGTERM')
  expect(await running.exited).toBe(0)
})

test('a port that is taken is a sentence, not a stack', async () => {
  const { url, port } = await target(200)
  const { code, stderr } = await run(['serve', '--port', String(port)], folderWith(watching(url)))
  expect([code, stderr]).toEqual([2, expect.stringContaining(`port ${port} on 127.0.0.1 is taken`)])
  expect(stderr).not.toMatch(/^\s+at /m)
})

test('a second serve on the same data is refused with a sentence, and the incidents can be listed meanwhile', async () => {
  const { url } = await target(200)
  const folder = folderWith(watching(url))
  const first = started(['serve', '--port', '0'], { cwd: folder })
  await listening(first)
  const second = await run(['serve', '--port', '0'], folder)
  expect(second.code).toBe(2)
  expect(second.stderr).toMatch(/hint: /)
  expect(second.stderr).not.toMatch(/^\s+at /m)
  expect(await run(['incidents'], folder)).toEqual({ code: 0, stdout: 'no incidents\n', stderr: '' })
  first.process.kill('SIGTERM')
  expect(await first.exited).toBe(0)
})

test('while serve runs, explain says why nothing happened and what did, and what it does not know by the nearest name', async () => {
  const { url } = await target(503)
  const folder = folderWith(watching(url))
  const running = started(['serve', '--port', '0'], { cwd: folder })
  const base = await listening(running)
  const metrics = async () => (await fetch(`${base}/metrics`)).text()
  for (let index = 0; index < 200 && !(await metrics()).includes('alertstate="firing"'); index++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  let monitor = await run(['explain', 'front'], folder)
  // A minute that has just begun has seen the tick and not all of its re-checks yet.
  for (let index = 0; index < 10 && !monitor.stdout.includes('2nd re-check'); index++) {
    monitor = await run(['explain', 'front'], folder)
  }
  expect([monitor.code, monitor.stdout]).toEqual([0, expect.stringContaining('local 2nd re-check: fail after')])
  expect(monitor.stdout).toMatch(/front-availability (fired|fires already)/)
  const alert = await run(['explain', 'front-availability', '--at', '-0s', '--json'], folder)
  expect(JSON.parse(alert.stdout)).toMatchObject({
    now: { standing: 'firing' },
    transitions: [{ to: 'pending' }, { to: 'firing' }],
  })
  const unknown = await run(['explain', 'frint'], folder)
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('did you mean front?')])
  const never = await run(['explain', 'front', '--at', 'soon'], folder)
  expect([never.code, never.stderr]).toEqual([2, expect.stringContaining('a time is 2026-11-23T06:30Z')])
  running.process.kill('SIGTERM')
  expect(await running.exited).toBe(0)
})

test('data that is not a store is a sentence', async () => {
  const folder = folderWith(watching('http://127.0.0.1:9/'))
  writeFileSync(join(folder, 'data'), 'a file where the folder should be')
  const { code, stderr } = await run(['serve', '--port', '0', '--data', 'data'], folder)
  expect([code, stderr]).toEqual([2, expect.stringContaining('hint: ')])
  expect(stderr).not.toMatch(/^\s+at /m)
})
