import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { StoreError } from './contract.ts'
import { failureCode, fileFailure } from './failures.ts'

/** Windows and some network file systems cannot sync a folder; there the entry is as durable as they make it. */
const cannotSync = new Set(['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EACCES'])

/** Makes the entries of a folder (a new file, a rename) survive a power cut. */
export const syncFolder = (folder: string): void => {
  try {
    const descriptor = openSync(folder, 'r')
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    if (!cannotSync.has(failureCode(error))) throw fileFailure(error, folder)
  }
}

/** The folders of a path that are not there, the topmost first. */
const missing = (folder: string): string[] => {
  if (existsSync(folder) || dirname(folder) === folder) return []
  return [...missing(dirname(folder)), folder]
}

/**
 * Creates `folder` and what is missing above it, durably. Throws a StoreError when it cannot. One level at a time:
 * `recursive` tries for ever where the system says ENOENT below a folder that is there, as in /proc.
 */
export const makeFolder = (folder: string): void => {
  try {
    for (const level of missing(resolve(folder))) {
      makeLevel(level)
      syncFolder(dirname(level))
    }
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(`${folder} is a file`), { code: 'ENOTDIR' })
  } catch (error) {
    if (failureCode(error) !== 'ENOENT') throw fileFailure(error, folder)
    throw new StoreError('unwritable', `${folder} cannot be made: its file system takes no folders there`, {
      hint: 'Name a folder on a disk that can be written.',
      cause: error,
    })
  }
}

const makeLevel = (folder: string): void => {
  try {
    mkdirSync(folder)
  } catch (error) {
    // Somebody else may have made it in the meantime.
    if (failureCode(error) !== 'EEXIST') throw error
  }
}
