import { type Program, rpcMetrics, rpcServer } from './rpc.ts'
import type { World } from './world.ts'

/** Knows the emoji one can vote for. It has no service profile, so the mesh sees no routes of it. */
export const emojiServer = (world: World) => {
  const { items, rpc } = world.names
  const program: Program = {
    service: rpc.emojiService,
    methods: {
      [rpc.listAll]: () => ({ code: 0, message: '', body: items }),
      [rpc.find]: ({ shortcode }) => {
        const found = items.find((item) => item.shortcode === shortcode)
        return { code: 0, message: '', body: found ?? null }
      },
    },
    hasRoutes: false,
    metrics: rpcMetrics(),
    reset: () => {
      program.metrics = rpcMetrics()
    },
  }
  return rpcServer(world, 'emoji', program)
}
