import { handle } from 'hono/aws-lambda'
import { hubBucket } from '../../aws/bucket.ts'
import { deployedFacts } from '../../aws/environment.ts'
import { hub } from '../../aws/hub.ts'
import { deployedSecrets } from '../../aws/secrets.ts'
import { webApp } from '../../web/app.ts'
import { monitorViewsOf } from '../monitor-views.ts'

const ground = hub({ env: process.env, nowMs: () => Date.now() }, { role: 'api', needs: ['WHODUNIT_BUCKETS'] })
const { config, env, health, nowMs, nudge, region, store } = ground
const { token } = config.api
const secrets = deployedSecrets(ground, token ? [token] : [])

const apiToken = async () => {
  if (!token) return undefined
  await health.refreshed(secrets)
  return secrets.secret(token)
}

const app = webApp({
  store,
  blobs: hubBucket({ bucket: env.WHODUNIT_BUCKETS.status, region }),
  nowMs,
  nudge,
  warn: health.warn,
  config: { ...config, monitors: monitorViewsOf(config, deployedFacts()) },
  access: { token: apiToken },
})

export const handler = health.handler(handle(app))
