import { randomUUID } from 'node:crypto'
import { open, readdir, readFile, rename, rmdir, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { blobNames, blobPrefix, checkBlobCount, checkBlobSize, isBlobName, keyOrder } from './blob.ts'
import type { Blobs } from './contract.ts'
import { failureCode, fileFailure } from './failures.ts'
import { makeFolder, syncFolder } from './folder.ts'

/** A blob's name never starts with a dot, so a temporary file is never taken for one, nor served. */
const temporaryPrefix = '.tmp-'
const leftOverAfterMs = 60 * 60 * 1000
const sweptLimit = 10_000

/** A colon would mean an alternate stream on Windows; `%` is in no key, so no two keys meet. */
const pathOf = (directory: string, key: string): string =>
  join(directory, ...blobNames(key).map((name) => name.replaceAll(':', '%3A')))

const notThere = new Set(['ENOENT', 'ENOTDIR', 'EISDIR'])

const get = async (path: string): Promise<Uint8Array | undefined> => {
  try {
    return new Uint8Array(await readFile(path))
  } catch (error) {
    if (notThere.has(failureCode(error))) return undefined
    throw fileFailure(error, path)
  }
}

const writeSynced = async (path: string, bytes: Uint8Array): Promise<void> => {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Best effort: another process may have been quicker. */
const discard = async (path: string): Promise<void> => {
  await unlink(path).catch(() => undefined)
}

/** Housekeeping never fails the write that led to it. Ages are measured against a file written just now, so the disk's clock is compared with itself. */
const sweepLeftOvers = async (folder: string, fresh: string): Promise<void> => {
  const { mtimeMs: nowMs } = await stat(fresh)
  for (const name of await readdir(folder)) {
    if (!name.startsWith(temporaryPrefix)) continue
    const path = join(folder, name)
    const writtenAtMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? nowMs
    if (nowMs - writtenAtMs > leftOverAfterMs) await discard(path)
  }
}

const put = async (path: string, bytes: Uint8Array, swept: Set<string>): Promise<void> => {
  const folder = dirname(path)
  const temporary = join(folder, `${temporaryPrefix}${randomUUID()}`)
  try {
    makeFolder(folder)
    await writeSynced(temporary, bytes)
    if (!swept.has(folder)) {
      if (swept.size >= sweptLimit) swept.clear()
      swept.add(folder)
      await sweepLeftOvers(folder, temporary).catch(() => undefined)
    }
    await rename(temporary, path)
    syncFolder(folder)
  } catch (error) {
    await discard(temporary)
    throw fileFailure(error, path)
  }
}

const append = async (key: string, path: string, bytes: Uint8Array): Promise<void> => {
  try {
    makeFolder(dirname(path))
    const file = await open(path, 'a')
    try {
      const { size } = await file.stat()
      checkBlobSize(key, size + bytes.byteLength)
      await file.writeFile(bytes)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw fileFailure(error, path)
  }
}

/** Names below a folder in the order S3 would list them, for which a folder's name ends with a slash. */
const entriesOf = async (folder: string): Promise<{ name: string; isFolder: boolean }[]> => {
  const found = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (notThere.has(failureCode(error))) return []
    throw fileFailure(error, folder)
  })
  return found
    .map((entry) => ({ name: entry.name.replaceAll('%3A', ':'), isFolder: entry.isDirectory() }))
    .filter(({ name }) => isBlobName(name))
    .map(({ name, isFolder }) => ({ name: isFolder ? `${name}/` : name, isFolder }))
    .sort((a, b) => keyOrder(a.name, b.name))
}

type Walk = { prefix: string; after: string; limit: number }

/** Only folders that can hold keys of the page are opened, and none after the page is full. */
const walk = async (root: string, at: string, { prefix, after, limit }: Walk): Promise<string[]> => {
  const keys: string[] = []
  for (const { name, isFolder } of await entriesOf(pathOfFolder(root, at))) {
    const key = `${at}${name}`
    const room = limit - keys.length
    if (room <= 0) break
    if (isFolder) {
      const holds = key.startsWith(prefix) || prefix.startsWith(key)
      const isBehind = after < key || after.startsWith(key)
      if (holds && isBehind) keys.push(...(await walk(root, key, { prefix, after, limit: room })))
    } else if (key.startsWith(prefix) && key > after) keys.push(key)
  }
  return keys
}

const pathOfFolder = (root: string, at: string): string => (at === '' ? root : pathOf(root, at.slice(0, -1)))

/** Removes a blob, and the folders above it that hold nothing else. */
const remove = async (root: string, key: string): Promise<void> => {
  const path = pathOf(root, key)
  try {
    await unlink(path)
  } catch (error) {
    if (notThere.has(failureCode(error))) return
    throw fileFailure(error, path)
  }
  // What somebody else put there meanwhile, or a temporary file, keeps its folder.
  for (let folder = dirname(path); folder !== root; folder = dirname(folder)) {
    const emptied = await rmdir(folder).then(
      () => true,
      () => false,
    )
    if (!emptied) return
  }
}

/**
 * {@link Blobs} as files under `directory`, which is created. A blob is written beside its place, synced and renamed
 * into it, so a reader, or a power cut, meets the old bytes or the new ones; only `append` writes in its place. What a killed process left half written
 * is removed an hour later, by the first `put` into the same folder. Throws {@link StoreError}.
 */
export const fileBlobs = ({ directory }: { directory: string }): Blobs => {
  const root = resolve(directory)
  const swept = new Set<string>()
  return {
    get: async (key) => get(pathOf(root, key)),
    put: async (key, bytes) => {
      const path = pathOf(root, key)
      checkBlobSize(key, bytes.byteLength)
      await put(path, bytes, swept)
    },
    append: async (key, bytes) => append(key, pathOf(root, key), bytes),
    list: async (prefix, { after = '', limit }) => {
      const { folder } = blobPrefix(prefix)
      checkBlobCount(limit)
      return walk(root, `${folder.join('/')}/`, { prefix, after, limit })
    },
    delete: async (keys) => {
      checkBlobCount(keys.length)
      for (const key of keys) await remove(root, key)
    },
  }
}
