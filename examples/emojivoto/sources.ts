// What inside the cluster can be read, and the ways in which it can refuse.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { type Family, type Sample, writeFamilies } from './exposition-writer.ts'
import { kubeStateMetrics } from './kube-state-metrics.ts'
import { parseSeriesSelector } from './logql.ts'
import { loki } from './loki.ts'
import { answer, answerCompressed, notFound, targetOf } from './serving.ts'
import type { World } from './world.ts'

/** These have an address of their own; the others are reached through the API server, which is `kubernetes` itself. */
const addressed = ['kube-state-metrics', 'linkerd', 'loki'] as const
type AddressedName = (typeof addressed)[number]
export const sourceNames = [...addressed, 'kubernetes', 'kubelet', 'node', 'app'] as const
export type SourceName = (typeof sourceNames)[number]
/** `hang` accepts and never answers; `unavailable` answers 503. */
export type SourceMode = 'normal' | 'hang' | 'unavailable'

export const isSourceName = (name: string): name is SourceName => sourceNames.some((known) => known === name)

const exposition = 'text/plain; version=0.0.4; charset=utf-8'

const kubeStateMetricsHandler =
  (world: World): RequestListener =>
  (request, response) => {
    const path = targetOf(request)?.pathname
    if (path === '/healthz') return answer(request, response, { status: 200, contentType: 'text/plain', body: 'OK' })
    if (path !== '/metrics') return answer(request, response, notFound)
    answerCompressed(request, response, {
      status: 200,
      contentType: exposition,
      body: kubeStateMetrics(world.cluster()),
    })
  }

const sortedByLabels = (samples: readonly Sample[]): Sample[] =>
  samples
    .map((sample) => ({ sample, key: JSON.stringify(sample.labels) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ sample }) => sample)

/** Federation knows no types: every name is a family of its own, with the time of the scrape on every line. */
const federated = (samples: readonly Sample[], timestampMs: number): Family[] => {
  const named = new Map<string, Sample[]>()
  for (const sample of samples) {
    const group = named.get(sample.name) ?? []
    group.push({ ...sample, timestampMs })
    named.set(sample.name, group)
  }
  return [...named]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, group]): Family => ({ name, type: 'untyped', samples: sortedByLabels(group) }))
}

const limitSelectors = 200

/** linkerd-viz' Prometheus: `/federate` gives what some `match[]` selects, so nothing without one. */
const linkerdHandler =
  (world: World): RequestListener =>
  (request, response) => {
    const target = targetOf(request)
    if (target?.pathname === '/-/ready') {
      return answer(request, response, {
        status: 200,
        contentType: 'text/plain',
        body: 'Prometheus Server is Ready.\n',
      })
    }
    if (target?.pathname !== '/federate') return answer(request, response, notFound)
    const selectors = target.searchParams.getAll('match[]').slice(0, limitSelectors).map(parseSeriesSelector)
    const refusal = selectors.find((selector) => selector.status === 'refused')
    if (refusal?.status === 'refused') {
      return answer(request, response, { status: 400, contentType: 'text/plain', body: `${refusal.why}\n` })
    }
    const tests = selectors.flatMap((selector) => (selector.status === 'parsed' ? [selector.value] : []))
    const samples = world.mesh
      .samples(world.cluster())
      .filter(({ name, labels }) => tests.some((selects) => selects(name, labels)))
    const body = writeFamilies(federated(samples, world.nowMs()))
    answerCompressed(request, response, { status: 200, contentType: exposition, body })
  }

const handlers: Readonly<Record<AddressedName, (world: World) => RequestListener>> = {
  'kube-state-metrics': kubeStateMetricsHandler,
  linkerd: linkerdHandler,
  loki: (world) => loki(world),
}

/** A source that answers as its mode says. */
export const sourceHandler = (name: AddressedName, world: World, mode: () => SourceMode): RequestListener => {
  const normal = handlers[name](world)
  const refuse = (request: IncomingMessage, response: ServerResponse): void =>
    answer(request, response, { status: 503, contentType: 'text/plain; charset=utf-8', body: 'Service Unavailable\n' })
  return (request, response) => {
    const now = mode()
    if (now === 'hang') return
    return now === 'unavailable' ? refuse(request, response) : normal(request, response)
  }
}
