import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigInput } from '../../config/schema.ts'
import type { Emulator } from './ministack.ts'

const root = join(import.meta.dirname, '..', '..')
const account = '000000000000'

/** Runs a command to its end; what it printed is in the error when it fails or takes too long. */
const run = (
  command: string,
  args: readonly string[],
  options: { env: NodeJS.ProcessEnv; seconds: number; folder?: string },
) =>
  new Promise<string>((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.folder ?? root,
      env: options.env,
      timeout: options.seconds * 1000,
    })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
      })
    }
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(printed)
      else reject(new Error(`${command} ${args.join(' ')}: ${signal ?? `exit ${code}`}\n${printed.slice(-6000)}`))
    })
  })

export type Deployer = {
  bootstrap: (regions: readonly string[]) => Promise<void>
  /** Deploys a config with the commands of the README. */
  deploy: (config: ConfigInput) => Promise<void>
}

export const deployerFor = (emulator: Emulator, folder: string): Deployer => {
  const cdk = join(root, 'node_modules', '.bin', 'cdk')
  const path = `${join(root, 'node_modules', '.bin')}:${process.env['PATH']}`
  const env = { ...process.env, ...emulator.env, PATH: path, CI: 'true' }
  const output = ['--output', join(folder, 'cdk.out')]
  return {
    bootstrap: async (regions) => {
      const places = regions.map((region) => `aws://${account}/${region}`)
      // Outside the project: in it, the command line would make the app first, and the example is none for this account.
      await run(cdk, ['bootstrap', ...places], { env, seconds: 180, folder })
    },
    deploy: async (config) => {
      const file = join(folder, 'whodunit.json')
      writeFileSync(file, JSON.stringify(config, null, 2))
      const args = [
        'deploy',
        '--all',
        '--require-approval',
        'never',
        '-c',
        `config=${file}`,
        '-c',
        'emulated=true',
        ...output,
      ]
      await run(cdk, args, { env, seconds: 240 })
    },
  }
}

export const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
