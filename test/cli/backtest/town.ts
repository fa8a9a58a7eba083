import { loadConfig } from '../../../config/load.ts'
import type { Config } from '../../../config/schema.ts'
import type { KeptOutcome } from '../../../functions/history.ts'
import type { Verdict } from '../../../probes/contract.ts'

export const startMs = Date.UTC(2026, 10, 16)
export const minuteMs = 60_000

/** A shop that needs a cart: two services, a monitor each, looked at every minute. */
export const shopYaml = (more = ''): string => `
services:
  cart: { owner: { team: cart, role: developers }, runbook: https://runbooks.example.com/cart }
  shop: { owner: { team: storefront, role: developers }, runbook: https://runbooks.example.com/shop, dependsOn: [] }
monitors:
  front: { kind: http, service: shop, url: https://shop.example.com/ }
  basket: { kind: http, service: cart, url: https://shop.example.com/cart }
channels:
  terminal: { kind: console }
routes:
  - { channels: [terminal] }
${more}`

export const configOf = async (text: string): Promise<Config> => {
  const loaded = await loadConfig('whodunit.yaml', { readFile: async () => text, nowMs: () => startMs })
  if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join('\n'))
  return loaded.config
}

export const look = (monitorId: string, minute: number, verdict: Verdict, tookMs = 100): KeptOutcome => ({
  monitorId,
  location: 'local',
  scheduledAtMs: startMs + minute * minuteMs,
  startedAtMs: startMs + minute * minuteMs,
  look: 'tick',
  verdict,
  timingsMs: { total: tookMs },
  ...(verdict === 'fail'
    ? { cause: { phase: 'assert', code: 'assert-status', detail: 'expected status 200, saw 500' } as const }
    : {}),
})

/** Looks at a monitor, a letter a minute: `p` passes, `s` is slow, `f` fails, `u` could not be looked at, `.` is missing. */
export const looks = (monitorId: string, letters: string, from = 0): KeptOutcome[] => {
  const verdicts: Readonly<Record<string, Verdict>> = { p: 'pass', f: 'fail', u: 'unknown', d: 'degraded' }
  return [...letters].flatMap((letter, nth) => {
    const verdict = verdicts[letter]
    if (letter === 's') return [look(monitorId, from + nth, 'pass', 2000)]
    return verdict ? [look(monitorId, from + nth, verdict)] : []
  })
}

export const inOrder = (all: readonly KeptOutcome[]): KeptOutcome[] =>
  [...all].sort((a, b) => a.scheduledAtMs - b.scheduledAtMs)
