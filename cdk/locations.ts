import { isRegion } from '../config/contract.ts'
import type { Config } from '../config/schema.ts'

/** Where a location's stack goes. `local` follows the command line's region; a private location is not ours to deploy. */
export type Place = { status: 'here' } | { status: 'region'; region: string } | { status: 'private' }

export const placeOf = (location: string): Place => {
  if (location === 'local') return { status: 'here' }
  return isRegion(location) ? { status: 'region', region: location } : { status: 'private' }
}

/** Every location somebody's monitor runs from, in the config's order. */
export const locationsInUse = ({ locations, monitors }: Config): string[] => {
  const used = new Set(Object.values(monitors).flatMap((monitor) => monitor.locations ?? locations))
  const order = [...new Set([...locations, ...used])]
  return order.filter((location) => used.has(location))
}

type Monitor = Config['monitors'][string]

/** The monitors that run from a location. */
export const monitorsAt = ({ locations, monitors }: Config, location: string): [string, Monitor][] =>
  Object.entries(monitors).filter(([, monitor]) => (monitor.locations ?? locations).includes(location))

/** What a function deployed from this config will not find where it runs. */
export const missingThere = (monitors: readonly [string, Monitor][]): string[] =>
  monitors.flatMap(([id, { tls }]) =>
    tls?.caFile === undefined ? [] : [`monitor ${id}: the file ${tls.caFile} is not deployed`],
  )
