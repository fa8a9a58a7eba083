// npm start -- --scene emoji-oom --fault-after 6
// The town in one process, whodunit watching it in another, exactly as two terminals would run them.
import { fork } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { main } from '../../cli/main.ts'
import { whenUnread } from '../../cli/terminal.ts'

const folder = import.meta.dirname
const dataDir = join('.whodunit', 'emojivoto')
const faultAfterSeconds = '6'

/** A later flag wins, so the default stands first. */
const townFlags = ['--fault-after', faultAfterSeconds, ...process.argv.slice(2)]
void whenUnread(process.stdout)

/** Detached, so that Ctrl-C reaches whodunit first; the town leaves when this process does. */
const town = fork(`${folder}/run-town.ts`, townFlags, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], detached: true })
const ended = new Promise<number>((exit) => town.once('exit', (code) => exit(code ?? 1)))
const opened = new Promise<undefined>((open) => {
  town.stdout?.on('data', (chunk: Buffer) => {
    process.stdout.write(chunk.toString().replace('Ctrl-C closes the town.\n', '\n'))
    if (chunk.includes('Ctrl-C')) open(undefined)
  })
})

const failed = await Promise.race([opened, ended])
if (failed === undefined) {
  await rm(dataDir, { recursive: true, force: true })
  const config = relative('.', resolve(folder, 'whodunit.yaml'))
  process.exitCode = await main(['node', 'whodunit', 'serve', '--config', config, '--data', dataDir])
  town.kill('SIGTERM')
  await ended
} else {
  process.exitCode = failed
}
