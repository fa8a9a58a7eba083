import type { DeliveryResult } from '../../../channels/contract.ts'
import type { Nudge, Observation, OutboxRow } from '../../../functions/contract.ts'
import type { HubView } from '../../../functions/correlate/hub.ts'
import type { Store } from '../../../stores/contract.ts'
import type { FunctionName } from '../awaits.ts'

/** What a planted bug may touch: the edge between a step and its world. One is made for each seed. */
export type Mutant = {
  /** Stands between a step and its store, above the faults. `base` is the store itself. */
  store?: (store: Store, at: { fn: FunctionName; base: Store }) => Store
  nudge?: (nudges: readonly Nudge[]) => readonly Nudge[]
  /** Stands between `deliver` and its channel. */
  send?: (attempt: () => Promise<DeliveryResult>) => Promise<DeliveryResult>
  /** Told of a row's message before its consumer is. */
  receive?: (to: OutboxRow['to'], rowId: string, base: Store) => Promise<void>
  /** What `evaluate` is given to hear. */
  observation?: (observation: Observation) => Observation
  view?: (view: HubView) => HubView
}

export const unchanged: Mutant = {}
