import { fill, voteMethod } from './names.ts'
import { type Method, type Program, type Result, rpcMetrics, rpcServer } from './rpc.ts'
import type { World } from './world.ts'

/** Counts votes; one method for each emoji, and `Results`. */
export const votingServer = (world: World) => {
  const { names, log } = world
  const votes = new Map<string, number>()
  const failing = (): Result => {
    const chance = world.random().toFixed(6)
    log('voting', fill(names.texts.probability, { chance, rate: '1.000000' }))
    log('voting', names.texts.itemError)
    return { code: 2, message: names.texts.rpcFailure }
  }
  const [broken] = names.items
  const vote =
    (shortcode: string): Method =>
    () => {
      if (world.scene === 'doughnut' && shortcode === broken.shortcode && world.faultOn()) return failing()
      const total = (votes.get(shortcode) ?? 0) + 1
      votes.set(shortcode, total)
      program.metrics.add(`${names.metricPrefix}_${names.fields.votes}_total`, { [names.fields.item]: shortcode })
      log('voting', fill(names.texts.voted, { item: shortcode, total: String(total) }))
      return { code: 0, message: '', body: {} }
    }
  const program: Program = {
    service: names.rpc.votingService,
    methods: {
      ...Object.fromEntries(names.items.map(({ shortcode }) => [voteMethod(names, shortcode), vote(shortcode)])),
      [names.rpc.results]: () => ({ code: 0, message: '', body: Object.fromEntries(votes) }),
    },
    hasRoutes: true,
    metrics: rpcMetrics(),
    reset: () => {
      votes.clear()
      program.metrics = rpcMetrics()
    },
  }
  return rpcServer(world, 'voting', program)
}
