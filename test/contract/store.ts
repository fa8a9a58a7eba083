import { describe, expect, test } from '@jest/globals'
import type { OutboxRow } from '../../functions/contract.ts'
import {
  type Change,
  commitLimit,
  commitLimitBytes,
  type DeadLetters,
  itemLimitBytes,
  keyLimitBytes,
  quarantined,
  quarantineKey,
  type RowChange,
  type Store,
  StoreError,
} from '../../stores/contract.ts'

/** A fresh, empty store, and further handles on the same state. `close` closes them all and takes the state away. */
export type StoreUnderTest = { store: Store; another: () => Promise<Store>; close: () => Promise<void> }
export type OpenStore = (nowMs: () => number, deadLetters: DeadLetters) => Promise<StoreUnderTest>

type Clock = { nowMs: number }
type Play = (under: StoreUnderTest & { clock: Clock }) => Promise<void>
type Given = (name: string, play: Play) => void

const startMs = Date.UTC(2026, 0, 1)

const row = (id: string, dueAtMs: number, shard = 's0'): OutboxRow => ({
  id,
  dueAtMs,
  nudges: 0,
  to: 'evaluate',
  body: { shard },
})

const put = (key: string, value: unknown, expect = 0): Change => ({ key, expect, value })
/** Rows called so are told of when they are set aside. */
const tell: DeadLetters = ({ rowId, quarantinedAtMs }) =>
  rowId.startsWith('told') ? [row(`about:${rowId}`, quarantinedAtMs)] : []
const putRow = (id: string, dueAtMs: number, expect = 0): RowChange => ({ id, expect, row: row(id, dueAtMs) })

const valueAt = async (store: Store, key: string): Promise<unknown> => (await store.read([key])).get(key)?.value

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof StoreError)) return error === undefined ? 'no error' : `not a StoreError: ${String(error)}`
  return error.message && error.hint ? error.code : 'a StoreError that says nothing'
}

/** A text whose JSON, quotes included, has exactly this many bytes. */
const textOf = (bytes: number, letter = 'x'): string => letter.repeat((bytes - 2) / Buffer.byteLength(letter))

const readingAndWriting = (given: Given): void => {
  given('what is not there is not in the answer', async ({ store }) => {
    expect(await store.read(['shard/none'])).toEqual(new Map())
    expect(await store.row('none')).toBeUndefined()
  })
  given('a written item is read back one version higher, by every handle', async ({ store, another }) => {
    expect(await store.commit([put('shard/a', { n: 1 })])).toBe('committed')
    expect(await store.commit([put('shard/a', { n: 2 }, 1)])).toBe('committed')
    const other = await another()
    expect(await other.read(['shard/a', 'shard/b', 'shard/a'])).toEqual(
      new Map([['shard/a', { value: { n: 2 }, version: 2 }]]),
    )
  })
  given('every kind of JSON comes back as it was', async ({ store }) => {
    const value = { text: 'Zoë 🚨 "\\\u2028\ud800', none: null, yes: true, n: -1.5e-7, list: [[], {}, [0]], '': 1 }
    await store.commit([put('shard/a', value), put('shard/null', null), put('shard/zero', 0)])
    expect(await valueAt(store, 'shard/a')).toEqual(value)
    expect(await valueAt(store, 'shard/null')).toBeNull()
    expect(await valueAt(store, 'shard/zero')).toBe(0)
  })
  given('a value is a copy: changing what was written or read changes nothing stored', async ({ store }) => {
    const written = { list: [1] }
    await store.commit([put('shard/a', written)])
    written.list.push(2)
    const read = await valueAt(store, 'shard/a')
    if (typeof read === 'object' && read !== null) Reflect.set(read, 'list', 'spoiled')
    expect(await valueAt(store, 'shard/a')).toEqual({ list: [1] })
    const body = { shard: 'before' }
    await store.commit([], [{ id: 'r', expect: 0, row: { id: 'r', dueAtMs: 1, nudges: 0, to: 'evaluate', body } }])
    body.shard = 'after'
    expect((await store.row('r'))?.row.body).toEqual({ shard: 'before' })
  })
  given('deleting takes the version, and the next life starts at 1', async ({ store }) => {
    await store.commit([put('shard/a', 1)])
    await store.commit([put('shard/a', 2, 1)])
    expect(await store.commit([{ key: 'shard/a', expect: 1 }])).toBe('conflict')
    expect(await store.commit([{ key: 'shard/a', expect: 2 }])).toBe('committed')
    expect(await store.commit([{ key: 'shard/a', expect: 2 }])).toBe('conflict')
    expect(await store.commit([put('shard/a', 3)])).toBe('committed')
    expect(await store.read(['shard/a'])).toEqual(new Map([['shard/a', { value: 3, version: 1 }]]))
  })
  given('a commit of nothing is committed', async ({ store }) => {
    expect(await store.commit([])).toBe('committed')
    expect(await store.commit([], [])).toBe('committed')
  })
  given('keys are told apart byte by byte', async ({ store }) => {
    const keys = [
      'shard/é',
      'shard/e\u0301',
      'shard/E',
      'shard/e',
      'shard/ e',
      'shard/🚨',
      'shard/%',
      'shard/_',
      "shard/'",
    ]
    expect(await store.commit(keys.map((key) => put(key, key)))).toBe('committed')
    expect([...(await store.read(keys))].map(([key, { value }]) => [key, value])).toEqual(keys.map((key) => [key, key]))
  })
  given('a closed store says so, and closing twice is fine', async ({ store }) => {
    await store.close()
    await store.close()
    expect(await codeOf(store.read(['shard/a']))).toBe('misuse')
    expect(await codeOf(store.commit([put('shard/a', 1)]))).toBe('misuse')
  })
}

