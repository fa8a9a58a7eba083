import { randomBytes } from 'node:crypto'
import { brotliCompressSync } from 'node:zlib'
import { type AttributeValue, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, expect, test } from '@jest/globals'
import type { OutboxRow } from '../../functions/contract.ts'
import { itemLimitBytes, quarantined, quarantineKey, type Store, StoreError } from '../../stores/contract.ts'
import { dynamodbStore } from '../../stores/dynamodb.ts'
import { dynamodbClient, makeTable, startDynamodbLocal } from '../engines/dynamodb-local.ts'

const engine = await startDynamodbLocal()
const engineTest = engine.status === 'running' ? test : test.skip
const client = dynamodbClient(engine.status === 'running' ? engine.endpoint : 'http://127.0.0.1:1')
const opened: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const drop of opened) await drop()
  client.destroy()
  if (engine.status === 'running') await engine.stop()
})

type Units = { writeUnits: number; readUnits: number }
type Under = { store: Store; table: string; used: Units; sizes: Map<string, number> }

const open = async (): Promise<Under> => {
  const { table, drop } = await makeTable(client)
  opened.push(drop)
  const used: Units = { writeUnits: 0, readUnits: 0 }
  const sizes = new Map<string, number>()
  const store = dynamodbStore({
    table,
    client,
    nowMs: () => 1_000_000,
    onConsumed: ({ writeUnits, readUnits }) => {
      used.writeUnits += writeUnits
      used.readUnits += readUnits
    },
    onStored: ({ key, storedBytes }) => sizes.set(key, storedBytes),
  })
  return { store, table, used, sizes }
}

const rowOf = (id: string, shard = 's', dueAtMs = 1): OutboxRow => ({
  id,
  dueAtMs,
  nudges: 0,
  to: 'evaluate',
  body: { shard },
})

type Attributes = Record<string, AttributeValue>
const everything = async (table: string): Promise<Attributes[]> =>
  (await client.send(new ScanCommand({ TableName: table }))).Items ?? []
const rawPut = (table: string, Item: Attributes) => client.send(new PutItemCommand({ TableName: table, Item }))

const failureOf = async (work: Promise<unknown>): Promise<StoreError> => {
  const outcome: unknown = await work.then(
    () => new Error('no error'),
    (error: unknown) => error,
  )
  if (outcome instanceof StoreError) return outcome
  throw outcome
}

