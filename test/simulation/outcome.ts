/** All that the simulator knows of how `correlate` keeps its state, and of its view of the config. */
import { emptyIndex, type HubIndex, hubIndex, type Incident, incident, keys } from '../../functions/contract.ts'
import type { HubView } from '../../functions/correlate/decide.ts'
import type { Store } from '../../stores/contract.ts'
import type { Town } from './town.ts'

export const hubViewOf = ({ routes, people, statusChannels, rules }: Town): HubView => ({
  routing: { routes, people },
  statusChannels,
  availabilityRules: (service) =>
    rules.flatMap(({ id, severity, spec, monitor }) =>
      spec.kind === 'availability' && severity === 'page' && monitor.service === service ? [id] : [],
    ),
})

export type Outcome = { index: HubIndex; incidents: Incident[] }

export const outcomeOf = async (store: Store): Promise<Outcome> => {
  const index = hubIndex.parse((await store.read([keys.hub])).get(keys.hub)?.value ?? emptyIndex)
  const items = await store.list('incident/', { limit: 1000 })
  return { index, incidents: [...items.values()].map(({ value }) => incident.parse(value)) }
}

/** The rules whose alerts are in an incident. */
export const rulesOf = ({ alerts }: Incident): string[] => Object.values(alerts).map(({ ruleId }) => ruleId)

/** Why nobody need hear of an incident, if that is so: what it depends on was failing, it was silenced. */
export const silentFor = (_: Incident): string | undefined => undefined

/** Messages after which an incident that was over is news again. */
export const reopens = (_event: string): boolean => false

/** What `correlate` still waits for, in words. */
export const unfinished = ({ index, incidents }: Outcome): string[] => [
  ...incidents.flatMap(({ id, status }) => (status === 'resolved' ? [] : [`incident ${id} is ${status}`])),
  ...incidents.flatMap(({ id, channels }) =>
    Object.entries(channels).flatMap(([channel, { inFlight, waiting }]) =>
      inFlight || waiting.length > 0 ? [`${id} still waits for ${channel}`] : [],
    ),
  ),
  ...Object.entries(index.open).map(([service, id]) => `${service} has ${id} open in the index`),
  ...Object.entries(index.components).flatMap(([id, { status, streams }]) => [
    ...(status === 'operational' ? [] : [`component ${id} is ${status}`]),
    ...Object.entries(streams).flatMap(([channel, { inFlight }]) =>
      inFlight ? [`${id} still waits for ${channel}`] : [],
    ),
  ]),
]
