import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { validateCommand } from '../../cli/commands/validate.ts'

const good = readFileSync(join(import.meta.dirname, 'good/commented.yaml'), 'utf8')
const minimal = readFileSync(join(import.meta.dirname, 'good/minimal.yaml'), 'utf8')

const run = async (text: string, options: { json?: boolean; columns?: number } = {}) => {
  const said = { out: '', err: '' }
  const exit = await validateCommand({
    config: 'whodunit.yaml',
    json: options.json ?? false,
    columns: options.columns,
    print: (line) => {
      said.out += `${line}\n`
    },
    printError: (line) => {
      said.err += `${line}\n`
    },
    readFile: async () => text,
  })
  return { exit, ...said }
}

test('a config without a flaw is one line, and one for each window', async () => {
  expect(await run(good)).toEqual({
    exit: 0,
    out: 'whodunit.yaml is fine: 2 monitors, 2 services, 5 rules, 1 cluster, 3 channels, 3 locations\nwindow of prod: about 1,381 series, 3 MiB in memory, 1 MiB stored\n',
    err: '',
  })
})

test('warnings are told and do not fail', async () => {
  const { exit, out, err } = await run(minimal)
  expect(exit).toBe(0)
  expect(out).toBe('whodunit.yaml is fine: 1 monitor, 1 service, 2 rules, 1 channel, 1 location, with 2 warnings\n')
  expect(err).toContain('whodunit.yaml:2:3 services.web: warning: no owner and no runbook')
  expect(err).toContain('    2 |   web: {}\n      |   ^')
})

test('mistakes exit with 2 and leave standard output empty', async () => {
  const { exit, out, err } = await run(minimal.replace('url:', 'urll:'))
  expect({ exit, out }).toEqual({ exit: 2, out: '' })
  expect(err).toMatch(/^whodunit\.yaml:4:\d+ monitors\.home\.urll: unknown key\n {4}hint: did you mean url\?\n/)
  expect(err).toMatch(/whodunit\.yaml has 1 mistake\n$/)
})

test('--json prints everything on standard output, with the same exit code', async () => {
  const fine = await run(minimal, { json: true })
  expect(fine).toMatchObject({ exit: 0, err: '' })
  expect(JSON.parse(fine.out)).toMatchObject({
    ok: true,
    issues: [],
    warnings: [{ code: 'no-owner' }, { code: 'no-fallback' }],
  })
  const wrong = await run(minimal.replace('url:', 'urll:'), { json: true })
  expect(wrong).toMatchObject({ exit: 2, err: '' })
  expect(JSON.parse(wrong.out)).toMatchObject({
    ok: false,
    issues: [{ severity: 'error', code: 'unknown-key', file: 'whodunit.yaml', line: 4, path: 'monitors.home.urll' }],
    warnings: [],
  })
})

test('in a narrow terminal every line fits', async () => {
  const { err } = await run(minimal.replace('kind: console', 'kind: slack'), { columns: 50 })
  expect(err).toContain('did you mean webhook?')
  for (const line of err.split('\n')) expect(line.length).toBeLessThanOrEqual(50)
})

test('where the config is for AWS a console is no channel to fall back to', async () => {
  const two = minimal.replace(
    /channels:\n.*\n/,
    (part) => `${part}  chat: { kind: webhook, url: "https://x.example/", secret: secret:HOOK }\n`,
  )
  const both = two.replace(/channels: \[(.*)\]/, 'channels: [$1, chat]')
  expect((await run(both)).err).not.toContain('channel that reaches')
  const deployed = await run(`${both}aws: {}\n`)
  expect(deployed.exit).toBe(0)
  expect(deployed.err).toContain('channels.chat: warning: the only channel that reaches people on AWS: when it refuses')
})