const conflicts = (given: Given): void => {
  given('of many that write one version, exactly one commits', async ({ store, another }) => {
    const handles = [store, await another(), await another()]
    for (let version = 0; version < 5; version++) {
      const race = handles.flatMap((handle, index) => [
        handle.commit([put('shard/a', `${index}a`, version)]),
        handle.commit([put('shard/a', `${index}b`, version)]),
      ])
      const results = await Promise.all(race)
      expect(results.filter((result) => result === 'committed')).toHaveLength(1)
    }
    expect((await store.read(['shard/a'])).get('shard/a')?.version).toBe(5)
  })
  given('counters raised by two handles that retry on conflict lose no count', async ({ store, another }) => {
    const raise = async (handle: Store): Promise<void> => {
      const { value = 0, version = 0 } = (await handle.read(['shard/n'])).get('shard/n') ?? {}
      if ((await handle.commit([put('shard/n', Number(value) + 1, version)])) === 'conflict') await raise(handle)
    }
    const other = await another()
    await Promise.all([store, other, store, other, store, other].map(raise))
    expect(await valueAt(store, 'shard/n')).toBe(6)
  })
  given('a commit with one wrong version writes nothing of the rest', async ({ store }) => {
    await store.commit([put('shard/a', 'a1'), put('shard/gone', 1)], [putRow('keep', 1), putRow('drop', 2)])
    const good: [Change[], RowChange[]] = [
      [put('shard/a', 'a2', 1), put('shard/new', 'n1'), { key: 'shard/gone', expect: 1 }],
      [putRow('keep', 9, 1), { id: 'drop', expect: 1 }, putRow('new', 3)],
    ]
    const wrong: [Change[], RowChange[]][] = [
      [[put('shard/x', 1, 7)], []],
      [[{ key: 'shard/x', expect: 1 }], []],
      [[], [putRow('x', 1, 4)]],
      [[], [{ id: 'x', expect: 1 }]],
    ]
    for (const [items, rows] of wrong) {
      expect(await store.commit([...good[0], ...items], [...good[1], ...rows])).toBe('conflict')
      expect(await store.commit([...items, ...good[0]], [...rows, ...good[1]])).toBe('conflict')
    }
    expect(await store.list('shard/', { limit: 9 })).toEqual(
      new Map([
        ['shard/a', { value: 'a1', version: 1 }],
        ['shard/gone', { value: 1, version: 1 }],
      ]),
    )
    expect(await store.due(99, 9)).toEqual(
      [row('keep', 1), row('drop', 2)].map((stored) => ({ row: stored, version: 1 })),
    )
    expect(await store.commit(...good)).toBe('committed')
    expect(await store.due(99, 9)).toEqual([
      { row: row('new', 3), version: 1 },
      { row: row('keep', 9), version: 2 },
    ])
  })
}

