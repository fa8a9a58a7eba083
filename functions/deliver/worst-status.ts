import type { Store } from '../../stores/contract.ts'
import { type ComponentStatus, type DeliveryOrder, keys } from '../contract.ts'
import { component } from '../hub-state.ts'

type WorstWorld = {
  store: Store
  /** The ids of all services in the config. */
  services: readonly string[]
  warn: (text: string) => void
}

const worstFirst: readonly ComponentStatus[] = [
  'major_outage',
  'partial_outage',
  'degraded_performance',
  'under_maintenance',
]

/**
 * The worst status of all services when a component's change is told. Undefined when none is known to fail: a service
 * that nobody can look at is not well for that. A change is told without it rather than not at all.
 */
export const worstStatus =
  ({ store, services, warn }: WorstWorld) =>
  async ({ id, component: changed }: DeliveryOrder): Promise<ComponentStatus | undefined> => {
    if (!changed) return undefined
    try {
      const others = services.filter((service) => service !== changed.id)
      const items = await store.read(others.map(keys.component))
      const known = new Set([changed.to, ...[...items.values()].map(({ value }) => component.parse(value).status)])
      return worstFirst.find((status) => known.has(status))
    } catch (error) {
      warn(`${id} is told without the other components: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }
