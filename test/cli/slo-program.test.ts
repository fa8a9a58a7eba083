import { mkdtempSync, rmSync } from 'node:fs'
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

test('a page that cannot be written is said with a hint, not a stack', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-'))
  try {
    const root = new Command()
    const said: string[] = []
    addSloCommands(root, {
      nowMs: () => 0,
      print: (text) => said.push(text),
      printError: (text) => said.push(text),
      readConfig: async () => configSchema.parse(config),
      withState: (_, read) => read(memoryStore({ nowMs: () => 0 })),
      exit: () => undefined,
    })
    const file = join(folder, 'nowhere', 'report.html')
    const error = await root
      .parseAsync(['slo', 'report', '--data', folder, '--html', file], { from: 'user' })
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect(String(error)).toContain(`${file} cannot be written: `)
    expect(String(error)).toContain('ENOENT')
    expect(String(error)).toContain('hint: give --html a file in a folder that is there')
    expect(said).toEqual([])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
