import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { OutboxRow } from '../../functions/contract.ts'
import { type Change, quarantineKey, type Store, StoreError } from '../../stores/contract.ts'
import { type SqliteOptions, sqliteStore } from '../../stores/sqlite.ts'

const startMs = Date.UTC(2026, 0, 1)
const child = join(import.meta.dirname, 'child.ts')
const pinned = join(import.meta.dirname, '../../node_modules/.bin/node')
const node = existsSync(pinned) ? pinned : process.execPath

let folder = ''
let path = ''
let clockMs = startMs
let ends: (() => Promise<unknown>)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whodunit-sqlite-'))
  path = join(folder, 'a.sqlite')
  clockMs = startMs
})
afterEach(async () => {
  for (const end of ends) await end()
  ends = []
  chmodSync(folder, 0o700)
  rmSync(folder, { recursive: true })
})

const open = (options: Partial<SqliteOptions> = {}): Store => {
  const store = sqliteStore({ path, nowMs: () => clockMs, busyTimeoutMs: 50, ...options })
  ends.push(() => store.close())
  return store
}

const failureOf = (work: () => unknown): { code: string; message: string; hint: string } => {
  try {
    work()
  } catch (error) {
    if (error instanceof StoreError) return error
    throw error
  }
  throw new Error('it did not fail')
}

const start = (work: string) => {
  const running = spawn(node, ['--disable-warning=ExperimentalWarning', child, work, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(running, 'exit')
  const kill = () => {
    running.kill('SIGKILL')
    return gone
  }
  ends.push(kill)
  return { lines: createInterface({ input: running.stdout })[Symbol.asyncIterator](), kill, gone }
}

const put = (key: string, value: unknown, expect = 0): Change => ({ key, expect, value })
const row = (id: string, dueAtMs: number): OutboxRow => ({ id, dueAtMs, nudges: 0, to: 'publish', body: {} })
const valueAt = async (store: Store, key: string): Promise<unknown> => (await store.read([key])).get(key)?.value

describe('what is on the disk', () => {
  test('a missing folder is created', async () => {
    path = join(folder, 'not/there/yet/a.sqlite')
    await open().commit([put('shard/a', 1)])
    expect(existsSync(path)).toBe(true)
  })

  test('after closing, the one file holds everything', async () => {
    const store = open()
    await store.commit([put('shard/a', 'kept')], [{ id: 'r', expect: 0, row: row('r', 5) }])
    await store.close()
    expect(readdirSync(folder)).toEqual(['a.sqlite'])
    copyFileSync(path, join(folder, 'copy.sqlite'))
    const copy = open({ path: join(folder, 'copy.sqlite') })
    expect(await valueAt(copy, 'shard/a')).toBe('kept')
    expect(await copy.due(5, 9)).toEqual([{ row: row('r', 5), version: 1 }])
  })

  test('closing brings the log into the file even while somebody reads', async () => {
    const store = open()
    const reader = open({ readOnly: true })
    await store.commit([put('shard/a', 'kept')])
    expect(await valueAt(reader, 'shard/a')).toBe('kept')
    await store.close()
    copyFileSync(path, join(folder, 'copy.sqlite'))
    expect(await valueAt(open({ path: join(folder, 'copy.sqlite') }), 'shard/a')).toBe('kept')
  })

  test('it is a write-ahead log, and marked as ours', async () => {
    await open().commit([put('shard/a', 1)])
    const raw = new DatabaseSync(path)
    expect({ ...raw.prepare('PRAGMA journal_mode').get() }).toEqual({ journal_mode: 'wal' })
    expect({ ...raw.prepare('PRAGMA application_id').get() }).toEqual({ application_id: 0x77686f64 })
    expect({ ...raw.prepare('PRAGMA user_version').get() }).toEqual({ user_version: 1 })
    raw.close()
  })

  test('expired items are deleted by later commits, a batch at a time', async () => {
    const store = open()
    const items = Array.from({ length: 50 }, (_, n) => ({ ...put(`shard/${n}`, n), expiresAtMs: startMs + 1 + n }))
    await store.commit(items)
    clockMs = startMs + 44
    const raw = new DatabaseSync(path)
    const left = () => Number(raw.prepare("SELECT count(*) AS n FROM items WHERE key LIKE 'shard/%'").get()?.['n'])
    const counts: number[] = []
    for (let n = 0; n < 4; n++) {
      await store.commit([put(`hub/${n}`, n)])
      counts.push(left())
    }
    raw.close()
    expect(counts).toEqual([30, 10, 6, 6])
  })

  test.each([':memory:', 'file:a.sqlite?mode=memory', 'a b?#%20é.sqlite'])('%j is the name of a file', async (name) => {
    const named = `${folder}/${name}`
    await open({ path: named }).commit([put('shard/a', 1)])
    expect(existsSync(named)).toBe(true)
  })
})

describe('what is not ours is refused and left as it was', () => {
  const foreign = (sql: string) => () => {
    const raw = new DatabaseSync(path)
    raw.exec(sql)
    raw.close()
  }
  test.each([
    { given: 'a text', make: () => writeFileSync(path, 'hello'), says: 'not a SQLite file' },
    { given: 'noise', make: () => writeFileSync(path, Buffer.alloc(20_000, 0xa5)), says: 'not a SQLite file' },
    { given: 'a folder', make: () => mkdirSync(path), says: 'it is a folder' },
    { given: "another program's database", make: foreign('CREATE TABLE t (a)'), says: 'something else' },
    { given: 'an empty one, but marked', make: foreign('PRAGMA application_id = 7'), says: 'something else' },
    { given: 'an empty one with a schema version', make: foreign('PRAGMA user_version = 3'), says: 'something else' },
    {
      given: "a newer whodunit's",
      make: foreign(`CREATE TABLE t (a); PRAGMA application_id = ${0x77686f64}; PRAGMA user_version = 99`),
      says: 'a newer one wrote it',
    },
  ])('$given', ({ make, says }) => {
    make()
    const before = existsSync(path) && !says.includes('folder') ? readFileSync(path) : undefined
    for (const readOnly of [false, true]) {
      const failure = failureOf(() => open({ readOnly }))
      expect(failure).toMatchObject({ name: 'StoreError', code: 'not-a-store' })
      expect(failure.message).toContain(`${path} is not a whodunit store`)
      expect(failure.message).toContain(says)
      expect(failure.hint).not.toBe('')
    }
    if (before) expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(folder)).toEqual(['a.sqlite'])
  })

  test('an empty file becomes a store', async () => {
    writeFileSync(path, '')
    expect(await open().commit([put('shard/a', 1)])).toBe('committed')
  })

  test('a damaged store says so and how to go on', async () => {
    const store = open()
    for (let n = 0; n < 20; n++) await store.commit([put(`shard/${n}`, 'x'.repeat(5000))])
    await store.close()
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0xa5, 4096))
    const damaged = { name: 'StoreError', code: 'store-failed', message: `${path} is damaged` }
    await expect((async () => open().read(['shard/1']))()).rejects.toMatchObject(damaged)
    truncateSync(path, 4096)
    await expect((async () => open().list('shard/', { limit: 99 }))()).rejects.toMatchObject(damaged)
  })
})

