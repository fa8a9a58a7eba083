/** What goes out by itself because nobody has taken an incident on. */
import type { Incident } from '../hub-state.ts'
import { channelsOf, heardOf, nextOf, withRoutes, withSteps } from './escalation-paths.ts'
import type { Context, HubDecision } from './hub.ts'
import { note } from './incident.ts'
import { forEachChannel, paged, tell } from './orders.ts'
import { routesFor } from './routing.ts'
import { put } from './telling.ts'

const minutes = (ms: number) => `${Math.round(ms / 60_000)} min`

/** Nobody took it on: the next routes are paged, and those of them who know already are reminded. */
export const escalate = (hub: HubDecision, incident: Incident, context: Context): HubDecision => {
  const { nowMs } = context
  const due = nextOf(incident, context).filter(({ dueAtMs }) => dueAtMs <= nowMs)
  const [first] = due
  if (!first) return hub
  const channels = [...new Set(due.flatMap(({ route }) => route.channels))]
  const what = `nobody took it on for ${minutes(nowMs - first.sinceMs)}, pages ${channels.join(', ')}`
  const risen = note(withSteps(incident, due, nowMs), nowMs, { what, reason: 'unacknowledged' })
  const known = paged(risen)
  const written = forEachChannel(risen, channels, (so, channel) =>
    tell(so, { channel, event: known.includes(channel) ? 'reminder' : 'opened', nowMs }),
  )
  return put(hub, written)
}

/**
 * Whoever knows of it hears that nobody has taken it on, unless that is left to others by now: what still fires is less
 * severe, or other hours have begun. Those of its routes who never heard of it are paged.
 */
export const remind = (hub: HubDecision, incident: Incident, context: Context): HubDecision => {
  const { view, nowMs } = context
  const routes = heardOf(incident).flatMap((heard) => routesFor(view.routing, { ...heard, nowMs }))
  const known = paged(incident).filter((channel) => view.routing.people.includes(channel))
  const theirs = known.filter((channel) => routes.some(({ channels }) => channels.includes(channel)))
  const reminded = theirs.length > 0 ? theirs : known
  const fresh = channelsOf(incident, context).filter((channel) => !known.includes(channel))
  const all = [...reminded, ...fresh]
  const told = note(withRoutes({ ...incident, remindedAtMs: nowMs }, context), nowMs, {
    what: `reminded ${all.join(', ')}`,
    reason: 'reminder-due',
  })
  return put(
    hub,
    forEachChannel(told, all, (so, channel) =>
      tell(so, { channel, event: fresh.includes(channel) ? 'opened' : 'reminder', nowMs }),
    ),
  )
}
