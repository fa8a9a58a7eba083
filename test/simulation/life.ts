/** Processes: they die at any await, and a new one starts in their place. */
import type { Store } from '../../stores/contract.ts'
import { StoreError } from '../../stores/contract.ts'
import { awaitIndex, awaitName, type CallName, type FunctionName } from './awaits.ts'
import { witnessed } from './ledger.ts'
import type { World } from './world.ts'

/** One incarnation of a process: what it awaits when it dies never comes back. */
export type Life = {
  fn: FunctionName
  name: string
  /** How far its clock is ahead of the true time. */
  skewMs: number
  isAlive: boolean
  die: (why: string) => void
}

const never = () => new Promise<never>(() => undefined)

/** Rare enough that most messages get through, in a town of average weather. */
const ambientOneIn = 900

const passAwait = ({ tally, doomed, faults }: World, life: Life, index: number) => {
  tally.passed[index] = (tally.passed[index] ?? 0) + 1
  if (!faults.on()) return
  const left = doomed[index] ?? 0
  if (left > 0) doomed[index] = left - 1
  if (left !== 1 && !faults.strikes('crash', ambientOneIn)) return
  if (left === 1) faults.counts.crash++
  tally.crashes[index] = (tally.crashes[index] ?? 0) + 1
  life.die(awaitName(index))
}

const latencyMs = ({ faults, dice }: World) =>
  faults.strikes('stall', 2500) ? dice.between(3000, 30_000) : dice.between(1, faults.on() ? 25 : 4)

/** A call to the world of a process that may die before or after it took effect, and gets its answer only while it lives. */
export type Mortal = <T>(call: CallName, work: () => T | Promise<T>) => Promise<T>

export const mortal =
  (world: World, life: Life): Mortal =>
  async (call, work) => {
    const index = awaitIndex(life.fn, call)
    passAwait(world, life, index)
    if (life.isAlive) await world.time.sleep(latencyMs(world))
    if (!life.isAlive) return never()
    try {
      return await work()
    } finally {
      if (life.isAlive) passAwait(world, life, index + 1)
      if (!life.isAlive) await never()
    }
  }

/** The same for what takes no time, and happens by the thousand: a probe that sees its target at once. */
export const atOnce =
  (world: World, life: Life): Mortal =>
  async (call, work) => {
    const index = awaitIndex(life.fn, call)
    passAwait(world, life, index)
    if (!life.isAlive) return never()
    const answer = await work()
    passAwait(world, life, index + 1)
    return life.isAlive ? answer : never()
  }

const locked = () => new StoreError('locked', 'locked by another process', { hint: 'wait' })

/** The town's store as one process sees it: conflicts, locks, lost answers, and times when nobody can reach it. */
export const storeOf = (world: World, life: Life): Store => {
  const { faults, time } = world
  const call = mortal(world, life)
  const store = witnessed(world.store, world.ledger, life.fn)
  const reached = <T>(work: () => Promise<T>): Promise<T> => {
    const nowMs = time.nowMs()
    if (faults.away.some(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs)) {
      faults.counts['store away']++
      throw locked()
    }
    if (faults.strikes('store locked', 80)) throw locked()
    return work()
  }
  const seen: Store = {
    read: (keys) => call('store.read', () => reached(() => store.read(keys))),
    row: (id) => call('store.row', () => reached(() => store.row(id))),
    due: (nowMs, limit) => call('store.due', () => reached(() => store.due(nowMs, limit))),
    list: (prefix, page) => call('store.list', () => reached(() => store.list(prefix, page))),
    commit: (changes, rows) =>
      call('store.commit', async () => {
        if (faults.strikes('store conflict', 40)) return 'conflict'
        const result = await reached(() => store.commit(changes, rows))
        if (faults.strikes('answer lost', 100)) throw locked()
        return result
      }),
    close: () => store.close(),
  }
  return world.mutant.store?.(seen, { fn: life.fn, base: world.store }) ?? seen
}

/** Two living processes of one kind; whoever is next gets the work. */
export type Room<M> = {
  work: (messages: readonly M[]) => Promise<unknown>
  cut: (why: string) => void
}

type Start<M> = (life: Life) => (messages: readonly M[]) => Promise<unknown>

export const roomOf = <M>(
  world: World,
  at: { fn: FunctionName; name?: string; skewMs?: number },
  start: Start<M>,
): Room<M> => {
  const { time, dice, story } = world
  const slots: { life: Life; work: (messages: readonly M[]) => Promise<unknown> }[] = []
  const open = (slot: number) => {
    const name = `${at.name ?? at.fn}#${slot + 1}`
    const life: Life = {
      fn: at.fn,
      name,
      // Clocks of one region agree to a fraction of a second.
      skewMs: (at.skewMs ?? 0) + dice.between(-300, 300),
      isAlive: true,
      die: (why) => {
        if (!life.isAlive) return
        life.isAlive = false
        story.tell(time.nowMs(), name, () => `DIES at ${why}`)
        time.at(time.nowMs() + dice.between(50, 4000), () => open(slot))
      },
    }
    slots[slot] = { life, work: start(life) }
  }
  open(0)
  open(1)
  let favourite = 0
  return {
    work: async (messages) => {
      // As pollers do: mostly to whoever had it last.
      if (dice.oneIn(10)) favourite = 1 - favourite
      const one = slots[favourite]?.life.isAlive ? slots[favourite] : slots[1 - favourite]
      if (!one?.life.isAlive) throw new Error(`no ${at.fn} is alive`)
      return one.work(messages)
    },
    cut: (why) => {
      for (const { life } of slots) life.die(why)
    },
  }
}