engineTest('an item, an item that expires and a row lie in the table as the layout says', async () => {
  const { store, table } = await open()
  await store.commit(
    [
      { key: 'shard/a/at/x', expect: 0, value: { n: 1 } },
      { key: 'lease/b', expect: 0, value: 2, expiresAtMs: 1_000_500.5 },
    ],
    [{ id: 'r', expect: 0, row: rowOf('r') }],
  )
  const found = await everything(table)
  expect(found.sort((left, right) => String(left['sk']?.S).localeCompare(String(right['sk']?.S)))).toEqual([
    {
      pk: { S: expect.stringMatching(/^lease#(\d|1[0-5])$/) },
      sk: { S: 'lease/b' },
      version: { N: '1' },
      text: { S: '2' },
      expiresAtMs: { N: '1000500.5' },
      ttl: { N: '1001' },
    },
    {
      pk: { S: expect.stringMatching(/^\/row#(\d|1[0-5])$/) },
      sk: { S: 'r' },
      version: { N: '1' },
      text: { S: JSON.stringify(rowOf('r')) },
      dueBucket: { S: expect.stringMatching(/^[0-7]$/) },
      dueAtMs: { N: '1' },
    },
    {
      pk: { S: expect.stringMatching(/^shard#(\d|1[0-5])$/) },
      sk: { S: 'shard/a/at/x' },
      version: { N: '1' },
      text: { S: '{"n":1}' },
    },
  ])
})

engineTest('no partition holds much more than its share', async () => {
  const { store, table } = await open()
  for (let from = 0; from < 800; from += 50) {
    const ids = Array.from({ length: 50 }, (_, index) => `deliver:inc-${from + index}:1`)
    await store.commit(
      ids.map((id) => ({ key: `incident/${id}`, expect: 0, value: 1 })),
      ids.map((id) => ({ id, expect: 0, row: rowOf(id) })),
    )
  }
  const found = await everything(table)
  for (const [name, buckets] of [
    ['pk', 32],
    ['dueBucket', 8],
  ] as const) {
    const counts = new Map<string, number>()
    for (const { [name]: value } of found) if (value?.S) counts.set(value.S, (counts.get(value.S) ?? 0) + 1)
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
    expect(counts.size).toBe(buckets)
    expect(Math.max(...counts.values())).toBeLessThan((2 * all) / buckets)
  }
  expect(await store.due(1, 1000)).toHaveLength(800)
  expect((await store.list('incident/', { limit: 1000 })).size).toBe(800)
})

const repetitive = (bytes: number) => JSON.parse(`["${'pass fail '.repeat(bytes / 10)}"]`)
const chaotic = (bytes: number) => randomBytes(bytes / 2).toString('hex')

engineTest.each([
  { given: 'small', value: { n: 1 }, attribute: 'text', units: 1 },
  { given: 'repetitive within one unit', value: repetitive(700), attribute: 'text', units: 1 },
  { given: 'repetitive beyond one unit', value: repetitive(50_000), attribute: 'packed', units: 1 },
  { given: 'chaotic', value: chaotic(40_000), attribute: 'packed', units: 22 },
  {
    given: 'as chaotic as JSON gets, two units',
    value: randomBytes(1100).toString('base64'),
    attribute: 'text',
    units: 2,
  },
])('a value that is $given costs $units write units', async ({ value, attribute, units }) => {
  const { store, table, used, sizes } = await open()
  await store.commit([{ key: 'shard/a', expect: 0, value: 0 }])
  used.writeUnits = 0
  await store.commit([{ key: 'shard/a', expect: 1, value }])
  const [item] = await everything(table)
  expect(Object.keys(item ?? {})).toContain(attribute)
  expect(used.writeUnits).toBeGreaterThanOrEqual(units - 1)
  expect(used.writeUnits).toBeLessThanOrEqual(units)
  expect(Math.ceil((sizes.get('shard/a') ?? 0) / 1024)).toBe(used.writeUnits)
  expect((await store.read(['shard/a'])).get('shard/a')?.value).toEqual(value)
})

engineTest('one update costs half of what a transaction does', async () => {
  const { store, used } = await open()
  const spent = async (work: () => Promise<unknown>): Promise<Units> => {
    const before = { ...used }
    await work()
    return { writeUnits: used.writeUnits - before.writeUnits, readUnits: used.readUnits - before.readUnits }
  }
  expect(await spent(() => store.commit([{ key: 'shard/a', expect: 0, value: 1 }]))).toMatchObject({ writeUnits: 2 })
  expect(await spent(() => store.commit([{ key: 'shard/a', expect: 1, value: 2 }]))).toMatchObject({ writeUnits: 1 })
  expect(await spent(() => store.read(['shard/a']))).toEqual({ writeUnits: 0, readUnits: 1 })
})

// A text that costs the most to quote and cannot be packed much: quotes, backslashes and chance.
const nasty = (bytes: number): string => {
  const signs = '"\\{}az09é'
  const text = [...randomBytes(bytes)].map((byte) => signs[byte % signs.length]).join('')
  return text.slice(0, Math.floor(bytes / (Buffer.byteLength(JSON.stringify(text)) / bytes)) - 40)
}

engineTest.each([
  { given: 'quotes and chance', shard: nasty(itemLimitBytes - 200) },
  { given: 'chance alone', shard: randomBytes((itemLimitBytes * 3) / 4 - 400).toString('base64') },
])('the largest row of $given can be written, and set aside when nobody can read it', async ({ shard }) => {
  const { store, sizes } = await open()
  const largest = rowOf('r', shard)
  expect(Buffer.byteLength(JSON.stringify(largest))).toBeGreaterThan(0.9 * itemLimitBytes)
  // `as`: what a newer version may have written.
  const strange = { ...largest, to: 'mars' } as unknown as OutboxRow
  expect(await store.commit([], [{ id: 'r', expect: 0, row: strange }])).toBe('committed')
  expect(await store.row('r')).toBeUndefined()
  const item = (await store.read([quarantineKey('r')])).get(quarantineKey('r'))
  expect(JSON.parse(quarantined.parse(item?.value).text)).toEqual(strange)
  expect(sizes.get(quarantineKey('r'))).toBeLessThan(1.2 * itemLimitBytes)
})

const strangers: { given: string; attributes: Attributes }[] = [
  { given: 'no version', attributes: { text: { S: '1' } } },
  { given: 'no value', attributes: { version: { N: '1' } } },
  { given: 'a text that is no JSON', attributes: { version: { N: '1' }, text: { S: '{' } } },
  { given: 'bytes that are not packed', attributes: { version: { N: '1' }, packed: { B: new Uint8Array([1, 2, 3]) } } },
  {
    given: 'a bomb',
    attributes: { version: { N: '1' }, packed: { B: brotliCompressSync(Buffer.alloc(50_000_000, 'a')) } },
  },
]

const keyOf = async ({ store, table }: Under, isRow: boolean): Promise<Attributes> => {
  if (isRow) await store.commit([], [{ id: 'r', expect: 0, row: rowOf('r') }])
  else await store.commit([{ key: 'shard/a', expect: 0, value: 1 }])
  const { text: _, version: __, ...keys } = (await everything(table))[0] ?? {}
  return keys
}

engineTest.each(strangers)('an item with $given is told as damage', async ({ attributes }) => {
  const under = await open()
  await rawPut(under.table, { ...(await keyOf(under, false)), ...attributes })
  const failure = await failureOf(under.store.read(['shard/a']))
  expect(failure).toMatchObject({ code: 'store-failed', message: expect.stringContaining('shard/a') })
  expect((await failureOf(under.store.list('shard/', { limit: 1 }))).code).toBe('store-failed')
})

engineTest.each(strangers.slice(1))(
  'a row with $given is set aside and stands in nobody’s way',
  async ({ attributes }) => {
    const under = await open()
    await rawPut(under.table, { ...(await keyOf(under, true)), ...attributes })
    await under.store.commit([], [{ id: 'good', expect: 0, row: rowOf('good', 's', 2) }])
    expect((await under.store.due(9, 1)).map(({ row }) => row.id)).toEqual(['good'])
    const item = (await under.store.read([quarantineKey('r')])).get(quarantineKey('r'))
    expect(quarantined.parse(item?.value)).toMatchObject({ rowId: 'r', reason: 'not JSON', dueAtMs: 1 })
    expect(await under.store.row('r')).toBeUndefined()
  },
)