const expiry = (given: Given): void => {
  const expiring = (value: unknown, expect: number, expiresAtMs: number): Change => ({
    key: 'shard/a',
    value,
    expect,
    expiresAtMs,
  })
  given('an item is there until its time and not from then on', async ({ store, clock }) => {
    await store.commit([expiring('short', 0, startMs + 100)])
    clock.nowMs = startMs + 99
    expect(await valueAt(store, 'shard/a')).toBe('short')
    clock.nowMs = startMs + 100
    expect(await store.read(['shard/a'])).toEqual(new Map())
    expect(await store.list('shard/', { limit: 9 })).toEqual(new Map())
  })
  given('an expired item counts as not there for expect too', async ({ store, clock }) => {
    await store.commit([expiring('old', 0, startMs + 100)])
    clock.nowMs = startMs + 100
    expect(await store.commit([expiring('late', 1, startMs + 900)])).toBe('conflict')
    expect(await store.commit([{ key: 'shard/a', expect: 1 }])).toBe('conflict')
    expect(await store.commit([expiring('new', 0, startMs + 900)])).toBe('committed')
    expect(await store.read(['shard/a'])).toEqual(new Map([['shard/a', { value: 'new', version: 1 }]]))
  })
  given('a write without an expiry keeps the item for good', async ({ store, clock }) => {
    await store.commit([expiring('short', 0, startMs + 100)])
    await store.commit([put('shard/a', 'long', 1)])
    clock.nowMs = startMs + 1e12
    expect(await valueAt(store, 'shard/a')).toBe('long')
  })
  given('expired items do not use up the limit of a list', async ({ store, clock }) => {
    const items = ['a', 'b', 'c'].map((name) => ({ ...expiring(name, 0, startMs + 100), key: `shard/${name}` }))
    await store.commit([...items, put('shard/d', 'd')])
    clock.nowMs = startMs + 200
    expect([...(await store.list('shard/', { limit: 1 })).keys()]).toEqual(['shard/d'])
  })
}

const limits = (given: Given): void => {
  given('an item of exactly the limit fits, one byte more does not', async ({ store }) => {
    expect(await store.commit([put('shard/a', textOf(itemLimitBytes))])).toBe('committed')
    expect(await valueAt(store, 'shard/a')).toBe(textOf(itemLimitBytes))
    expect(await codeOf(store.commit([put('shard/b', textOf(itemLimitBytes + 1))]))).toBe('too-large')
  })
  given('the limit counts bytes, not characters', async ({ store }) => {
    expect(await store.commit([put('shard/a', textOf(itemLimitBytes, 'é'))])).toBe('committed')
    expect(await codeOf(store.commit([put('shard/b', textOf(itemLimitBytes + 2, 'é'))]))).toBe('too-large')
  })
  given('a row has the same limit', async ({ store }) => {
    const bytes = (shard: string): number => Buffer.byteLength(JSON.stringify(row('r', 1, shard)))
    const shard = 'x'.repeat(itemLimitBytes - bytes(''))
    expect(await store.commit([], [{ id: 'r', expect: 0, row: row('r', 1, shard) }])).toBe('committed')
    expect((await store.row('r'))?.row).toEqual(row('r', 1, shard))
    const larger = { id: 'r', expect: 1, row: row('r', 1, `${shard}x`) }
    expect(await codeOf(store.commit([], [larger]))).toBe('too-large')
  })
  given('whatever fitted as a row fits, quoted, into the quarantine', async ({ store }) => {
    const worst = JSON.stringify(row('r', 1, '"'.repeat(itemLimitBytes / 2 - 60)))
    expect(Buffer.byteLength(JSON.stringify(worst))).toBeGreaterThan(1.9 * itemLimitBytes)
    expect(await store.commit([put(quarantineKey('r'), { text: worst })])).toBe('committed')
    expect(await codeOf(store.commit([put('shard/r', { text: worst })]))).toBe('too-large')
  })
  given('a commit takes exactly its limit of items and rows together', async ({ store }) => {
    const items = (count: number) => Array.from({ length: count }, (_, n) => put(`shard/${n}`, n))
    expect(await codeOf(store.commit(items(commitLimit), [putRow('r', 1)]))).toBe('too-large')
    expect(await store.row('r')).toBeUndefined()
    expect(await store.commit(items(commitLimit - 1), [putRow('r', 1)])).toBe('committed')
    expect((await store.list('shard/', { limit: 200 })).size).toBe(commitLimit - 1)
  })
  given('a commit takes no more bytes than a transaction carries', async ({ store }) => {
    const items = (count: number) => Array.from({ length: count }, (_, n) => put(`shard/${n}`, textOf(itemLimitBytes)))
    const fits = commitLimitBytes / itemLimitBytes
    expect(await codeOf(store.commit(items(fits + 1)))).toBe('too-large')
    expect(await store.commit(items(fits))).toBe('committed')
  })
  given('a key of exactly the limit fits, one byte more does not', async ({ store }) => {
    const key = `shard/${'é'.repeat((keyLimitBytes - 6) / 2)}`
    expect(await store.commit([put(key, 1)])).toBe('committed')
    expect(await valueAt(store, key)).toBe(1)
    expect(await codeOf(store.commit([put(`${key}x`, 1)]))).toBe('too-large')
  })
}

