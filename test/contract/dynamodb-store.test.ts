import { afterAll, test } from '@jest/globals'
import { dynamodbStore } from '../../stores/dynamodb.ts'
import { dynamodbClient, makeTable, startDynamodbLocal } from '../engines/dynamodb-local.ts'
import { storeSuite } from './store.ts'

const engine = await startDynamodbLocal()

if (engine.status === 'running') {
  const client = dynamodbClient(engine.endpoint)
  afterAll(async () => {
    client.destroy()
    await engine.stop()
  })
  storeSuite('dynamodb', async (nowMs, deadLetters) => {
    const { table, drop } = await makeTable(client)
    const open = () => dynamodbStore({ table, client, nowMs, deadLetters })
    const store = open()
    return { store, another: async () => open(), close: drop }
  })
} else {
  test.skip(`the dynamodb store (skipped: ${engine.reason})`, () => undefined)
}
