import { judgeViewToken } from '../functions/api/links.ts'
import { knownSigner, sameSecret } from '../functions/link-key.ts'
import type { Store } from '../stores/contract.ts'

/** Whoever reaches this address by an address, by a name of this machine's own or by one of `names`. */
export type Open = {
  names: readonly string[]
  /** Without it, what changes something wants an API token, which the config does not have. */
  mayChange: boolean
}

/**
 * Who may see incidents and metrics: everyone who can reach this address (a machine of one's own), or whoever shows the
 * API token or, for one incident, a link to it. `token` is asked for only when somebody shows one.
 */
export type Access = Open | { token: () => Promise<string | undefined> }

/** On a machine of one's own. */
export const everyone: Open = { names: [], mayChange: true }

export const isReadOnly = (access: Access): boolean => 'names' in access && !access.mayChange

/** Why nothing may be changed here, and what to do about it. */
export const readOnly = {
  code: 'read-only',
  message: 'the network can reach this address, so nothing may be changed here without an API token',
  hint: 'name one in the config as api.token, or let serve listen on 127.0.0.1',
} as const

const hostnameOf = (host: string): string | undefined =>
  URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined

const isAddress = (hostname: string) => /^\[.*\]$|^\d+(\.\d+){3}$/.test(hostname)

/** Of this machine and no other, whatever a name server says (RFC 6761 §6.3). */
const isLocalName = (hostname: string) => /(^|\.)localhost$/.test(hostname)

/**
 * Is this `Host` header one of ours? Where no token is asked for, the page of a stranger could give its own name this
 * machine's address and ask as if it were from here (DNS rebinding). An address cannot be given another; a program
 * that names no host is no browser.
 */
export const isServed = (access: Access, host: string | undefined): boolean => {
  if (!('names' in access) || host === undefined) return true
  const hostname = hostnameOf(host)
  if (hostname === undefined) return false
  return isAddress(hostname) || isLocalName(hostname) || access.names.some((name) => hostnameOf(name) === hostname)
}

export type Shown = {
  /** The request's `Authorization` header. */
  authorization: string | undefined
  /** The one incident asked for, and the token of its link. */
  incident?: { id: string; token: string | undefined }
}

/** `alone`: the link opens this incident and nothing else. */
export type Entry = { status: 'allowed'; alone: boolean } | { status: 'no-token' | 'expired' | 'forged' }

/** RFC 6750 §2.1; the scheme's name is not case sensitive (RFC 9110 §11.1). */
const bearer = /^bearer +(\S+) *$/i

const isApiToken = async (access: Exclude<Access, Open>, authorization: string | undefined): Promise<boolean> => {
  const [, shown] = bearer.exec(authorization ?? '') ?? []
  if (shown === undefined) return false
  const token = await access.token()
  // An empty secret is one that nobody has set.
  return token !== undefined && token !== '' && sameSecret(shown, token)
}

/** May this request see what it asks for, and if not, why. */
export const entryOf = async (
  world: { store: Store; access: Access; nowMs: () => number },
  { authorization, incident }: Shown,
): Promise<Entry> => {
  const { store, access } = world
  if ('names' in access || (await isApiToken(access, authorization))) return { status: 'allowed', alone: false }
  if (incident?.token === undefined) return { status: 'no-token' }
  const signer = await knownSigner(store)
  if (!signer) return { status: 'forged' }
  const { id, token } = incident
  const { status } = judgeViewToken(signer, { token, incidentId: id, nowMs: world.nowMs() })
  return status === 'valid' ? { status: 'allowed', alone: true } : { status }
}
