import { normalise } from '../../config/normalise.ts'
import { type Config, configSchema } from '../../config/schema.ts'

/** A config of one service with these monitors and one channel that hears of everything; `more` are parts beside them. */
export const shopConfig = (monitors: readonly string[], more: object = {}): Config =>
  normalise(
    configSchema.parse({
      services: { shop: {} },
      channels: { screen: { kind: 'console' } },
      routes: [{ channels: ['screen'] }],
      monitors: Object.fromEntries(
        monitors.map((id) => [id, { kind: 'http', service: 'shop', url: `https://${id}.example/` }]),
      ),
      ...more,
    }),
  )
