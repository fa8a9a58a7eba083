import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Command, CommanderError } from 'commander'
import { Hono } from 'hono'
import { addAlertingCommands } from '../../cli/alerting-program.ts'
import { keys, type OutboxRow } from '../../functions/contract.ts'
import type { Incident } from '../../functions/hub-state.ts'
import type { Store } from '../../stores/contract.ts'
import { memoryStore } from '../../stores/memory.ts'
import { sqliteStore } from '../../stores/sqlite.ts'
import { apiApp } from '../../web/api.ts'
import { putIncidents, sinceMs, storedIncident } from '../functions/stored-incidents.ts'

const nowMs = () => sinceMs + 300_000
const apiToken = 'correct-horse-battery-staple'
let folder = ''
let closing: (() => void)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whodunit-alerting-'))
  closing = [() => rmSync(folder, { recursive: true, force: true })]
})
afterEach(() => {
  for (const close of closing) close()
})

const run = async (...args: string[]) => {
  const said = { code: 0, out: '', err: '' }
  const print = (text: string) => {
    said.out += `${text}\n`
  }
  const printError = (text: string) => {
    said.err += `${text}\n`
  }
  const root = new Command('whodunit').exitOverride().configureOutput({ writeErr: printError, writeOut: print })
  addAlertingCommands(root, {
    nowMs,
    env: { TOKEN: apiToken, WRONG: 'wrong' },
    print,
    printError,
    webAddress: (text) => text,
    exit: (code) => {
      said.code = code
    },
  })
  await root.parseAsync(args, { from: 'user' }).catch((error: unknown) => {
    if (!(error instanceof CommanderError)) throw error
    said.code = 2
  })
  return said
}

