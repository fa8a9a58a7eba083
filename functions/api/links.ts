import type { DeliveryOrder } from '../contract.ts'

/**
 * Links that prove by themselves what their holder may do, since whoever reads a page at night has no account here.
 * A token is made of texts that need no escaping in an address, and ends with a letter or digit, so that mail and chat
 * do not cut it.
 */

/** What signs. `mac` answers base64url; `same` takes equally long for every text. */
export type Signer = { mac: (text: string) => string; same: (a: string, b: string) => boolean }

/**
 * How long a link works. It is a key that lies about in mail boxes and chats, so not for ever; a week outlasts a holiday
 * weekend, and every update of an incident brings fresh links.
 */
export const linkKeepMs = 7 * 86_400_000

/** What a token says once its signature is right. `expired` is only told of a token that was ours. */
export type Judged<T> = ({ status: 'valid'; expiresAtMs: number } & T) | { status: 'expired' } | { status: 'forged' }

/** Names have no line feeds, so no field can pass for two. */
const signed = (purpose: 'view' | 'acknowledge', fields: readonly string[]): string =>
  ['whodunit-link', '1', purpose, ...fields].join('\n')

/** Seconds since 1970, base 36. */
const expiryText = (expiresAtMs: number): string => Math.floor(expiresAtMs / 1000).toString(36)

const judge = (
  signer: Signer,
  token: { mac: string; expiry: string; text: string },
  nowMs: number,
): Judged<Record<never, never>> => {
  // The signature first: what a forged token says of its time is nobody's business.
  if (!signer.same(token.mac, signer.mac(token.text))) return { status: 'forged' }
  const expiresAtMs = Number.parseInt(token.expiry, 36) * 1000
  return nowMs < expiresAtMs ? { status: 'valid', expiresAtMs } : { status: 'expired' }
}

const viewText = (incidentId: string, expiry: string) => signed('view', [incidentId, expiry])
const acknowledgeText = (at: { incidentId: string; channel: string }, expiry: string) =>
  signed('acknowledge', [at.incidentId, at.channel, expiry])

/** Lets its holder see one incident: `<mac>.<expiry>`. */
export const viewToken = (signer: Signer, at: { incidentId: string; expiresAtMs: number }): string => {
  const expiry = expiryText(at.expiresAtMs)
  return `${signer.mac(viewText(at.incidentId, expiry))}.${expiry}`
}

/** What a view token says about this incident; another incident's is as good as forged. */
export const judgeViewToken = (
  signer: Signer,
  at: { token: string; incidentId: string; nowMs: number },
): Judged<Record<never, never>> => {
  const [, mac, expiry] = /^([\w-]{1,64})\.([0-9a-z]{1,9})$/.exec(at.token) ?? []
  if (mac === undefined || expiry === undefined) return { status: 'forged' }
  return judge(signer, { mac, expiry, text: viewText(at.incidentId, expiry) }, at.nowMs)
}

/** Lets its holder take one incident on, as a receiver of one channel: `<incident>.<channel>.<mac>.<expiry>`. */
export const acknowledgeToken = (
  signer: Signer,
  at: { incidentId: string; channel: string; expiresAtMs: number },
): string => {
  const expiry = expiryText(at.expiresAtMs)
  return `${at.incidentId}.${at.channel}.${signer.mac(acknowledgeText(at, expiry))}.${expiry}`
}

const acknowledgePattern = /^([a-z0-9-]{1,100})\.([a-z0-9-]{1,63})\.([\w-]{1,64})\.([0-9a-z]{1,9})$/

/** Which incident a token takes on and through which channel its holder was told. */
export const judgeAcknowledgeToken = (
  signer: Signer,
  at: { token: string; nowMs: number },
): Judged<{ incidentId: string; channel: string }> => {
  const [, incidentId, channel, mac, expiry] = acknowledgePattern.exec(at.token) ?? []
  if (incidentId === undefined || channel === undefined || mac === undefined || expiry === undefined) {
    return { status: 'forged' }
  }
  const judged = judge(signer, { mac, expiry, text: acknowledgeText({ incidentId, channel }, expiry) }, at.nowMs)
  return judged.status === 'valid' ? { ...judged, incidentId, channel } : judged
}

/** Where an incident is seen, below the address people reach `api` at. */
export const incidentPath = (incidentId: string, token?: string): string =>
  `/incidents/${encodeURIComponent(incidentId)}${token === undefined ? '' : `?token=${encodeURIComponent(token)}`}`

export const acknowledgePath = (token: string): string => `/acknowledge/${encodeURIComponent(token)}`

export type MessageLinks = { incidentUrl?: string; acknowledgeUrl?: string }

/**
 * The links of one message. A resolved incident needs nobody to take it on; what the public hears of a component leads
 * to no incident, which is for the people on call, and the end of a silence is about none.
 */
export const messageLinks = (
  signer: Signer,
  order: Pick<DeliveryOrder, 'incidentId' | 'channel' | 'event'>,
  at: { baseUrl: string; nowMs: number },
): MessageLinks => {
  const { incidentId, channel, event } = order
  if (event === 'component-changed' || event === 'silence-ended') return {}
  const base = at.baseUrl.replace(/\/+$/, '')
  const expiresAtMs = at.nowMs + linkKeepMs
  const incidentUrl = `${base}${incidentPath(incidentId, viewToken(signer, { incidentId, expiresAtMs }))}`
  if (event === 'resolved') return { incidentUrl }
  return {
    incidentUrl,
    acknowledgeUrl: `${base}${acknowledgePath(acknowledgeToken(signer, { incidentId, channel, expiresAtMs }))}`,
  }
}