const cycle: unknown[] = []
cycle.push(cycle)

const misuses: [string, Change[], RowChange[]][] = [
  ['a key named twice', [put('shard/a', 1), put('shard/a', 2)], []],
  ['a key written and deleted', [put('shard/a', 1), { key: 'shard/a', expect: 1 }], []],
  ['a row named twice', [], [putRow('r', 1), { id: 'r', expect: 1 }]],
  ['a delete without a version', [{ key: 'shard/a', expect: 0 }], []],
  ['a delete of a row without a version', [], [{ id: 'r', expect: 0 }]],
  ['a negative version', [put('shard/a', 1, -1)], []],
  ['half a version', [put('shard/a', 1, 0.5)], []],
  ['a value of undefined', [put('shard/a', undefined)], []],
  ['a NaN deep inside', [put('shard/a', { list: [{ ratio: Number.NaN }] })], []],
  ['an infinity', [put('shard/a', Number.POSITIVE_INFINITY)], []],
  ['a Date', [put('shard/a', { at: new Date(0) })], []],
  ['a Map', [put('shard/a', new Map([['k', 1]]))], []],
  ['a hole in a list', [put('shard/a', [undefined])], []],
  ['a bigint', [put('shard/a', { n: 1n })], []],
  ['a function', [put('shard/a', { call: () => 1 })], []],
  ['a cycle', [put('shard/a', cycle)], []],
  ['an empty key', [put('', 1)], []],
  ['a key without a kind', [put('a', 1)], []],
  ['a key without a name', [put('shard/', 1)], []],
  ['a key with half a character', [put('shard/\ud83d', 1)], []],
  ['a key with a NUL', [put('shard/a\0b', 1)], []],
  ['an expiry that is no time', [{ ...put('shard/a', 1), expiresAtMs: Number.NaN }], []],
  ['a row without an id', [], [putRow('', 1)]],
  ['a row under another id', [], [{ id: 'r', expect: 0, row: row('other', 1) }]],
  ['a row that is never due', [], [putRow('r', Number.POSITIVE_INFINITY)]],
]

const misuse = (given: Given): void => {
  for (const [name, changes, rows] of misuses)
    given(`${name} is misuse and writes nothing`, async ({ store }) => {
      expect(await codeOf(store.commit([put('shard/good', 1), ...changes], [putRow('good', 1), ...rows]))).toBe(
        'misuse',
      )
      expect(await store.list('shard/', { limit: 9 })).toEqual(new Map())
      expect(await store.due(startMs, 9)).toEqual([])
    })
  given('an optional property of undefined is simply not there', async ({ store }) => {
    await store.commit([put('shard/a', { here: 1, absent: undefined })])
    expect(Object.keys(Object(await valueAt(store, 'shard/a')))).toEqual(['here'])
  })
  given('asking for a whole store, for nothing or by half a character is misuse', async ({ store }) => {
    expect(await codeOf(store.list('', { limit: 1 }))).toBe('misuse')
    expect(await codeOf(store.list('shard', { limit: 1 }))).toBe('misuse')
    expect(await codeOf(store.list('shard/', { limit: 0 }))).toBe('misuse')
    expect(await codeOf(store.list('shard/', { limit: 1, after: 'shard/\ud83d' }))).toBe('misuse')
    expect(await codeOf(store.due(startMs, Number.NaN))).toBe('misuse')
    expect(await codeOf(store.read(['shard/\ud83d']))).toBe('misuse')
    expect(await codeOf(store.row('\ud83d'))).toBe('misuse')
  })
}

