import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore } from '../../stores/memory.ts'
import { sqliteStore } from '../../stores/sqlite.ts'
import { storeSuite } from './store.ts'

storeSuite('memory', async (nowMs, deadLetters) => {
  const store = memoryStore({ nowMs, deadLetters })
  return { store, another: async () => store, close: () => store.close() }
})

storeSuite('sqlite', async (nowMs, deadLetters) => {
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-store-'))
  const opened = [sqliteStore({ path: join(folder, 'a.sqlite'), nowMs, deadLetters })]
  const another = async () => {
    const store = sqliteStore({ path: join(folder, 'a.sqlite'), nowMs, deadLetters })
    opened.push(store)
    return store
  }
  const close = async () => {
    await Promise.all(opened.map((store) => store.close()))
    rmSync(folder, { recursive: true })
  }
  const [store = await another()] = opened
  return { store, another, close }
})
