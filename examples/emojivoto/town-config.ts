// The whodunit config that watches a town: what `whodunit.yaml` says by hand, for any names and ports.
import type { Component, Names } from './names.ts'

/** Where a town can be reached. */
export type TownUrls = {
  web: string
  webSecure: string
  votingMetrics: string
  emojiMetrics: string
  kubeStateMetrics: string
  linkerd: string
  loki: string
  control: string
}

type Owner = { team: string; role: 'developers' | 'sre' }

const serviceOf = (names: Names, component: Component, owner: Owner) => {
  const { deployment } = names.workloads[component]
  return {
    owner,
    runbook: `https://runbooks.example/${names.namespace}/${deployment}`,
    runsIn: { cluster: names.config.cluster, namespace: names.namespace, workload: deployment },
  }
}

const services = (names: Names) => {
  const { web, voting, emoji } = names.workloads
  const { teams } = names.config
  return {
    [web.deployment]: {
      ...serviceOf(names, 'web', { team: teams.web, role: 'developers' as const }),
      dependsOn: [voting.deployment, emoji.deployment],
    },
    [voting.deployment]: serviceOf(names, 'voting', { team: teams.voting, role: 'developers' }),
    [emoji.deployment]: serviceOf(names, 'emoji', { team: teams.platform, role: 'sre' }),
  }
}

const monitors = (names: Names, urls: TownUrls, caFile: string) => {
  const { homepage, list, vote, https } = names.config.monitors
  const { paths, items, workloads } = names
  const usual = { kind: 'http' as const, service: workloads.web.deployment, periodSeconds: 5, timeoutSeconds: 3 }
  const choice = `${paths.choice}=${items[0].shortcode}`
  return {
    [homepage]: { ...usual, url: `${urls.web}/`, assert: { status: [200], body: { contains: names.title } } },
    [list]: {
      ...usual,
      url: `${urls.web}${paths.list}`,
      assert: { status: [200], json: { [`$[0].${names.fields.shortcode}`]: { equals: items[0].shortcode } } },
    },
    [vote]: { ...usual, url: `${urls.web}${paths.vote}?${choice}`, assert: { status: [200] } },
    [https]: {
      ...usual,
      url: `${urls.webSecure}/`,
      assert: { status: [200] },
      tls: { caFile, serverName: 'localhost', expiresWithinDays: 14 },
    },
  }
}

const appOf = ({ namespace, workloads }: Names, component: Component, url: string) => ({
  kind: 'app' as const,
  url,
  labels: { namespace, deployment: workloads[component].deployment },
})

/** Answers within half a second, as the callee's proxy counts them. */
const latencyObjective = ({ config, workloads }: Names) => {
  const { deployment } = workloads.voting
  const of = `direction="inbound",deployment="${deployment}"`
  return {
    kind: 'slo' as const,
    service: deployment,
    series: {
      cluster: config.cluster,
      total: `response_latency_ms_count{${of}}`,
      good: `response_latency_ms_bucket{${of},le="500"}`,
    },
    objectivePercent: 99,
  }
}

/**
 * A config in the shape of whodunit's `ConfigInput`: four monitors of the town's web, a page after two failures in a
 * row, and the sources of its cluster. `caFile` holds the certificate authority the town wrote.
 */
export const townConfig = (names: Names, urls: TownUrls, caFile = '.whodunit/town-ca.pem') => {
  const watched = monitors(names, urls, caFile)
  const rules = Object.keys(watched).map((monitor) => [
    `${monitor}-down`,
    { kind: 'availability' as const, monitor, failureThreshold: 2, successThreshold: 2, severity: 'page' as const },
  ])
  return {
    services: services(names),
    monitors: watched,
    rules: {
      ...Object.fromEntries(rules),
      [`${names.config.monitors.vote}-slo`]: {
        kind: 'slo' as const,
        monitor: names.config.monitors.vote,
        objectivePercent: 99.5,
      },
      [`${names.workloads.voting.deployment}-fast`]: latencyObjective(names),
    },
    clusters: {
      [names.config.cluster]: {
        scrapeIntervalSeconds: 2,
        size: { pods: 10, nodes: 1, namespaces: 1 },
        sources: [
          { kind: 'kube-state-metrics' as const, url: `${urls.kubeStateMetrics}/metrics` },
          { kind: 'linkerd' as const, url: urls.linkerd, federate: {} },
          { kind: 'loki' as const, url: urls.loki },
          appOf(names, 'voting', urls.votingMetrics),
          appOf(names, 'emoji', urls.emojiMetrics),
        ],
      },
    },
    channels: { console: { kind: 'console' as const } },
    routes: [{ channels: ['console'] }],
    statusPage: { title: names.title },
    allowTargets: ['loopback' as const],
  }
}
