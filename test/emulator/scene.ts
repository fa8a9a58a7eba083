import type { ConfigInput } from '../../config/schema.ts'
import type { Town } from '../../examples/emojivoto/town.ts'
import { type TownFiles, townConfig } from '../../examples/emojivoto/town-config.ts'

export const name = 'whodunit'
export const hub = 'eu-west-1'
export const away = 'us-east-1'

/** The example's own config, deployed: two regions look, pages go to a topic, users hear through a webhook. */
export const scene = (town: Town, at: { files: TownFiles; statusUrl: string }): ConfigInput => {
  const written = townConfig(town.names, town.urls, at.files)
  // A certificate authority and a token in files of this machine are not deployed: what is inside is read at its address.
  const monitors = Object.entries(written.monitors).filter(([, monitor]) => !('tls' in monitor))
  const watched = new Set(monitors.map(([id]) => id))
  const rules = Object.fromEntries(
    [...watched].map((monitor) => [
      `${monitor}-down`,
      { kind: 'availability' as const, monitor, failureThreshold: 2, successThreshold: 2, quorum: 2 },
    ]),
  )
  const { cluster } = town.names.config
  const { scrapeIntervalSeconds = 2, size = {}, sources = [] } = written.clusters[cluster] ?? {}
  const there = sources.filter(({ kind }) => kind !== 'kubernetes')
  const kubeStateMetrics = { kind: 'kube-state-metrics' as const, url: `${town.urls.kubeStateMetrics}/metrics` }
  return {
    ...written,
    clusters: { [cluster]: { scrapeIntervalSeconds, size, sources: [kubeStateMetrics, ...there] } },
    monitors: Object.fromEntries(monitors),
    rules,
    locations: [hub, away],
    channels: {
      'on-call': { kind: 'sns' },
      users: { kind: 'statuspage-webhook', url: at.statusUrl, secret: 'secret:STATUS_KEY' },
    },
    routes: [{ channels: ['on-call'] }],
    statusPage: { ...written.statusPage, channels: ['users'] },
    aws: { name, region: hub, keepState: false },
  }
}
