import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { Command } from 'commander'
import { addSloCommands } from '../../cli/slo-program.ts'
import { UsageError } from '../../cli/surroundings.ts'
import { configSchema } from '../../config/schema.ts'
import { memoryStore } from '../../stores/memory.ts'

const config = {
  services: {
    shop: { owner: { team: 'storefront', role: 'developers' }, runbook: 'https://runbooks.example.com/shop' },
  },
  monitors: { front: { kind: 'http', service: 'shop', url: 'https://shop.example.com/' } },
  channels: { terminal: { kind: 'console' } },
  routes: [{ channels: ['terminal'] }],
}

const objective = {
  kind: 'slo',
  monitor: 'front',
  objectivePercent: 99,
}

/** Runs `slo ARGS` over an empty store; `said` is all it printed. */
const run = async (args: readonly string[], given: object = config) => {
  const root = new Command()
  const said: string[] = []
  const codes: number[] = []
  addSloCommands(root, {
    nowMs: () => 0,
    print: (text) => said.push(text),
    printError: (text) => said.push(text),
    readConfig: async () => configSchema.parse(given),
    withState: (_, read) => read(memoryStore({ nowMs: () => 0 })),
    exit: (code) => codes.push(code),
  })
  const error = await root
    .parseAsync(['slo', ...args], { from: 'user' })
    .then(() => undefined)
    .catch((thrown: unknown) => thrown)
  return { error, said, codes }
}

test('a page that cannot be written is said with a hint, not a stack', async () => {
  const file = join(tmpdir(), 'whodunit-nowhere', 'report.html')
  const { error, said } = await run(['report', '--html', file])
  expect(error).toBeInstanceOf(UsageError)
  expect(String(error)).toContain(`${file} cannot be written: `)
  expect(String(error)).toContain('ENOENT')
  expect(String(error)).toContain('hint: give --html a file in a folder that is there')
  expect(said).toEqual([])
})

test('a budget nobody knows anything of is not fine', async () => {
  const { said, codes } = await run(['report'], { ...config, rules: { 'front-slo': objective } })
  expect(said.join('\n')).toContain('nothing known')
  expect(codes).toEqual([1])
})

test('a config without objectives is', async () => {
  const { codes } = await run(['report'])
  expect(codes).toEqual([0])
})

test('a file to import that is no text is said as such', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-'))
  try {
    const file = join(folder, 'slos.yaml')
    writeFileSync(file, Buffer.from('\ufeffversion: prometheus/v1\n', 'utf16le'))
    const { said, codes } = await run(['import', file], config)
    expect(said).toEqual([`${file}: this is UTF-16, expected UTF-8\n  hint: save the file as UTF-8`])
    expect(codes).toEqual([2])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
