import { connect, isIP, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { refusedRange } from '../address.ts'
import type { Certificate, TargetRange } from '../contract.ts'
import { type Course, inPhase } from '../course.ts'
import { withSignal } from '../deadline.ts'
import { blind, failed } from '../failure.ts'
import { certificateOf, handshake, trustOf } from '../tls.ts'
import { type Family, type Resolve, systemResolve } from './resolve.ts'

export type ConnectionSpec = {
  url: URL
  family: Family
  tls: { serverName?: string | undefined; caFile?: string | undefined }
}

/** `checked` is the name a certificate had to be for. */
export type Connection = { socket: Socket | TLSSocket; certificate?: Certificate; checked: string }

const connectTo = (address: string, port: number): { socket: Socket; connected: Promise<void> } => {
  const socket = connect({ host: address, port, autoSelectFamily: false })
  socket.setNoDelay(true)
  const connected = new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    // `on`, and for good: whatever happens to the socket later is told by whoever uses it, and must never be uncaught.
    socket.on('error', reject)
  })
  return { socket, connected }
}

const portOf = ({ port, protocol }: URL) => (port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port))

/** `[::1]` in a URL is `::1` for a socket. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')

export type Around = {
  allowTargets: readonly TargetRange[]
  signal: AbortSignal
  resolve?: Resolve
  /** Told before connecting, so that a connection that fails has its address in the evidence. */
  onAddress?: (address: string) => void
}

/** Resolved once, and the guard judges the very address that will be connected to: no name changes its mind between. */
const addressOf = async ({ url, family }: ConnectionSpec, course: Course, around: Around): Promise<string> => {
  const host = hostOf(url)
  const { signal, allowTargets, resolve = systemResolve } = around
  const address = isIP(host) ? host : await inPhase(course, 'resolve', () => withSignal(signal, resolve(host, family)))
  const refused = refusedRange(address, allowTargets)
  if (refused) {
    const named = address === host ? address : `${host} (${address})`
    const hint = `add ${refused} to allowTargets if this is meant`
    throw blind('target-refused', `${named} is a ${refused} address, which probes do not look at; ${hint}`)
  }
  around.onAddress?.(address)
  return address
}

/** A fresh connection to one address of the host, with TLS for https; whatever was opened is closed on failure. */
export const openConnection = async (spec: ConnectionSpec, course: Course, around: Around): Promise<Connection> => {
  const { url, tls } = spec
  const { signal } = around
  const trust = url.protocol === 'https:' ? await withSignal(signal, trustOf(tls.caFile)) : undefined
  const address = await addressOf(spec, course, around)
  const checked = tls.serverName ?? hostOf(url)
  course.phase = 'connect'
  const { socket, connected } = connectTo(address, portOf(url))
  try {
    await inPhase(course, 'connect', () => withSignal(signal, connected))
    if (!trust) return { socket, checked }
    const secured = await inPhase(course, 'tls', () => withSignal(signal, handshake(socket, checked, trust)))
    const certificate = certificateOf(secured, trust)
    if (!certificate) throw failed('tls', 'certificate-missing', `${checked} presented no certificate`)
    return { socket: secured, checked, certificate }
  } catch (error) {
    socket.destroy()
    throw error
  }
}
