import { execFile, spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { buildSync } from 'esbuild'
import { type Bundle, bundleHandler, trimmedPackages } from '../../cdk/bundle.ts'
import { product } from '../architecture/sources.ts'
import { configOf, monitor, scratch } from './deployed.ts'

const { folder, remove } = scratch()
afterAll(remove)

/** Rooms and packages that a bundle may carry of all those that only some may. */
type Carries = { rooms: readonly string[]; packages: readonly string[] }
const limits = { withUndici: 1_300_000, without: 750_000 }

const table: readonly string[] = ['@aws-sdk/client-dynamodb']
const pipeline = [...table, '@aws-sdk/client-sqs']

const expected: Readonly<Record<string, Carries>> = {
  probe: { rooms: ['probes'], packages: ['@aws-sdk/client-sqs', '@aws-sdk/client-ssm', 'json-p3', 'p-limit'] },
  scrape: {
    rooms: ['sources', 'rules', 'triage', 'stores'],
    packages: [...pipeline, '@aws-sdk/client-s3', '@aws-sdk/client-ssm', 'p-limit', 'undici'],
  },
  evaluate: { rooms: ['rules', 'stores'], packages: [...pipeline, '@aws-sdk/client-s3'] },
  // Maintenance windows begin by cron.
  correlate: { rooms: ['stores'], packages: [...pipeline, 'croner'] },
  triage: {
    rooms: ['sources', 'triage', 'stores'],
    packages: [...pipeline, '@aws-sdk/client-s3', '@aws-sdk/client-ssm', 'p-limit', 'undici'],
  },
  deliver: {
    rooms: ['channels', 'stores'],
    packages: [...pipeline, '@aws-sdk/client-sns', '@aws-sdk/client-ssm', 'undici'],
  },
  publish: {
    rooms: ['stores', 'web'],
    packages: [...table, '@aws-sdk/client-cloudwatch', '@aws-sdk/client-s3', 'hono'],
  },
  // A name that is none gets the nearest one as a hint.
  api: {
    rooms: ['stores', 'web'],
    packages: [...pipeline, '@aws-sdk/client-s3', '@aws-sdk/client-ssm', 'fastest-levenshtein', 'hono'],
  },
  sweep: { rooms: ['stores'], packages: pipeline },
  // Of channels only what makes a text fit a subject and a telephone.
  watch: {
    rooms: ['channels', 'probes', 'stores'],
    packages: [...table, '@aws-sdk/client-sns', '@aws-sdk/client-ssm', 'json-p3', 'p-limit'],
  },
}
const names = Object.keys(expected)
const doors = ['probes', 'sources', 'rules', 'triage', 'channels']
const contested = [...doors, 'stores', 'web', 'cli', 'cdk', 'cost']
const everywhere = ['zod', '@aws-lambda-powertools/logger', '@aws-lambda-powertools/metrics']

const bundles = new Map<string, Bundle>()
beforeAll(() => {
  const config = configOf({ monitors: { up: monitor() } })
  for (const name of names) bundles.set(name, bundleHandler({ root: process.cwd(), name, outDir: folder, config }))
})

const bundleOf = (name: string): Bundle => {
  const bundle = bundles.get(name)
  if (!bundle) throw new Error(`${name} was not bundled`)
  return bundle
}

/** What weighs nothing is only named by a type or was shaken off. */
const carried = (name: string): string[] =>
  Object.values(bundleOf(name).metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  )
const packageOf = (path: string) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]

test('every function of the pipeline is here', () => {
  const functions = readdirSync('functions', { withFileTypes: true }).filter((entry) => entry.isDirectory())
  expect(functions.map(({ name }) => name).sort()).toEqual([...names].sort())
})

test.each(names)('%s carries the doors it runs and no other', (name) => {
  const rooms = new Set(
    carried(name)
      .filter((path) => packageOf(path) === undefined && !path.endsWith('/contract.ts'))
      .map((path) => path.split('/')[0] ?? ''),
  )
  const own = [...rooms].filter((room) => contested.includes(room) && room !== 'cdk')
  expect(own.sort()).toEqual([...(expected[name]?.rooms ?? [])].sort())
})

/** Of the SDK only its clients count: what they share is theirs. */
const ours = (name: string) => /^@aws-sdk\/client-/.test(name) || !/^@(aws-sdk|aws|smithy)\//.test(name)
/** What others of these bring along. */
const brought = [
  '@aws-lambda-powertools/commons',
  'mnemonist',
  'obliterator',
  'yocto-queue',
  'fast-xml-parser',
  'strnum',
]

test.each(names)('%s carries the libraries it uses and no other', (name) => {
  const packages = new Set(carried(name).flatMap((path) => packageOf(path) ?? []))
  const own = [...packages].filter((one) => ours(one) && !brought.includes(one))
  expect(own.sort()).toEqual([...everywhere, ...(expected[name]?.packages ?? [])].sort())
})

