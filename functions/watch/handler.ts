import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { PublishCommand, type PublishCommandInput, SNSClient } from '@aws-sdk/client-sns'
import { SSMClient } from '@aws-sdk/client-ssm'
import { deployedConfig, environmentOf } from '../../aws/environment.ts'
import { ssmSecrets } from '../../aws/secrets.ts'
import { telemetry } from '../../aws/telemetry.ts'
import { dynamodbStore } from '../../stores/dynamodb.ts'
import { fresh, referencesOf, storeTimes, watchVariables, watchWorld } from './config.ts'
import { watchStep } from './step.ts'

const env = environmentOf(process.env, watchVariables)
const config = deployedConfig()
const nowMs = () => Date.now()
const { WHODUNIT_NAME: name, WHODUNIT_HUB_REGION: hubRegion, WHODUNIT_LOCATION: location } = env
const references = referencesOf(config, location)
const secrets = ssmSecrets({ client: new SSMClient(fresh(hubRegion)), name, references, nowMs })
const sns = new SNSClient(fresh())
const publish = (input: PublishCommandInput) => sns.send(new PublishCommand(input))
const place = { name, hubRegion, location }

const store = (table: string, region?: string) => {
  const client = new DynamoDBClient({ ...fresh(region), maxAttempts: 1 })
  return dynamodbStore({ table, client, nowMs, ...storeTimes })
}
const step = watchStep({
  hub: store(env.WHODUNIT_TABLE, hubRegion),
  own: store(env.WHODUNIT_WATCH_TABLE),
  ...watchWorld(config, { place, topicArn: env.WHODUNIT_OPERATORS_TOPIC, publish, nowMs, ...secrets }),
})

const tell = telemetry({ name, role: 'watch', location })
export const handler = tell.handler(async () => {
  const result = await step()
  const isQuiet = result.reason === 'pulse-fresh' && result.troubles.length === 0
  if (!isQuiet) tell.warn('the hub as seen from here', result)
  if (result.page === 'failed' || result.memory === 'not-kept') throw new Error(result.troubles.join('; '))
})
