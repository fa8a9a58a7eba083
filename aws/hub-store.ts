import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { deadLetterRows } from '../functions/dead-letter.ts'
import type { Store } from '../stores/contract.ts'
import { dynamodbStore } from '../stores/dynamodb.ts'
import { storeClientOptions } from './clients.ts'

/** The hub's table; the store tries again by itself. */
export const hubStore = ({ table, region, nowMs }: { table: string; region: string; nowMs: () => number }): Store =>
  dynamodbStore({ table, client: new DynamoDBClient(storeClientOptions(region)), nowMs, deadLetters: deadLetterRows })
