import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { dynamodbTable } from '../../stores/contract.ts'
import { freePort } from './free-port.ts'

/**
 * Amazon's own DynamoDB engine, in memory, as a Java process. Its jars are fetched once by Maven into `.cache`.
 * Where it cannot run, tests skip and say why, unless WHODUNIT_ENGINES=required.
 */
export type Engine =
  | { status: 'running'; endpoint: string; stop: () => Promise<void> }
  | { status: 'skipped'; reason: string }

const version = '3.1.0'
const folder = join('.cache', 'dynamodb-local')
const javaNeeded = 17
const startLimitMs = 60_000
const downloadLimitMs = 300_000

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>whodunit</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>software.amazon.dynamodb</groupId><artifactId>DynamoDBLocal</artifactId><version>${version}</version>
    </dependency>
  </dependencies>
</project>
`

const javaVersion = (): number => {
  const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8', timeout: 30_000 })
  return Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0)
}

const jarsThere = () => existsSync(join(folder, `DynamoDBLocal-${version}.jar`))

/** Into a folder of its own and then into place at once: two runs side by side spoil nothing. */
const download = (): string | undefined => {
  mkdirSync('.cache', { recursive: true })
  const fresh = mkdtempSync(join('.cache', 'dynamodb-local-'))
  try {
    writeFileSync(join(fresh, 'pom.xml'), pom)
    const goal = [
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${process.cwd()}/${fresh}`,
    ]
    execFileSync('mvn', ['-q', '-B', '-f', join(fresh, 'pom.xml'), ...goal], {
      timeout: downloadLimitMs,
      stdio: 'pipe',
    })
    if (!readdirSync(fresh).includes(`DynamoDBLocal-${version}.jar`)) return 'Maven fetched no DynamoDB Local'
    if (existsSync(folder) && !jarsThere()) rmSync(folder, { recursive: true })
    if (!existsSync(folder)) renameSync(fresh, folder)
    return undefined
  } catch (error) {
    if (jarsThere()) return undefined
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return missing ? 'no Maven' : 'DynamoDB Local could not be downloaded'
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

const gone = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

const stopped = async (child: ChildProcess): Promise<void> => {
  if (gone(child)) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 5000)
  await exit
  clearTimeout(late)
}

const answers = async (endpoint: string): Promise<boolean> => {
  try {
    // Anything at all will do: it refuses what is not signed.
    await fetch(endpoint, { signal: AbortSignal.timeout(1000) })
    return true
  } catch {
    return false
  }
}

const launch = async (): Promise<Engine> => {
  const port = await freePort()
  const child = spawn(
    'java',
    [
      '-Xmx512m',
      `-Djava.library.path=${folder}`,
      ...['-cp', `${folder}/*`, 'software.amazon.dynamodb.services.local.main.ServerRunner'],
      ...['-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(port)],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', (bytes) => {
    said = `${said}${bytes}`.slice(-500)
  })
  child.once('error', () => undefined)
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const stop = async () => {
    process.removeListener('exit', kill)
    await stopped(child)
  }
  const endpoint = `http://127.0.0.1:${port}`
  for (const sinceMs = performance.now(); performance.now() - sinceMs < startLimitMs && !gone(child); ) {
    if (await answers(endpoint)) return { status: 'running', endpoint, stop }
    await wait(50)
  }
  await stop()
  return { status: 'skipped', reason: `DynamoDB Local did not start: ${said.trim()}` }
}

const start = async (): Promise<Engine> => {
  if (javaVersion() < javaNeeded) return { status: 'skipped', reason: `no Java ${javaNeeded} or newer` }
  const failed = jarsThere() ? undefined : download()
  return failed === undefined ? launch() : { status: 'skipped', reason: failed }
}

/** Starts it on a free port. Throws where it is required and cannot run. */
export const startDynamodbLocal = async (): Promise<Engine> => {
  const engine = await start()
  if (engine.status === 'skipped') {
    if (process.env['WHODUNIT_ENGINES'] === 'required') throw new Error(`DynamoDB Local is required: ${engine.reason}`)
    process.stderr.write(`skipped: ${engine.reason}\n`)
  }
  return engine
}

/** A client; with one attempt it shows each to its caller. */
export const dynamodbClient = (endpoint: string, maxAttempts = 1): DynamoDBClient =>
  new DynamoDBClient({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts,
  })

/** A table of its own, as a deployment makes it. */
export const makeTable = async (client: DynamoDBClient): Promise<{ table: string; drop: () => Promise<void> }> => {
  const table = `whodunit-${randomUUID()}`
  const { partitionKey, sortKey, dueIndex } = dynamodbTable
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: partitionKey, AttributeType: 'S' },
        { AttributeName: sortKey, AttributeType: 'S' },
        { AttributeName: dueIndex.partitionKey, AttributeType: 'S' },
        { AttributeName: dueIndex.sortKey, AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: partitionKey, KeyType: 'HASH' },
        { AttributeName: sortKey, KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: dueIndex.name,
          KeySchema: [
            { AttributeName: dueIndex.partitionKey, KeyType: 'HASH' },
            { AttributeName: dueIndex.sortKey, KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  )
  return {
    table,
    drop: async () => {
      await client.send(new DeleteTableCommand({ TableName: table }))
    },
  }
}
