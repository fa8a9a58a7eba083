import { lookup } from 'node:dns'
import { connect, isIP, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { refusedRange } from '../address.ts'
import type { Certificate, ProbeWorld } from '../contract.ts'
import { blind, type Course, failed, inPhase } from '../failure.ts'
import { certificateOf, handshake } from '../tls.ts'

export type Family = 'v4' | 'v6' | 'any'

export type ConnectionSpec = {
  url: URL
  family: Family
  tls: { serverName?: string | undefined; caFile?: string | undefined }
}

export type Connection = { socket: Socket | TLSSocket; address: string; certificate?: Certificate }

/** Rejects when the signal fires, whatever the work is doing; the work's own late failure is nobody's business. */
export const withSignal = async <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(new TimeUp())
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  work.catch(() => undefined)
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** The look's time is over. */
export class TimeUp extends Error {
  override name = 'TimeUp'
}

const families = { v4: 4, v6: 6, any: 0 } as const

/** One address, the first the resolver gives: no racing of families, no trying of the next one. */
const resolveHost = (host: string, family: Family): Promise<string> =>
  new Promise((resolve, reject) => {
    lookup(host, { family: families[family], all: false }, (error, address) =>
      error ? reject(error) : resolve(address),
    )
  })

const connectTo = (address: string, port: number): { socket: Socket; connected: Promise<void> } => {
  const socket = connect({ host: address, port, autoSelectFamily: false })
  socket.setNoDelay(true)
  const connected = new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return { socket, connected }
}

const portOf = ({ port, protocol }: URL) => (port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port))

/** `[::1]` in a URL is `::1` for a socket. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')

const addressOf = async (spec: ConnectionSpec, course: Course, signal: AbortSignal): Promise<string> => {
  const host = hostOf(spec.url)
  if (isIP(host)) return host
  return inPhase(course, 'resolve', () => withSignal(signal, resolveHost(host, spec.family)))
}

/** A fresh connection to one address of the host, with TLS for https; whatever was opened is closed on failure. */
export const openConnection = async (
  spec: ConnectionSpec,
  course: Course,
  world: Pick<ProbeWorld, 'allowTargets' | 'signal'>,
): Promise<Connection> => {
  const { url, tls } = spec
  const address = await addressOf(spec, course, world.signal)
  const refused = refusedRange(address, world.allowTargets)
  if (refused) {
    const hint = `add ${refused} to allowTargets if this is meant`
    throw blind('target-refused', `${address} is a ${refused} address, which probes do not look at; ${hint}`)
  }
  course.phase = 'connect'
  const { socket, connected } = connectTo(address, portOf(url))
  socket.on('error', () => undefined)
  try {
    await inPhase(course, 'connect', () => withSignal(world.signal, connected))
    if (url.protocol !== 'https:') return { socket, address }
    const to = { host: hostOf(url), serverName: tls.serverName ?? nameOf(url), caFile: tls.caFile }
    const secured = await inPhase(course, 'tls', () => withSignal(world.signal, handshake(socket, to)))
    secured.on('error', () => undefined)
    const certificate = certificateOf(secured)
    if (!certificate) throw failed('tls', 'certificate-missing', `${to.host} presented no certificate`)
    return { socket: secured, address, certificate }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** SNI carries names only. */
const nameOf = (url: URL): string | undefined => {
  const host = hostOf(url)
  return isIP(host) ? undefined : host
}