const data = () => join(folder, 'state')
const inStore = async <T>(work: (store: Store) => Promise<T>): Promise<T> => {
  const store = sqliteStore({ path: join(data(), 'whodunit.sqlite'), nowMs })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
const rows = () => inStore(async (store) => (await store.due(sinceMs + 1e10, 10)).map(({ row }) => row))
const keep = (...incidents: Incident[]) => inStore((store) => putIncidents(store, incidents))
const add = (...more: string[]) =>
  run(
    'silence',
    'add',
    'service=shop',
    '--for',
    '2h',
    '--reason',
    'a new database',
    '--author',
    'kim',
    '-d',
    data(),
    ...more,
  )

test('a silence says until when it is and what it hides, and is a row for correlate', async () => {
  await keep(storedIncident('shop'), storedIncident('cart'))
  const { code, out } = await add()
  const [, id = ''] = /^silence (s-[a-z2-7]{6}): service=shop; kim: a new database$/m.exec(out) ?? []
  expect([code, id]).toEqual([0, expect.stringMatching(/^s-/)])
  expect(out).toContain('2026-11-23 08:05:00 UTC')
  expect(out).toContain(', 2 h long\n')
  expect(out).toContain('hides  shop-20261123-060000  page  open  shop fails from local')
  expect(out).not.toContain('cart')
  expect(await rows()).toMatchObject([
    { id: `silence:${id}`, to: 'correlate', body: { silence: { id, author: 'kim' } } },
  ])
})

test('asked twice it is one silence', async () => {
  expect(await add()).toEqual(await add())
  expect(await rows()).toHaveLength(1)
})

test('where nothing has run yet a silence is kept, listed and ended', async () => {
  const { out } = await add('--json')
  const { silence, hides } = JSON.parse(out)
  expect([silence.id, hides]).toEqual([expect.stringMatching(/^s-/), []])
  const listed = await run('silence', 'list', '-d', data())
  expect(listed.out).toContain(
    `${silence.id}  service=shop\n    kim: a new database\n    asked for, not applied yet, until`,
  )
  expect(await run('silence', 'end', silence.id, '--by', 'lee', '-d', data())).toMatchObject({
    code: 0,
    out: `silence ${silence.id} ends now: service=shop; kim: a new database\n`,
  })
  expect((await rows()).map(({ body }) => body)).toMatchObject([
    { kind: 'silence' },
    { kind: 'end-silence', by: 'lee' },
  ])
})

test('a silence may end with an incident, and begin later', async () => {
  await keep(storedIncident('shop'))
  const { code, out } = await add('--incident', 'shop-20261123-060000', '--from', '2026-11-24T22:00Z')
  expect(code).toBe(0)
  expect(out).toContain('2026-11-24 22:00:00 UTC')
  expect(out).toContain('2 h long, or when shop-20261123-060000 is over')
  expect(out).not.toContain('hides')
})

test.each([
  {
    given: 'a matcher that is none',
    args: ['silence', 'add', 'shop', '--for', '2h', '--reason', 'x'],
    says: 'not a usable matcher: shop',
  },
  {
    given: 'no reason',
    args: ['silence', 'add', 'service=shop', '--for', '2h'],
    says: "'--reason <text>' not specified",
  },
  {
    given: 'an empty reason',
    args: ['silence', 'add', 'service=shop', '--for', '2h', '--reason', ' '],
    says: '--reason',
  },
  { given: 'no time', args: ['silence', 'add', 'service=shop', '--reason', 'x'], says: "'--for <span>' not specified" },
  {
    given: 'a time that is none',
    args: ['silence', 'add', 'service=shop', '--for', '2', '--reason', 'x'],
    says: '30m, 2h',
  },
  {
    given: 'more than 31 days',
    args: ['silence', 'add', 'service=shop', '--for', '32d', '--reason', 'x'],
    says: '31 days',
  },
  {
    given: 'everything',
    args: ['silence', 'add', 'service=~".*"', '--for', '2h', '--reason', 'x'],
    says: 'everything',
  },
  {
    given: 'a begin that is none',
    args: ['silence', 'add', 'a=b', '--for', '2h', '--reason', 'x', '--from', 'noon'],
    says: '22:00',
  },
  {
    given: 'a begin on a day that is none',
    args: ['silence', 'add', 'a=b', '--for', '2h', '--reason', 'x', '--from', '2026-02-31T10:00'],
    says: 'a moment is like 2026-12-24T22:00',
  },
  {
    given: 'a begin on a day that is none, with its offset',
    args: ['silence', 'add', 'a=b', '--for', '2h', '--reason', 'x', '--from', '2026-02-31T10:00+01:00'],
    says: 'a moment is like 2026-12-24T22:00',
  },
  {
    given: 'a nameless taker',
    args: ['ack', 'shop-20261123-060000', '--by', ' '],
    says: 'a name has 1 to 100 characters',
  },
  {
    given: 'a taker with too long a name',
    args: ['ack', 'shop-20261123-060000', '--by', 'k'.repeat(101)],
    says: 'a name has 1 to 100 characters',
  },
  {
    given: 'an unknown incident',
    args: ['silence', 'add', 'service=shop', '--for', '2h', '--reason', 'x', '--incident', 'shop-20261123-060001'],
    says: 'did you mean shop-20261123-060000?',
  },
  { given: 'a silence that is not there', args: ['silence', 'end', 's-nobody'], says: 'there is no silence s-nobody' },
  {
    given: 'an incident that is not there',
    args: ['ack', 'shop-20261123-06000'],
    says: 'did you mean shop-20261123-060000?',
  },
  {
    given: 'a token that is not set',
    args: ['ack', 'x', '--url', 'http://127.0.0.1:9', '--token-env', 'NOPE'],
    says: 'NOPE',
  },
])('$given exits 2 with a sentence, and nothing is written', async ({ args, says }) => {
  await keep(storedIncident('shop'))
  const { code, err } = await run(...args, '-d', data())
  expect([code, err]).toEqual([2, expect.stringContaining(says)])
  expect(await rows()).toEqual([])
})

test('listing writes nothing, also while a newer version left rows that this one cannot read', async () => {
  const strange = { id: 'p', dueAtMs: 1, to: 'mars' } as unknown as OutboxRow
  await inStore((store) => store.commit([], [{ id: 'p', expect: 0, row: strange }]))
  const bytes = () => ['', '-wal'].map((end) => readFileSync(join(data(), `whodunit.sqlite${end}`)).toString('base64'))
  const holder = sqliteStore({ path: join(data(), 'whodunit.sqlite'), nowMs, exclusive: true })
  closing.unshift(() => holder.close())
  const before = bytes()
  expect(await run('silence', 'list', '-d', data())).toEqual({ code: 0, out: 'no silences\n', err: '' })
  expect(bytes()).toEqual(before)
})

test('looking makes no store', async () => {
  expect(await run('silence', 'list', '-d', data())).toEqual({ code: 0, out: 'no silences\n', err: '' })
  expect((await run('ack', 'shop-1', '-d', data())).code).toBe(2)
  expect(existsSync(data())).toBe(false)
})

test('an incident is taken on by name', async () => {
  await keep(storedIncident('shop'))
  const { code, out } = await run('ack', 'shop-20261123-060000', '--by', 'kim', '-d', data())
  expect([code, out]).toEqual([0, 'acknowledged as kim: shop-20261123-060000  page  open  shop fails from local\n'])
  expect(await rows()).toMatchObject([{ to: 'correlate', body: { kind: 'acknowledge', by: 'kim' } }])
})

test.each([
  {
    given: 'acknowledged already',
    at: { status: 'acknowledged' as const, acknowledged: { by: 'lee', atMs: sinceMs } },
    says: /is acknowledged already, by lee since .*2026-11-23 06:00:00 UTC.*\(5 min ago\)/,
  },
  { given: 'over', at: { status: 'resolved' as const, resolvedAtMs: sinceMs }, says: /is over already/ },
])('an incident that is $given exits 1 and says so', async ({ at, says }) => {
  await keep(storedIncident('shop', at))
  const { code, out } = await run('ack', 'shop-20261123-060000', '-d', data())
  expect([code, out]).toEqual([1, expect.stringMatching(says)])
  expect(await rows()).toEqual([])
})

const deployed = async () => {
  const store = memoryStore({ nowMs })
  await putIncidents(store, [storedIncident('shop')])
  const api = apiApp({
    store,
    nowMs,
    access: { token: async () => apiToken },
    nudge: async () => undefined,
    warn: () => undefined,
  })
  const server = serve({ fetch: new Hono().route('/api/v1', api).fetch, port: 0, hostname: '127.0.0.1' })
  if (!server.listening) await once(server, 'listening')
  closing.push(() => server.close())
  const { port } = server.address() as AddressInfo // a TCP server has one
  return { store, at: ['--url', `http://127.0.0.1:${port}/`, '--token-env', 'TOKEN'] }
}

test('a deployed hub is asked over HTTP with a token, and says the same', async () => {
  const { store, at } = await deployed()
  const added = await run('silence', 'add', 'service=shop', '--for', '1d12h', '--reason', 'x', '--author', 'kim', ...at)
  expect(added.code).toBe(0)
  expect(added.out).toContain('hides  shop-20261123-060000')
  const [, id = ''] = /^silence (s-\w+):/.exec(added.out) ?? []
  expect(await run('silence', 'list', '--json', ...at)).toMatchObject({ code: 0, out: '[]\n' })
  expect((await run('silence', 'end', id, ...at)).code).toBe(0)
  expect((await run('ack', 'shop-20261123-060000', '--by', 'kim', ...at)).code).toBe(0)
  expect((await store.due(sinceMs + 1e10, 10)).map(({ row }) => row.id)).toEqual([
    'ack:shop-20261123-060000:@',
    `silence:${id}`,
    `silence:${id}:end`,
  ])
  expect(await run('ack', 'shop-20261123-060001', ...at)).toMatchObject({
    code: 2,
    err: expect.stringContaining('did you mean shop-20261123-060000?'),
  })
})

test('a hub that refuses, is away or is none is told so, and no token is shown', async () => {
  const { at } = await deployed()
  const wrong = await run('silence', 'list', ...at.slice(0, 2), '--token-env', 'WRONG')
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('this needs the API token')])
  const away = await run('silence', 'list', '--url', 'http://127.0.0.1:9', '--token-env', 'TOKEN')
  expect([away.code, away.err]).toEqual([1, expect.stringContaining('cannot be asked')])
  expect(wrong.err + away.err).not.toContain(apiToken)
})

test('what a hub keeps is shown with what it hid', async () => {
  const { store, at } = await deployed()
  const silence = {
    id: 's-abcdef',
    matchers: ['service=shop'],
    author: 'kim',
    reason: 'x\u001b[31m',
    startsAtMs: sinceMs,
    endsAtMs: sinceMs + 7_200_000,
    hid: [],
    hidCount: 3,
  }
  await store.commit([{ key: keys.silences, expect: 0, value: { silences: [silence] } }])
  const { out } = await run('silence', 'list', ...at)
  expect(out).toContain('since 5 min, until')
  expect(out).toContain('hid 3 incidents so far')
  expect(out).not.toContain('\u001b')
})
