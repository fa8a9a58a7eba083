import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { OutboxRow } from '../../functions/contract.ts'
import { type Store, StoreError } from '../../stores/contract.ts'
import { dynamodbStore } from '../../stores/dynamodb.ts'
import { dynamodbClient, makeTable, startDynamodbLocal } from '../engines/dynamodb-local.ts'
import { type Fault, type FaultyProxy, type Json, startProxy } from '../engines/dynamodb-proxy.ts'

const engine = await startDynamodbLocal()
const engineTest = engine.status === 'running' ? test : test.skip
const proxy: FaultyProxy = await startProxy(engine.status === 'running' ? engine.endpoint : 'http://127.0.0.1:1')
const direct = dynamodbClient(engine.status === 'running' ? engine.endpoint : 'http://127.0.0.1:1')
const broken = dynamodbClient(proxy.endpoint)
// A client that tries again by itself, as one made without a thought does.
const stubborn = dynamodbClient(proxy.endpoint, 3)

const opened: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const drop of opened) await drop()
  for (const client of [direct, broken, stubborn]) client.destroy()
  await proxy.stop()
  if (engine.status === 'running') await engine.stop()
})
beforeEach(() => {
  proxy.clear()
  proxy.seen()
})

const nowMs = () => 1_000_000
type Under = { store: Store; beside: Store; table: string }

/** A store behind the proxy, and one on the same table that nothing happens to. */
const open = async (options: { requestTimeoutMs?: number; deadlineMs?: number } = {}): Promise<Under> => {
  const { table, drop } = await makeTable(direct)
  opened.push(drop)
  const store = dynamodbStore({ table, client: broken, nowMs, requestTimeoutMs: 300, ...options })
  return { store, table, beside: dynamodbStore({ table, client: direct, nowMs }) }
}

const rowOf = (id: string, dueAtMs = 1): OutboxRow => ({ id, dueAtMs, nudges: 0, to: 'evaluate', body: { shard: 's' } })
const create = (id: string) => ({ id, expect: 0, row: rowOf(id) })