const listing = (given: Given): void => {
  const names = [
    '',
    '!',
    '/',
    '0',
    'A',
    'a',
    'aa',
    'ab',
    'b',
    '\u007f',
    'é',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '🚨',
    '\u{10ffff}',
  ]
  // Spelt out in the order of their UTF-8 bytes; UTF-16 would put the last two before U+E000.
  const keys = names.map((name) => `incident/a${name}`)
  const fill = (store: Store) =>
    store.commit(
      [...keys]
        .reverse()
        .concat('incidenu/a', 'incident-/a', 'hub/index')
        .map((key) => put(key, key)),
    )

  given('a list is in the order of UTF-8 bytes', async ({ store }) => {
    await fill(store)
    expect([...(await store.list('incident/', { limit: 99 })).keys()]).toEqual(keys)
  })
  given('a list ends with its prefix, whatever character that ends with', async ({ store }) => {
    await fill(store)
    for (const prefix of keys) {
      const found = [...(await store.list(prefix, { limit: 99 })).keys()]
      expect(found).toEqual(keys.filter((key) => key.startsWith(prefix)))
    }
  })
  given('pages join up to the whole list', async ({ store }) => {
    await fill(store)
    const seen: string[] = []
    for (let after: string | undefined; seen.length <= keys.length; after = seen.at(-1)) {
      const page = await store.list('incident/', after === undefined ? { limit: 3 } : { limit: 3, after })
      if (page.size === 0) break
      seen.push(...page.keys())
    }
    expect(seen).toEqual(keys)
  })
  given('a page may start behind a key that is gone or outside the prefix', async ({ store }) => {
    await fill(store)
    const after = async (key: string) => [...(await store.list('incident/', { limit: 99, after: key })).keys()]
    expect(await after('incident/a9')).toEqual(keys.slice(keys.indexOf('incident/aA')))
    expect(await after('hub/index')).toEqual(keys)
    expect(await after('zoo/z')).toEqual([])
  })
}

const dueRows = (given: Given): void => {
  const idsDue = async (store: Store, nowMs: number, limit = 9) =>
    (await store.due(nowMs, limit)).map((due) => due.row.id)

  given('due rows come the longest due first, none early, no more than asked', async ({ store }) => {
    await store.commit([], [putRow('c', 30), putRow('a', 10), putRow('z', -5), putRow('d', 30.5), putRow('b', 20)])
    expect(await idsDue(store, 30)).toEqual(['z', 'a', 'b', 'c'])
    expect(await idsDue(store, 30, 2)).toEqual(['z', 'a'])
    expect(await idsDue(store, -6)).toEqual([])
  })
  given('a row that is put off is due at its new time, with its new version', async ({ store }) => {
    await store.commit([], [putRow('a', 10), putRow('b', 20)])
    expect(await store.commit([], [putRow('a', 40, 1)])).toBe('committed')
    expect(await idsDue(store, 39)).toEqual(['b'])
    expect((await store.due(40, 9)).at(-1)).toEqual({ row: row('a', 40), version: 2 })
    expect(await store.row('a')).toEqual({ row: row('a', 40), version: 2 })
  })
  given('a row goes in the commit that applies it', async ({ store }) => {
    await store.commit([], [putRow('a', 10)])
    expect(await store.commit([put('shard/s', 'applied')], [{ id: 'a', expect: 1 }])).toBe('committed')
    expect(await store.commit([put('shard/s', 'twice', 1)], [{ id: 'a', expect: 1 }])).toBe('conflict')
    expect(await store.row('a')).toBeUndefined()
    expect(await idsDue(store, 99)).toEqual([])
    expect(await valueAt(store, 'shard/s')).toBe('applied')
  })
  given('a row and an item of one name are two things', async ({ store }) => {
    expect(await store.commit([put('shard/a', 'item')], [putRow('shard/a', 1)])).toBe('committed')
    expect(await store.commit([], [{ id: 'shard/a', expect: 1 }])).toBe('committed')
    expect(await valueAt(store, 'shard/a')).toBe('item')
  })
}

