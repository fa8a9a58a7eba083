import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore } from '../../stores/memory.ts'
import { sqliteStore } from '../../stores/sqlite.ts'
import { storeSuite } from './store.ts'

storeSuite('memory', async (nowMs) => {
  const store = memoryStore({ nowMs })
  return { store, another: async () => store, close: () => store.close() }
})

storeSuite('sqlite', async (nowMs) => {
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-store-'))
  const opened = [sqliteStore({ path: join(folder, 'a.sqlite'), nowMs })]
  const another = async () => {
    const store = sqliteStore({ path: join(folder, 'a.sqlite'), nowMs })
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
