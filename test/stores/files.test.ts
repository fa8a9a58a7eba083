import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { fileBlobs } from '../../stores/files.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'whodunit-files-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const bytes = new TextEncoder().encode('new')

const leave = (name: string, ageMinutes: number): void => {
  const path = join(directory, 'window', name)
  writeFileSync(path, 'half')
  const seconds = Date.now() / 1000 - ageMinutes * 60
  utimesSync(path, seconds, seconds)
}

test('a blob is an ordinary file under its key, and nothing else is left', async () => {
  await fileBlobs({ directory }).put('window/c1:a', bytes)
  expect(readdirSync(join(directory, 'window'))).toEqual(['c1%3Aa'])
  expect(readFileSync(join(directory, 'window/c1%3Aa'), 'utf8')).toBe('new')
})

test('what a killed process left is removed after an hour, what another one is writing is not', async () => {
  mkdirSync(join(directory, 'window'))
  leave('.tmp-old', 61)
  leave('.tmp-busy', 59)
  leave('blob', 600)
  leave('tmp-blob', 600)
  await fileBlobs({ directory }).put('window/a', bytes)
  expect(readdirSync(join(directory, 'window')).sort()).toEqual(['.tmp-busy', 'a', 'blob', 'tmp-blob'])
})

test('a put that fails leaves the old object and no temporary file', async () => {
  mkdirSync(join(directory, 'window/taken'), { recursive: true })
  const blobs = fileBlobs({ directory })
  await expect(blobs.put('window/taken', bytes)).rejects.toMatchObject({ name: 'StoreError', code: 'unwritable' })
  expect(readdirSync(join(directory, 'window'))).toEqual(['taken'])
})

test('a key below another blob is refused with a sentence', async () => {
  const blobs = fileBlobs({ directory })
  await blobs.put('window', bytes)
  await expect(blobs.put('window/a', bytes)).rejects.toMatchObject({
    name: 'StoreError',
    code: 'unwritable',
    hint: expect.stringContaining('folder'),
  })
  expect(await blobs.get('window')).toEqual(bytes)
})

test('a rename replaces a link instead of writing through it', async () => {
  const outside = join(directory, 'outside')
  writeFileSync(outside, 'untouched')
  mkdirSync(join(directory, 'root'))
  symlinkSync(outside, join(directory, 'root/a'))
  const blobs = fileBlobs({ directory: join(directory, 'root') })
  await blobs.put('a', bytes)
  expect(readFileSync(outside, 'utf8')).toBe('untouched')
  expect(await blobs.get('a')).toEqual(bytes)
})

test('what somebody else put into a folder under a name that no key has is not listed', async () => {
  const blobs = fileBlobs({ directory })
  await blobs.put('window/a', bytes)
  mkdirSync(join(directory, 'window', 'New folder'))
  writeFileSync(join(directory, 'window', 'New folder', 'b'), '')
  writeFileSync(join(directory, 'window', 'a (copy)'), '')
  expect(await blobs.list('window/', { limit: 10 })).toEqual(['window/a'])
})