const poison = (given: Given): void => {
  const strange = (id: string, dueAtMs: number): OutboxRow => {
    const written: unknown = { id, dueAtMs, to: 'mars', body: { secret: [1] } }
    // Cast, since it is what a newer version may have written: no type of ours describes it.
    return written as OutboxRow
  }
  const putStrange = (id: string, dueAtMs: number): RowChange => ({ id, expect: 0, row: strange(id, dueAtMs) })

  given('a row nobody can read does not stand in the way of the others', async ({ store }) => {
    await store.commit([], [putStrange('p1', 1), putRow('a', 2), putStrange('p2', 3), putRow('b', 4), putRow('c', 5)])
    expect((await store.due(99, 2)).map((due) => due.row.id)).toEqual(['a', 'b'])
  })
  given('it is quarantined with its text and the reason, once', async ({ store, another }) => {
    await store.commit([], [putStrange('p', 7), putRow('a', 8)])
    await store.due(99, 9)
    await (await another()).due(99, 9)
    const found = await store.list('quarantine/', { limit: 9 })
    expect([...found.keys()]).toEqual([quarantineKey('p')])
    const { value, version } = found.get(quarantineKey('p')) ?? { version: 0 }
    const item = quarantined.parse(value)
    expect(item).toMatchObject({ rowId: 'p', dueAtMs: 7, quarantinedAtMs: startMs })
    expect(JSON.parse(item.text)).toEqual(strange('p', 7))
    expect(item.reason).toMatch(/to: /)
    expect(version).toBe(1)
    expect((await store.due(99, 9)).map((due) => due.row.id)).toEqual(['a'])
  })
  given('looking at it by its id quarantines it too', async ({ store }) => {
    await store.commit([], [putStrange('p', 7)])
    expect(await store.row('p')).toBeUndefined()
    expect(await valueAt(store, quarantineKey('p'))).toMatchObject({ rowId: 'p' })
    expect(await store.commit([], [{ id: 'p', expect: 1 }])).toBe('conflict')
  })
  given('a second life of the same id is quarantined again', async ({ store }) => {
    await store.commit([], [putStrange('p', 7)])
    await store.row('p')
    await store.commit([], [putStrange('p', 9)])
    await store.due(99, 9)
    expect((await store.read([quarantineKey('p')])).get(quarantineKey('p'))).toMatchObject({
      value: { dueAtMs: 9 },
      version: 2,
    })
  })
  given('setting it aside writes the row that tells so, once', async ({ store }) => {
    for (const id of ['told-1', 'told-2', 'p']) await store.commit([], [putStrange(id, 7)])
    await store.commit([], [putRow('about:told-2', 8)])
    await store.row('told-1')
    await store.due(9, 9)
    expect((await store.due(startMs, 9)).map((due) => [due.row.id, due.version])).toEqual([
      ['about:told-2', 1],
      ['about:told-1', 1],
    ])
    expect((await store.list('quarantine/', { limit: 9 })).size).toBe(3)
  })
  given('many of them are moved away in batches while good rows flow', async ({ store }) => {
    const names = Array.from({ length: 130 }, (_, n) => `p${n}`)
    await store.commit(
      [],
      names.slice(0, 99).map((id) => putStrange(id, 1)),
    )
    await store.commit([], [...names.slice(99).map((id) => putStrange(id, 1)), putRow('good', 2)])
    for (let call = 0; call < 3; call++) expect((await store.due(99, 1)).map((due) => due.row.id)).toEqual(['good'])
    expect((await store.list('quarantine/', { limit: 999 })).size).toBe(130)
  })
}

const groups: [string, (given: Given) => void][] = [
  ['reading and writing', readingAndWriting],
  ['conflicts', conflicts],
  ['expiry', expiry],
  ['limits', limits],
  ['misuse', misuse],
  ['listing', listing],
  ['due rows', dueRows],
  ['poison rows', poison],
]

/** What every {@link Store} must do. The clock is ours: `open` passes it to the store it opens. */
export const storeSuite = (name: string, open: OpenStore): void => {
  const given: Given = (sentence, play) => {
    test(sentence, async () => {
      const clock: Clock = { nowMs: startMs }
      const under = await open(() => clock.nowMs, tell)
      try {
        await play({ ...under, clock })
      } finally {
        await under.close()
      }
    })
  }
  describe(`the ${name} store`, () => {
    for (const [group, add] of groups) describe(group, () => add(given))
  })
}
