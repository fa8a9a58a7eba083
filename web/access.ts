import { judgeViewToken } from '../functions/api/links.ts'
import { knownSigner, sameSecret } from '../functions/link-key.ts'
import type { Store } from '../stores/contract.ts'

/**
 * Who may see incidents and metrics: everyone who can reach this address (a machine of one's own), or whoever shows the
 * API token or, for one incident, a link to it. `token` is asked for only when somebody shows one.
 */
export type Access = 'everyone' | { token: () => Promise<string | undefined> }

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

const isApiToken = async (access: Exclude<Access, 'everyone'>, authorization: string | undefined): Promise<boolean> => {
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
  if (access === 'everyone' || (await isApiToken(access, authorization))) return { status: 'allowed', alone: false }
  if (incident?.token === undefined) return { status: 'no-token' }
  const signer = await knownSigner(store)
  if (!signer) return { status: 'forged' }
  const { id, token } = incident
  const { status } = judgeViewToken(signer, { token, incidentId: id, nowMs: world.nowMs() })
  return status === 'valid' ? { status: 'allowed', alone: true } : { status }
}
