import type { Observation } from '../../functions/contract.ts'
import type { HubView } from '../../functions/correlate/hub.ts'
import type { RuleView } from '../../functions/evaluate/decide.ts'
import type { Store } from '../../stores/contract.ts'
import type { AwaitTally } from './awaits.ts'
import type { Dice } from './dice.ts'
import type { Faults } from './faults.ts'
import type { Ledger } from './ledger.ts'
import type { Mutant } from './mutants/mutant.ts'
import type { Network } from './network.ts'
import type { Story } from './story.ts'
import type { Town } from './town.ts'
import type { Truth } from './troubles.ts'
import type { VirtualTime } from './virtual-time.ts'

/** All there is while one seed is played. */
export type World = {
  seed: number
  town: Town
  truth: Truth
  time: VirtualTime
  /** What every clock on the wall is ahead of the true time: somebody may correct them, time itself goes on. */
  jumpMs: number
  dice: Dice
  faults: Faults
  story: Story
  ledger: Ledger
  /** The store itself, without anybody's faults. */
  store: Store
  network: Network
  rulesOf: (shard: string) => readonly RuleView[]
  view: HubView
  /** The number of shards that processes are started with; the store remembers the most there ever were. */
  shards: number
  /** How schedules are split: they are deployed before or after whoever hears them. */
  scheduled: number
  tally: AwaitTally
  /** How often each await is passed before its process dies there; 0 for never. */
  doomed: Int32Array
  mutant: Mutant
  /** Hands an observation to `evaluate`'s queue. */
  observe: (observation: Observation) => void
}
