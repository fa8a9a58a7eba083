import type { Route, Severity } from '../../config/contract.ts'

export type Routing = {
  routes: readonly Route[]
  /** Channels that speak to people, in config order: where a refused page may still go. */
  people: readonly string[]
}

/** The channels of the first route that matches. */
export const channelsFor = (routing: Routing, service: string, severity: Severity): readonly string[] =>
  routing.routes.find(
    (route) =>
      (!route.services || route.services.includes(service)) &&
      (!route.severities || route.severities.includes(severity)),
  )?.channels ?? routing.people

/** Where to go next when a channel refused: the rest of its route first, then any other channel that reaches people. */
export const fallbackFor = (
  routing: Routing,
  at: { service: string; severity: Severity; refused: readonly string[] },
): string | undefined =>
  [...channelsFor(routing, at.service, at.severity), ...routing.people].find((channel) => !at.refused.includes(channel))