const failureOf = async (work: Promise<unknown>): Promise<StoreError> => {
  const outcome = await work.then(
    (answer) => new Error(`no error but ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  )
  if (outcome instanceof StoreError) return outcome
  throw outcome
}

const cancelled = (...codes: string[]): Fault => ({
  kind: 'refuse',
  status: 400,
  type: 'TransactionCanceledException',
  more: { CancellationReasons: codes.map((Code) => ({ Code, Message: Code })) },
})
const refused = (type: string, status = 400): Fault => ({ kind: 'refuse', status, type })
const failedAfter: Fault = { kind: 'refuse', status: 500, type: 'InternalServerError', reached: true }

const passing: { given: string; fault: Fault; only?: 'PutItem' | 'TransactWriteItems' }[] = [
  { given: 'throttled', fault: refused('ThrottlingException') },
  { given: 'over its throughput', fault: refused('ProvisionedThroughputExceededException') },
  { given: 'over the limit of the account', fault: refused('RequestLimitExceeded') },
  { given: 'failing inside', fault: refused('InternalServerError', 500) },
  { given: 'failing inside after it wrote', fault: failedAfter },
  { given: 'away', fault: refused('ServiceUnavailable', 503) },
  { given: 'dropping the connection before', fault: { kind: 'drop', reached: false } },
  { given: 'dropping the connection after', fault: { kind: 'drop', reached: true } },
  { given: 'silent before', fault: { kind: 'hang', reached: false } },
  { given: 'silent after', fault: { kind: 'hang', reached: true } },
  { given: 'breaking off its answer', fault: { kind: 'cut', reached: true } },
  { given: 'in the way with a transaction', fault: refused('TransactionConflictException'), only: 'PutItem' },
  { given: 'cancelling for a conflict', fault: cancelled('None', 'TransactionConflict'), only: 'TransactWriteItems' },
  { given: 'cancelling as throttled', fault: cancelled('ThrottlingError', 'None'), only: 'TransactWriteItems' },
  {
    given: 'cancelling over its throughput',
    fault: cancelled('ProvisionedThroughputExceeded', 'None'),
    only: 'TransactWriteItems',
  },
  { given: 'still at it', fault: refused('TransactionInProgressException'), only: 'TransactWriteItems' },
]
const passingFor = (operation: string) => passing.filter(({ only }) => only === undefined || only === operation)

describe('what passes is tried again', () => {
  engineTest.each(passingFor('PutItem'))('one update, DynamoDB $given', async ({ fault }) => {
    const { store, beside } = await open()
    await beside.commit([{ key: 'shard/a', expect: 0, value: 'old' }])
    proxy.next('PutItem', fault, fault)
    expect(await store.commit([{ key: 'shard/a', expect: 1, value: 'new' }])).toBe('committed')
    expect(await beside.read(['shard/a'])).toEqual(new Map([['shard/a', { value: 'new', version: 2 }]]))
  })

  engineTest.each(passingFor('TransactWriteItems'))('a transaction, DynamoDB $given', async ({ fault }) => {
    const { store, beside } = await open()
    proxy.next('TransactWriteItems', fault, fault)
    expect(await store.commit([{ key: 'shard/a', expect: 0, value: 1 }], [create('r')])).toBe('committed')
    expect(await beside.read(['shard/a'])).toEqual(new Map([['shard/a', { value: 1, version: 1 }]]))
    expect(await beside.due(9, 9)).toEqual([{ row: rowOf('r'), version: 1 }])
    const tokens = proxy.seen().map(({ asked }) => asked['ClientRequestToken'])
    expect(tokens).toHaveLength(3)
    expect(new Set(tokens).size).toBe(1)
  })

  engineTest('two commits of the same are two transactions', async () => {
    const { store } = await open()
    await store.commit([], [create('r')])
    expect(await store.commit([], [create('r')])).toBe('conflict')
    expect(new Set(proxy.seen().map(({ asked }) => asked['ClientRequestToken'])).size).toBe(2)
  })

  engineTest.each(['GetItem', 'BatchGetItem', 'Query'])('a read by %s', async (operation) => {
    const { store, beside } = await open()
    await beside.commit([{ key: 'shard/a', expect: 0, value: 1 }], [create('r')])
    const faults = passing.filter(({ only }) => !only).map(({ fault }) => fault)
    for (const fault of faults) {
      proxy.next(operation, fault)
      expect((await store.read(['shard/a'])).size).toBe(1)
      expect((await store.read(['shard/a', 'shard/b'])).size).toBe(1)
      expect((await store.list('shard/', { limit: 9 })).size).toBe(1)
      expect(await store.due(9, 9)).toHaveLength(1)
    }
  })
})

describe('a lost answer', () => {
  engineTest('is no conflict when DynamoDB itself wrote twice, on the first attempt', async () => {
    const { store, beside } = await open()
    await beside.commit([{ key: 'shard/a', expect: 0, value: 'old' }])
    proxy.next('PutItem', { kind: 'twice' })
    expect(await store.commit([{ key: 'shard/a', expect: 1, value: 'new' }])).toBe('committed')
    expect((await beside.read(['shard/a'])).get('shard/a')?.version).toBe(2)
  })

  engineTest('is no conflict when the client tried again by itself', async () => {
    const { table, beside } = await open()
    const store = dynamodbStore({ table, client: stubborn, nowMs })
    await beside.commit([{ key: 'shard/a', expect: 0, value: 'old' }])
    proxy.next('PutItem', failedAfter)
    expect(await store.commit([{ key: 'shard/a', expect: 1, value: 'new' }])).toBe('committed')
    proxy.next('TransactWriteItems', failedAfter)
    expect(await store.commit([], [create('r')])).toBe('committed')
    proxy.next('DeleteItem', failedAfter)
    expect((await failureOf(store.commit([], [{ id: 'r', expect: 1 }]))).code).toBe('unreachable')
  })

  engineTest('of an update others wrote over since is told as unsure, never as a conflict', async () => {
    const { store, beside } = await open()
    await beside.commit([{ key: 'shard/a', expect: 0, value: 'old' }])
    const meanwhile = () => beside.commit([{ key: 'shard/a', expect: 2, value: 'theirs, which counts ours' }])
    proxy.next('PutItem', { kind: 'drop', reached: true, meanwhile })
    const failure = await failureOf(store.commit([{ key: 'shard/a', expect: 1, value: 'ours' }]))
    expect(failure).toMatchObject({ code: 'unreachable', hint: expect.stringMatching(/read it again/i) })
    expect((await beside.read(['shard/a'])).get('shard/a')).toEqual({ value: 'theirs, which counts ours', version: 3 })
  })

  engineTest('of a delete is told as unsure', async () => {
    const { store, beside } = await open()
    await beside.commit([], [create('r')])
    proxy.next('DeleteItem', { kind: 'drop', reached: true })
    expect((await failureOf(store.commit([], [{ id: 'r', expect: 1 }]))).code).toBe('unreachable')
    expect(await beside.row('r')).toBeUndefined()
  })

  engineTest('of a new row does not bring it back when it was consumed meanwhile', async () => {
    const { store, beside } = await open()
    const meanwhile = () => beside.commit([], [{ id: 'r', expect: 1 }])
    proxy.next('TransactWriteItems', { kind: 'hang', reached: true, meanwhile })
    expect(await store.commit([], [create('r')])).toBe('committed')
    expect(await beside.row('r')).toBeUndefined()
  })
})

describe('a conflict is one', () => {
  engineTest('after an attempt that was refused', async () => {
    const { store, beside } = await open()
    await beside.commit([{ key: 'shard/a', expect: 0, value: 1 }])
    await beside.commit([{ key: 'shard/a', expect: 1, value: 2 }])
    proxy.next('PutItem', refused('ThrottlingException'))
    expect(await store.commit([{ key: 'shard/a', expect: 1, value: 'late' }])).toBe('conflict')
    proxy.next('DeleteItem', refused('ThrottlingException'))
    expect(await store.commit([{ key: 'shard/a', expect: 1 }])).toBe('conflict')
    proxy.next('TransactWriteItems', cancelled('TransactionConflict'))
    expect(await store.commit([{ key: 'shard/a', expect: 0, value: 'new' }])).toBe('conflict')
  })

  engineTest('when only one of several reasons is one', async () => {
    const { store } = await open()
    proxy.next('TransactWriteItems', cancelled('TransactionConflict', 'None', 'ConditionalCheckFailed'))
    expect(await store.commit([{ key: 'shard/a', expect: 0, value: 1 }], [create('r')])).toBe('conflict')
    expect(proxy.seen()).toHaveLength(1)
  })
})

describe('what does not pass ends with a reason in time', () => {
  engineTest.each([
    { given: 'throttling', fault: refused('ThrottlingException'), code: 'throttled' },
    { given: 'a busy transaction', fault: cancelled('TransactionConflict'), code: 'locked' },
    { given: 'failure', fault: refused('InternalServerError', 500), code: 'unreachable' },
    { given: 'silence', fault: { kind: 'hang', reached: false } as const, code: 'unreachable' },
    { given: 'half an answer', fault: { kind: 'cut', reached: false } as const, code: 'unreachable' },
  ])('lasting $given is $code', async ({ fault, code }) => {
    const { store } = await open({ requestTimeoutMs: 100, deadlineMs: 400 })
    for (const operation of ['TransactWriteItems', 'GetItem', 'Query', 'BatchGetItem']) proxy.always(operation, fault)
    const calls = [
      () => store.commit([{ key: 'shard/a', expect: 0, value: 1 }]),
      () => store.read(['shard/a']),
      () => store.read(['shard/a', 'shard/b']),
      () => store.due(9, 9),
      () => store.list('shard/', { limit: 9 }),
    ]
    for (const call of calls) {
      const sinceMs = performance.now()
      expect(await failureOf(call())).toMatchObject({ code, hint: expect.stringMatching(/./) })
      expect(performance.now() - sinceMs).toBeLessThan(1500)
    }
    expect(proxy.seen().length).toBeGreaterThan(calls.length)
  })

  engineTest.each([
    { type: 'AccessDeniedException', code: 'forbidden' },
    { type: 'UnrecognizedClientException', code: 'forbidden' },
    { type: 'ExpiredTokenException', code: 'forbidden' },
    { type: 'ResourceNotFoundException', code: 'not-a-store' },
    { type: 'ValidationException', code: 'store-failed' },
  ])('$type is $code at the first attempt', async ({ type, code }) => {
    const { store, table } = await open()
    proxy.next('GetItem', refused(type))
    const failure = await failureOf(store.read(['shard/a']))
    expect(failure).toMatchObject({ code, message: expect.stringContaining(table) })
    expect(proxy.seen()).toHaveLength(1)
  })

  engineTest('a table that is not there, and an engine that is not there', async () => {
    const elsewhere = dynamodbStore({ table: 'not-there', client: direct, nowMs })
    expect((await failureOf(elsewhere.commit([], [create('r')]))).code).toBe('not-a-store')
    const client = dynamodbClient('http://127.0.0.1:1')
    const nowhere = dynamodbStore({ table: 'a', client, nowMs, requestTimeoutMs: 200, deadlineMs: 300 })
    expect((await failureOf(nowhere.read(['shard/a']))).code).toBe('unreachable')
    client.destroy()
  })
})

const halfOfTheKeys = (table: string): Fault => {
  const keysOf = (asked: Json): unknown[] => Object(asked['RequestItems'])[table].Keys
  const only = (asked: Json, Keys: unknown[]): Json => ({ [table]: { ...Object(asked['RequestItems'])[table], Keys } })
  const half = (keys: unknown[]) => Math.ceil(keys.length / 2)
  return {
    kind: 'rewrite',
    request: (asked) => ({ ...asked, RequestItems: only(asked, keysOf(asked).slice(0, half(keysOf(asked)))) }),
    answer: (answered, asked) => {
      const left = keysOf(asked).slice(half(keysOf(asked)))
      return { ...answered, UnprocessedKeys: left.length > 0 ? only(asked, left) : {} }
    },
  }
}
const oneAPage: Fault = { kind: 'rewrite', request: (asked) => ({ ...asked, Limit: 1 }) }

describe('partial answers', () => {
  const ids = Array.from({ length: 40 }, (_, index) => `r${String(index).padStart(2, '0')}`)
  const fill = (store: Store) =>
    store.commit(
      ids.map((id) => ({ key: `shard/${id}`, expect: 0, value: id })),
      ids.map((id, index) => ({ id, expect: 0, row: rowOf(id, 40 - index) })),
    )

  engineTest('keys left unread and pages of one item come together whole and in order', async () => {
    const { store, beside, table } = await open()
    await fill(beside)
    proxy.always('BatchGetItem', halfOfTheKeys(table))
    proxy.always('Query', oneAPage)
    expect([...(await store.read(ids.map((id) => `shard/${id}`))).keys()]).toEqual(ids.map((id) => `shard/${id}`))
    expect([...(await store.list('shard/', { limit: 99 })).values()].map(({ value }) => value)).toEqual(ids)
    expect((await store.due(99, 99)).map(({ row }) => row.id)).toEqual([...ids].reverse())
    expect((await store.due(20, 7)).map(({ row }) => row.dueAtMs)).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  engineTest('keys that stay unread are no answer, not an empty one', async () => {
    const { store, beside } = await open({ requestTimeoutMs: 1000, deadlineMs: 1200 })
    await fill(beside)
    proxy.always('BatchGetItem', {
      kind: 'rewrite',
      answer: (_, asked) => ({ Responses: {}, UnprocessedKeys: asked['RequestItems'] }),
    })
    expect((await failureOf(store.read(['shard/r00', 'shard/r01']))).code).toBe('throttled')
    expect((await failureOf(store.due(99, 99))).code).toBe('throttled')
  })

  engineTest('an index that lags behind gives no row that is gone or put off', async () => {
    const { store, beside } = await open()
    await beside.commit([], ['gone', 'later', 'now'].map(create))
    const kept = new Map<unknown, Json>()
    const bucketOf = (asked: Json) => Object(asked['ExpressionAttributeValues'])[':bucket'].S
    const remember: Fault = { kind: 'rewrite', answer: (told, asked) => kept.set(bucketOf(asked), told) && told }
    proxy.always('Query', remember)
    expect(await store.due(9, 9)).toHaveLength(3)
    const later = { ...rowOf('later'), dueAtMs: 50 }
    await beside.commit(
      [],
      [
        { id: 'gone', expect: 1 },
        { id: 'later', expect: 1, row: later },
      ],
    )
    proxy.always('Query', { kind: 'rewrite', answer: (told, asked) => kept.get(bucketOf(asked)) ?? told })
    expect(await store.due(9, 9)).toEqual([{ row: rowOf('now'), version: 1 }])
  })
})
