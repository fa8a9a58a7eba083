import { blobLimitBytes, StoreError } from './contract.ts'

const name = /^[A-Za-z0-9_:=@+,-][A-Za-z0-9._:=@+,-]{0,149}$/
const keyLimit = 512

/** The names a blob's key is made of. Nothing that could leave the folder, or hide in it, gets past. */
export const blobNames = (key: string): string[] => {
  const names = key.split('/')
  if (key.length > keyLimit || !names.every((one) => name.test(one)))
    throw new StoreError(
      'misuse',
      `the blob key ${JSON.stringify(key.slice(0, 80))} is not a relative path of plain names`,
      {
        hint: 'Letters, digits and ._:=@+,- in names of at most 150, joined by /, none starting with a dot.',
      },
    )
  return names
}

export const checkBlobSize = (key: string, bytes: Uint8Array): void => {
  if (bytes.byteLength <= blobLimitBytes) return
  throw new StoreError('too-large', `the blob ${key} has ${bytes.byteLength} bytes, the limit is ${blobLimitBytes}`, {
    hint: 'Keep less of it, or split it over several keys.',
  })
}
