/** What another process does to a store's file: run with node, told by its arguments, it prints a line per step. */
import { writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { type Store, StoreError } from '../../stores/contract.ts'
import { sqliteStore } from '../../stores/sqlite.ts'

const [, , work = '', path = ''] = process.argv
/** Synchronous: a line is out before the next step begins, whatever happens to this process then. */
const say = (line: string | number): void => {
  writeSync(1, `${line}\n`)
}

/** Two items and a row a commit, all saying `n`; `n` is printed when the store has promised to keep it. */
const commitForever = async (store: Store): Promise<void> => {
  for (let n = 1; ; n++) {
    const items = ['shard/left', 'shard/right'].map((key) => ({
      key,
      expect: n - 1,
      value: { n, fill: 'x'.repeat(9000) },
    }))
    const rows = [
      { id: `r${n}`, expect: 0, row: { id: `r${n}`, dueAtMs: n, nudges: 0, to: 'publish' as const, body: {} } }, // the union's tag
      ...(n > 1 ? [{ id: `r${n - 1}`, expect: 1 }] : []),
    ]
    if ((await store.commit(items, rows)) === 'committed') say(n)
  }
}

const countTo = async (store: Store, times: number): Promise<void> => {
  for (let done = 0; done < times; ) {
    const { value = 0, version = 0 } = (await store.read(['shard/n'])).get('shard/n') ?? {}
    const change = { key: 'shard/n', expect: version, value: Number(value) + 1 }
    if ((await store.commit([change])) === 'committed') done++
  }
}

const fill = async (store: Store): Promise<void> => {
  for (let n = 0; n < 1000; n++) {
    await store.commit([{ key: `shard/${n}`, expect: 0, value: 'x'.repeat(30_000) }])
    say(n)
  }
}

/** Lives until it is killed, and keeps `held` from being collected, and so closed, meanwhile. */
const stay = (held: object): void => {
  setInterval(() => held, 60_000)
}

const open = (exclusive = false): Store => sqliteStore({ path, nowMs: Date.now, exclusive, busyTimeoutMs: 10_000 })

const works: Record<string, () => Promise<void>> = {
  'commit-forever': () => commitForever(open()),
  'count-100': () => countTo(open(), 100),
  'hold-lock': async () => {
    const database = new DatabaseSync(path)
    database.exec('BEGIN IMMEDIATE')
    say('holding')
    stay(database)
  },
  serve: async () => {
    stay(open(true))
    say('serving')
  },
  fill: () => fill(open()),
}

try {
  await works[work]?.()
} catch (error) {
  say(error instanceof StoreError ? `${error.code}: ${error.message}` : `not a StoreError: ${String(error)}`)
}
