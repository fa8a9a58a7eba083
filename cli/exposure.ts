import { type Access, everyone, isReadOnly } from '../web/access.ts'

export type Exposure = { host: string; publicUrl?: string; token?: () => Promise<string> }

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)

/** It listens on all addresses, and is none that anybody could go to. */
const isWildcard = (host: string) => ['', '0.0.0.0', '::'].includes(host)

/**
 * On one's own machine everything is open. Where others come in, the config's API token is asked for if it has one;
 * without, they may look and change nothing, unless it is a proxy on this machine that lets them in.
 */
export const accessOf = ({ host, publicUrl, token }: Exposure): Access => {
  if (isLoopback(host) && publicUrl === undefined) return everyone
  if (token) return { token }
  const names = [host, ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname])]
  return { names, mayChange: isLoopback(host) }
}

/** What whoever starts it should know of who can reach it, and how. */
export const exposureTroubles = (exposure: Exposure, url: string): string[] => [
  ...(isReadOnly(accessOf(exposure))
    ? [
        `everybody who reaches ${url} may read incidents, and nobody may silence or acknowledge over the API: ` +
          'name a token in the config as api.token',
      ]
    : []),
  ...(isWildcard(exposure.host) && exposure.publicUrl === undefined
    ? [`links in pages will lead to ${url}, which nobody can open: say with --public-url how people reach this server`]
    : []),
]
