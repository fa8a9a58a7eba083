import { blobLimitBytes, blobsAtOnce, StoreError } from './contract.ts'

const name = /^[A-Za-z0-9_:=@+,-][A-Za-z0-9._:=@+,-]{0,149}$/
const keyLimit = 512

/** May a blob's key have such a name in it? What else lies in a folder is somebody else's. */
export const isBlobName = (text: string): boolean => name.test(text)

/** The names a blob's key is made of. Nothing that could leave the folder, or hide in it, gets past. */
export const blobNames = (key: string): string[] => {
  const names = key.split('/')
  if (key.length > keyLimit || !names.every(isBlobName))
    throw new StoreError(
      'misuse',
      `the blob key ${JSON.stringify(key.slice(0, 80))} is not a relative path of plain names`,
      {
        hint: 'Letters, digits and ._:=@+,- in names of at most 150, joined by /, none starting with a dot.',
      },
    )
  return names
}

export const checkBlobSize = (key: string, bytes: number): void => {
  if (bytes <= blobLimitBytes) return
  throw new StoreError('too-large', `the blob ${key} has ${bytes} bytes, the limit is ${blobLimitBytes}`, {
    hint: 'Keep less of it, or split it over several keys.',
  })
}

const misuse = (message: string, hint: string) => new StoreError('misuse', message, { hint })

/** Where a prefix looks: the folder's names, and how the names in it begin. */
export const blobPrefix = (prefix: string): { folder: string[]; start: string } => {
  const names = prefix.split('/')
  const start = names.pop() ?? ''
  if (names.length === 0)
    throw misuse(`the prefix ${JSON.stringify(prefix.slice(0, 80))} names no folder`, 'End it with a slash.')
  return { folder: blobNames(names.join('/')), start: start === '' ? '' : (blobNames(start)[0] ?? '') }
}

/** So many keys fit one request. */
export const checkBlobCount = (count: number): void => {
  if (!Number.isInteger(count) || count < 0 || count > blobsAtOnce)
    throw misuse(`${count} keys at once, the limit is ${blobsAtOnce}`, 'Do it in several steps.')
}

/** By UTF-16 units, which for the characters of a key are its bytes: as S3 lists them. */
export const keyOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