test('a writer that has nobody to tell of an unreadable row skips it and leaves it to whoever can read it', async () => {
  const strange = { id: 'p', dueAtMs: 1, to: 'mars' } as unknown as OutboxRow // written by a newer version
  const store = open()
  await store.commit([], [{ id: 'p', expect: 0, row: strange }])
  await store.commit([], [{ id: 'r', expect: 0, row: row('r', 2) }])
  expect((await store.due(9, 9)).map((due) => due.row.id)).toEqual(['r'])
  expect(await store.row('p')).toBeUndefined()
  expect(await valueAt(store, quarantineKey('p'))).toBeUndefined()
  const newer = open({ deadLetters: () => [] })
  await newer.due(9, 9)
  expect(await valueAt(newer, quarantineKey('p'))).toMatchObject({ rowId: 'p' })
})

describe('reading only', () => {
  test('a reader sees commits of the process that serves, and changes nothing', async () => {
    const store = open({ exclusive: true })
    // Written by a newer version; no type of ours describes it.
    const strange = { id: 'p', dueAtMs: 1, to: 'mars' } as unknown as OutboxRow
    await store.commit([put('shard/a', 1)], [{ id: 'p', expect: 0, row: strange }])
    const reader = open({ readOnly: true })
    expect(await valueAt(reader, 'shard/a')).toBe(1)
    await store.commit([put('shard/a', 2, 1)], [{ id: 'r', expect: 0, row: row('r', 2) }])
    expect(await valueAt(reader, 'shard/a')).toBe(2)
    expect((await reader.due(9, 9)).map((due) => due.row.id)).toEqual(['r'])
    expect(await reader.row('p')).toBeUndefined()
    expect(await valueAt(store, quarantineKey('p'))).toBeUndefined()
    await expect(reader.commit([put('shard/b', 1)])).rejects.toMatchObject({ code: 'unwritable' })
  })

  test('a file that is not there is not made', () => {
    expect(failureOf(() => open({ readOnly: true })).message).toContain('no such file')
    expect(readdirSync(folder)).toEqual([])
  })

  test('a reader cannot be the one that serves', () => {
    expect(failureOf(() => open({ readOnly: true, exclusive: true })).code).toBe('misuse')
  })
})

/** Root may write anywhere, so it steps down for the length of one call; synchronous, so nothing else runs as nobody. */
const asNobody = <T>(work: () => T): T => {
  if (process.getuid?.() !== 0 || !process.seteuid) return work()
  process.seteuid(65534)
  try {
    return work()
  } finally {
    process.seteuid(0)
  }
}

