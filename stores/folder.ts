import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
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

/** Creates `folder` and what is missing above it, durably. Throws a StoreError when it cannot. */
export const makeFolder = (folder: string): void => {
  try {
    const first = mkdirSync(folder, { recursive: true })
    if (first === undefined) return
    const top = dirname(resolve(first))
    for (let at = resolve(folder); at !== top; at = dirname(at)) syncFolder(dirname(at))
  } catch (error) {
    throw fileFailure(error, folder)
  }
}
