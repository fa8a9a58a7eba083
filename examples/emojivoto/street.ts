// All servers of a town, opened together and closed together.
import { randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { createAuthority } from './certificate.ts'
import { controlHandler } from './control.ts'
import { emojiServer } from './emoji.ts'
import type { FaultSwitch } from './fault-switch.ts'
import { kubeApiHandler } from './kube-api.ts'
import { type Part, type Ports, urlsOf } from './ports.ts'
import { rpcClient } from './rpc.ts'
import { type Served, serve, serveSecurely } from './serving.ts'
import { type SourceMode, type SourceName, sourceHandler, sourceNames } from './sources.ts'
import { votingServer } from './voting.ts'
import { webHandler } from './web.ts'
import type { World } from './world.ts'

export type Street = {
  port: (part: Part) => number
  caPem: string
  /** What the Kubernetes API wants to be shown. */
  token: string
  setFault: (on: boolean) => void
  setMode: (name: SourceName, mode: SourceMode) => void
  modeOf: (name: SourceName) => SourceMode
  close: () => Promise<void>
}

const dayMs = 86_400_000

const certificates = (world: World) => {
  const authority = createAuthority(world.names.namespace, world.nowMs())
  const healthy = (): { cert: string; key: string } => {
    const nowMs = world.nowMs()
    return authority.serverCertificate({ notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + 90 * dayMs })
  }
  // Certificates count whole seconds, so one that ended a second ago has expired for everybody.
  const expired = (): { cert: string; key: string } => {
    const notAfterMs = world.nowMs() - 1_000
    return authority.serverCertificate({ notBeforeMs: notAfterMs - 90 * dayMs, notAfterMs })
  }
  const isExpired = (): boolean => world.scene === 'web-cert-expired' && world.faultOn()
  return { caPem: authority.caPem, healthy, current: () => (isExpired() ? expired() : healthy()) }
}

type SecurePart = 'webSecure' | 'kubernetes'

/** Listens on all parts or on none. */
const openParts = async (ports: Ports, listeners: Record<Exclude<Part, SecurePart>, RequestListener>) => {
  // The keys are those of the record above.
  const parts = Object.keys(listeners) as (keyof typeof listeners)[]
  const results = await Promise.allSettled(parts.map((part) => serve(part, ports[part], listeners[part])))
  const served = results.flatMap((result, index) => {
    const part = parts[index]
    return result.status === 'fulfilled' && part !== undefined ? [[part, result.value] as const] : []
  })
  const failure = results.find((result) => result.status === 'rejected')
  if (failure?.status === 'rejected') {
    await Promise.all(served.map(([, { close }]) => close()))
    throw failure.reason
  }
  return new Map<Part, Served>(served)
}

type Secured = Record<SecurePart, RequestListener>

/** What speaks TLS: the web, whose certificate may expire, and the Kubernetes API, whose does not. */
const openSecure = async (world: World, ports: Ports, handlers: Secured) => {
  const { caPem, current, healthy } = certificates(world)
  const served = await serveSecurely('webSecure', ports.webSecure, { handler: handlers.webSecure, tls: current() })
  const api = await serveSecurely('kubernetes', ports.kubernetes, {
    handler: handlers.kubernetes,
    tls: healthy(),
  }).catch(async (error: unknown) => {
    await served.close()
    throw error
  })
  const renew = (): void => {
    served.server.setSecureContext(current())
    // A kept connection would go on with the certificate of its handshake.
    served.server.closeIdleConnections()
  }
  const parts = [['webSecure', served] as const, ['kubernetes', api] as const]
  return { caPem, parts, renew, close: () => Promise.all([served.close(), api.close()]) }
}

const sourceModes = () => {
  const modes = new Map<SourceName, SourceMode>()
  const of = (name: SourceName): SourceMode => modes.get(name) ?? 'normal'
  const all = () => Object.fromEntries(sourceNames.map((name) => [name, of(name)]))
  return { of, all, set: (name: SourceName, mode: SourceMode): void => void modes.set(name, mode) }
}

/** Opens every part of the town, or none when a port is not free. */
export const openStreet = async (world: World, faults: FaultSwitch, ports: Ports): Promise<Street> => {
  const { names, scene } = world
  const open = new Map<Part, { port: number; close: () => Promise<void> }>()
  const port = (part: Part): number => open.get(part)?.port ?? 0
  const backends = {
    voting: rpcClient(world, { to: 'voting', port: () => port('votingRpc'), service: names.rpc.votingService }),
    emoji: rpcClient(world, { to: 'emoji', port: () => port('emojiRpc'), service: names.rpc.emojiService }),
  }
  const modes = sourceModes()
  const source = (name: Parameters<typeof sourceHandler>[0]) => sourceHandler(name, world, () => modes.of(name))
  const [voting, emoji] = [votingServer(world), emojiServer(world)]
  const kubeStateMetrics = source('kube-state-metrics')
  const token = randomBytes(24).toString('base64url')
  const metricsOf = { voting: voting.metrics, emoji: emoji.metrics }
  const secure = await openSecure(world, ports, {
    webSecure: webHandler(world, backends, { meshed: false }),
    kubernetes: kubeApiHandler(world, { token, kubeStateMetrics, metricsOf, modeOf: modes.of }),
  })
  const setFault = (on: boolean): void => {
    if (scene === 'healthy') return
    faults.set(on)
    if (scene === 'web-cert-expired') secure.renew()
  }
  const state = () => ({
    scene,
    faultOn: faults.isOn(),
    faultWindows: faults.windows(),
    sources: modes.all(),
    urls: urlsOf(port),
  })
  const listeners = {
    web: webHandler(world, backends, { meshed: true }),
    votingMetrics: voting.metrics,
    emojiMetrics: emoji.metrics,
    kubeStateMetrics,
    linkerd: source('linkerd'),
    loki: source('loki'),
    control: controlHandler({ setFault, setSource: modes.set, state }),
    votingRpc: voting.rpc,
    emojiRpc: emoji.rpc,
  }
  const served = await openParts(ports, listeners).catch(async (error: unknown) => {
    await secure.close()
    throw error
  })
  for (const [part, one] of [...served, ...secure.parts]) open.set(part, one)
  const close = async (): Promise<void> => {
    for (const client of Object.values(backends)) client.close()
    await Promise.all([...open.values()].map((one) => one.close()))
  }
  return { port, caPem: secure.caPem, token, setFault, setMode: modes.set, modeOf: modes.of, close }
}