describe('a place that cannot be written', () => {
  test.each([
    { given: 'a folder without write permission', make: () => chmodSync(folder, 0o555) },
    { given: 'a folder that would have to be made in one', make: () => chmodSync(folder, 0o555), name: 'new/a.sqlite' },
    {
      given: 'a file where the folder should be',
      make: () => writeFileSync(join(folder, 'f'), ''),
      name: 'f/a.sqlite',
    },
  ])('$given', ({ make, name = 'a.sqlite' }) => {
    make()
    const failure = failureOf(() => asNobody(() => open({ path: join(folder, name) })))
    expect(failure).toMatchObject({ name: 'StoreError', code: 'unwritable' })
    expect(failure.message).toContain(folder)
  })

  test('a store whose file may only be read', async () => {
    await open().close()
    chmodSync(folder, 0o777)
    chmodSync(path, 0o444)
    expect(failureOf(() => asNobody(() => open()))).toMatchObject({ code: 'unwritable' })
  })
})

describe('a full disk', () => {
  test('at its limit it answers disk-full, keeps what it had, and goes on once there is room', async () => {
    const store = open({ maxBytes: 256 * 1024 })
    let kept = 0
    const fill = async () => {
      for (; kept < 100; kept++) await store.commit([put(`shard/${kept}`, 'x'.repeat(30_000))], [])
    }
    await expect(fill()).rejects.toMatchObject({ name: 'StoreError', code: 'disk-full' })
    expect(kept).toBeGreaterThan(3)
    expect((await store.list('shard/', { limit: 999 })).size).toBe(kept)
    expect(await store.commit([{ key: 'shard/0', expect: 1 }])).toBe('committed')
    expect(await store.commit([put('shard/again', 'x'.repeat(20_000))])).toBe('committed')
  })

  // A mount of its own needs root and goes with the process; elsewhere the limit above stands for it.
  const ownMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0
  const mountTest = ownMount ? test : test.skip
  mountTest('a disk that is really full is disk-full too', () => {
    const script = `mount -t tmpfs -o size=600k tmpfs "$0" && "$1" --disable-warning=ExperimentalWarning "$2" fill "$3"`
    const { stdout } = spawnSync('unshare', ['-m', 'sh', '-c', script, folder, node, child, path], { encoding: 'utf8' })
    const lines = stdout.trim().split('\n')
    expect(lines.at(-1)).toBe(`disk-full: no room left to write ${path}`)
    expect(lines.length).toBeGreaterThan(2)
  })
})

describe('other processes', () => {
  test('one that holds the file makes a write fail as locked; reads go on, and so does all once it is gone', async () => {
    const store = open()
    await store.commit([put('shard/a', 1)])
    const holder = start('hold-lock')
    expect((await holder.lines.next()).value).toBe('holding')
    await expect(store.commit([put('shard/a', 2, 1)])).rejects.toMatchObject({ name: 'StoreError', code: 'locked' })
    expect(await valueAt(store, 'shard/a')).toBe(1)
    await holder.kill()
    expect(await store.commit([put('shard/a', 2, 1)])).toBe('committed')
  })

  test('one file is served once: by another handle, through a link, or by another process', async () => {
    const serving = open({ exclusive: true })
    const link = join(folder, 'link.sqlite')
    symlinkSync(path, link)
    for (const name of [path, link])
      expect(failureOf(() => open({ path: name, exclusive: true }))).toMatchObject({
        code: 'locked',
        message: `another whodunit serves from ${path}`,
      })
    expect((await start('serve').lines.next()).value).toBe(`locked: another whodunit serves from ${path}`)
    await serving.close()
    open({ exclusive: true })
  })

  test('a served file whose process was killed can be served at once', async () => {
    const serving = start('serve')
    expect((await serving.lines.next()).value).toBe('serving')
    expect(failureOf(() => open({ exclusive: true })).code).toBe('locked')
    await serving.kill()
    expect(await open({ exclusive: true }).commit([put('shard/a', 1)])).toBe('committed')
  })

  test('two that create and count at the same time lose nothing', async () => {
    const counters = [start('count-100'), start('count-100')]
    for (const { gone } of counters) expect(await gone).toEqual([0, null])
    expect(await valueAt(open(), 'shard/n')).toBe(200)
  })

  test.each([1, 7, 60])('killed after commit %d, it kept every promise and no half commit', async (after) => {
    const writer = start('commit-forever')
    let promised = 0
    while (promised < after) promised = Number((await writer.lines.next()).value)
    await writer.kill()
    for (let line = await writer.lines.next(); !line.done; line = await writer.lines.next())
      promised = Number(line.value)
    const store = open()
    const { version = 0, value: left } = (await store.read(['shard/left'])).get('shard/left') ?? {}
    expect(version).toBeGreaterThanOrEqual(promised)
    // At most the one commit that was made and not yet told of.
    expect(version).toBeLessThanOrEqual(promised + 1)
    expect(left).toMatchObject({ n: version })
    expect((await store.read(['shard/right'])).get('shard/right')).toEqual({ value: left, version })
    expect(await store.due(Number.MAX_SAFE_INTEGER, 9)).toEqual([{ row: row(`r${version}`, version), version: 1 }])
  })
})