test.each(names)('%s is small enough to start quickly', (name) => {
  const limitBytes = expected[name]?.packages.includes('undici') ? limits.withUndici : limits.without
  expect(statSync(join(bundleOf(name).directory, 'index.mjs')).size).toBeLessThanOrEqual(limitBytes)
})

test.each(names)('%s holds no native code: it runs on any processor', (name) => {
  expect(carried(name).filter((path) => path.endsWith('.node'))).toEqual([])
})

test('CloudWatch’s client is carried by what reads it, where the config has it read', () => {
  const metrics = [{ namespace: 'AWS/SQS', metric: 'NumberOfMessagesSent', stat: 'Sum' }]
  const clusters = { main: { sources: [{ kind: 'cloudwatch' as const, region: 'eu-west-1', metrics }] } }
  const config = configOf({ monitors: { up: monitor() }, clusters })
  const { metafile } = bundleHandler({ root: process.cwd(), name: 'scrape', outDir: join(folder, 'reads'), config })
  const packages = Object.keys(metafile.inputs).map(packageOf)
  expect(packages).toContain('@aws-sdk/client-cloudwatch')
})

/** A bare Node, the bundle's folder and an environment: what Lambda gives. */
const imported = (name: string, env: Record<string, string>) => {
  const path = JSON.stringify(`${bundleOf(name).directory}/index.mjs`)
  // Not the frame of an uncaught error, which is the whole bundle in one line.
  const script = `await import(${path}).catch((thrown) => { console.error(String(thrown)); process.exitCode = 1 })`
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 20_000,
    env: { PATH: process.env['PATH'] ?? '', AWS_REGION: 'eu-west-1', ...env },
  })
}

const queues = Object.fromEntries(
  ['observations', 'alert-changes', 'triage', 'deliver', 'publish'].map((name) => [
    name,
    `https://sqs.example/${name}`,
  ]),
)
/** What the stacks give to one function or another. */
const everything = {
  WHODUNIT_NAME: 'shop',
  WHODUNIT_HUB_REGION: 'eu-west-1',
  WHODUNIT_TABLE: 'shop',
  WHODUNIT_QUEUES: JSON.stringify(queues),
  WHODUNIT_OBSERVATIONS_URL: queues['observations'] ?? '',
  WHODUNIT_PROBE_QUEUES: '{}',
  WHODUNIT_BUCKETS: '{"evidence":"e","windows":"w","status":"s","history":"h"}',
  WHODUNIT_TOPICS: '{}',
  WHODUNIT_API_URL: 'https://api.example',
  WHODUNIT_STATUS_URL: 'https://status.example',
  WHODUNIT_LOCATION: 'eu-west-1',
  WHODUNIT_PROBES_AT_ONCE: '100',
  WHODUNIT_OPERATORS_TOPIC: 'arn:aws:sns:eu-west-1:000000000000:operators',
  WHODUNIT_WATCH_TABLE: 'shop-watch',
}

test.each(names)('%s starts in its environment, silently and without asking anybody', (name) => {
  const { status, stdout, stderr } = imported(name, everything)
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
})

test.each(names)('%s says in one sentence what its environment lacks', (name) => {
  const { status, stderr } = imported(name, { ...everything, WHODUNIT_NAME: '', WHODUNIT_HUB_REGION: '' })
  expect(status).toBe(1)
  expect(stderr).toContain(
    "this function's environment lacks WHODUNIT_NAME (not set), WHODUNIT_HUB_REGION (not set): the stacks set it, so run cdk deploy again",
  )
})

test('what the bundles keep of undici and of the SDK’s credentials does its work', async () => {
  const server = createServer((_, response) => response.end('seen'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // `as`: a listening TCP server's address is neither null nor a pipe's name.
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const contents = `import { Agent } from 'undici'
import { SQSClient } from '@aws-sdk/client-sqs'
const agent = new Agent()
const { statusCode, body } = await agent.request({ origin: '${origin}', path: '/', method: 'GET' })
const credentials = await new SQSClient().config.credentials()
console.log(statusCode, await body.text(), credentials.accessKeyId)
await agent.close()`
  const outfile = join(folder, 'trimmed.mjs')
  buildSync({
    stdin: { contents, resolveDir: process.cwd() },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias: trimmedPackages(process.cwd()),
    mainFields: ['module', 'main'],
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  })
  const env = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'from-the-environment', AWS_SECRET_ACCESS_KEY: 'test' }
  const said = await promisify(execFile)(process.execPath, [outfile], { env, timeout: 20_000 })
  await new Promise((resolve) => server.close(resolve))
  expect(said).toEqual({ stdout: '200 seen from-the-environment\n', stderr: '' })
})

test('of undici nothing is used but what the bundles keep of it', () => {
  const imports = product.flatMap(({ text }) => [...text.matchAll(/^import (.+) from 'undici'$/gm)])
  const values = imports.flatMap(([, what = '']) =>
    what
      .replaceAll(/[{}]/g, '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type ')),
  )
  expect(imports.length).toBeGreaterThan(0)
  expect(new Set(values)).toEqual(new Set(['Agent']))
})
