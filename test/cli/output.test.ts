import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { liveTable } from '../../cli/table.ts'
import type { Output } from '../../cli/terminal.ts'
import { waitFor } from '../scenes/receivers.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A pipe to a process that reads nothing until it is told to go on. */
const unread = () => {
  const reader = spawn('sh', ['-c', 'kill -STOP $$; exec cat'], { stdio: ['pipe', 'pipe', 'ignore'] })
  closing.push(() => reader.kill('SIGKILL'))
  const { stdin } = reader
  if (!(stdin instanceof Socket)) throw new Error('no pipe')
  stdin.on('error', () => undefined)
  let text = ''
  reader.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const ended = new Promise((resolve) => reader.once('close', resolve))
  const readAll = async (last: Promise<void>) => {
    reader.kill('SIGCONT')
    await last
    stdin.end()
    await ended
    return text
  }
  // What `process.stdout` is as well: a socket that knows its descriptor.
  return { out: stdin as unknown as Output, readAll }
}

/** More than any pipe holds. */
const large = `large ${'x'.repeat(1024 * 1024)}`

test('what nobody takes is not printed: the wait ends with its signal, and one whose time is over is never written', async () => {
  const { out, readAll } = unread()
  const { print } = liveTable(out, () => [])
  const attempts = [new AbortController(), new AbortController()]
  const printed = [large, 'second'].map((text, at) => print(text, attempts[at]?.signal))
  await waitFor('the first to be on its way', () => (out.writableLength > 0 ? true : undefined))
  for (const attempt of attempts) attempt.abort(new Error('over'))
  expect(await Promise.allSettled(printed)).toMatchObject([
    { status: 'rejected', reason: { message: 'over' } },
    { status: 'rejected', reason: { message: 'over' } },
  ])
  const third = print('third')
  const text = await readAll(third)
  expect(text.split('\n').map((line) => line.slice(0, 6))).toEqual(['large ', 'third', ''])
})

test('no more waits for its turn than there is room for', async () => {
  const { out } = unread()
  const { print } = liveTable(out, () => [])
  const printed = Array.from({ length: 60 }, (_, index) => print(index === 0 ? large : `page ${index}`))
  void Promise.allSettled(printed)
  await expect(printed.at(-1)).rejects.toThrow('nobody reads the output')
})

test('a file that has room for the first part only has lost the page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-output-'))
  closing.push(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'out.log')
  const program = `import { writeLines } from ${JSON.stringify(join(process.cwd(), 'cli', 'terminal.ts'))}
    for (const text of ['fits', 'x'.repeat(5000)])
      await writeLines(process.stdout, text).then(() => console.error('taken'), (error) => console.error(error.message))`
  // A limit on the size of files does what a full disk does: it takes a part, and says why not the rest when asked again.
  const { stderr } = spawnSync(
    'sh',
    ['-c', 'ulimit -f 1; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', program],
    { stdio: ['ignore', openSync(file, 'w'), 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } },
  )
  expect(stderr.toString().split('\n')).toEqual(['taken', expect.stringMatching(/^EFBIG: /), ''])
  expect(readFileSync(file, 'utf8')).toMatch(/^fits\nx+$/)
})
