// npm start -- --scene emoji-oom --fault-after 6
// The town in one process, whodunit watching it in another, exactly as two terminals would run them.
import { fork } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { main } from '../../cli/main.ts'

const folder = import.meta.dirname
const dataDir = resolve('.whodunit', 'emojivoto')
const faultAfterSeconds = '6'

const flags = process.argv.slice(2)
const townFlags = flags.includes('--fault-after') ? flags : [...flags, '--fault-after', faultAfterSeconds]

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
  const config = resolve(folder, 'whodunit.yaml')
  process.exitCode = await main(['node', 'whodunit', 'serve', '--config', config, '--data', dataDir])
  town.kill('SIGTERM')
  await ended
} else {
  process.exitCode = failed
}
