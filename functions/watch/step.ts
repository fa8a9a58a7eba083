/**
 * Reads the hub's three pulse items and its own item `watch/state`; decides whether the hub is well, missed or dead;
 * pages, then writes what changed; tells the dead-man's switch while all is well. A healthy minute writes nothing.
 *
 * A page goes out before the state that says so is committed: whoever dies in between pages again a minute later, and
 * receivers merge repeats by their deduplication key. The other way round that death would cost the page. A page that
 * is refused leaves the state as it was, so the next minute tries again.
 * Run twice, or two at once: the same page under the same key, and one of the commits is a conflict. What was told is
 * remembered all the same, or nobody would ever hear that it is over.
 */
import type { Store } from '../../stores/contract.ts'
import { keys } from '../contract.ts'
import { pulseItem, pulseStages, type WatchMemory, watchKey, watchMemory } from '../watch-state.ts'
import { decideWatch, type PulsesMs, type Sight, type Told, type WatchReason } from './decide.ts'

export type WatchWorld = {
  nowMs: () => number
  /** The hub's table, perhaps a region away. */
  hub: Pick<Store, 'read'>
  /** This location's own table. */
  own: Pick<Store, 'read' | 'commit'>
  /** Looks around where a page needs it, and publishes; rejects when it was not taken. Ends by itself. */
  page: (told: Told) => Promise<void>
  /** Tells the dead-man's switch, if there is one; never rejects. */
  ping: () => Promise<PingResult>
}

export type PingResult = { status: 'none' } | { status: 'told' } | { status: 'failed'; why: string }

export type WatchResult = {
  reason: WatchReason
  page: 'none' | 'sent' | 'failed'
  memory: 'unchanged' | 'kept' | 'overtaken' | 'not-kept'
  /** `withheld` while the hub is not well or we could not do our work. */
  ping: 'none' | 'told' | 'failed' | 'withheld'
  /** What went wrong here, in words for a log. */
  troubles: string[]
}

/** Long enough for a cold connection across an ocean; short enough that a dead region costs the page nothing. */
const storeDeadlineMs = 2000
/** Against others who write at the same moment. */
const tries = 3

export const causeOf = (thrown: unknown): string =>
  thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)

/** The work's answer, or an error after `ms`; what the work does later is nobody's business. */
export const within = async <T>(ms: number, work: Promise<T>): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms)
  work.catch(() => undefined)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

const readPulses = async (hub: WatchWorld['hub']): Promise<Sight> => {
  try {
    const items = await within(storeDeadlineMs, hub.read(pulseStages.map(keys.pulse)))
    const pulsesMs: { -readonly [stage in keyof PulsesMs]: PulsesMs[stage] } = {}
    for (const stage of pulseStages) {
      const item = items.get(keys.pulse(stage))
      if (!item) continue
      const parsed = pulseItem.safeParse(item.value)
      if (!parsed.success) return { status: 'unreadable', why: `the item ${keys.pulse(stage)} there is no pulse` }
      pulsesMs[stage] = parsed.data.atMs
    }
    return { status: 'read', pulsesMs }
  } catch (thrown) {
    return { status: 'unreadable', why: causeOf(thrown) }
  }
}

type Own =
  | { status: 'read'; memory: WatchMemory | undefined; version: number }
  /** Somebody else's, or a newer one's, writing: it is replaced, and the hub is taken for one that has been up. */
  | { status: 'odd'; memory: WatchMemory; version: number }
  | { status: 'unreadable'; why: string }

const readOwn = async (own: WatchWorld['own']): Promise<Own> => {
  try {
    const item = (await within(storeDeadlineMs, own.read([watchKey]))).get(watchKey)
    if (!item) return { status: 'read', memory: undefined, version: 0 }
    const { version } = item
    const parsed = watchMemory.safeParse(item.value)
    return parsed.success
      ? { status: 'read', memory: parsed.data, version }
      : { status: 'odd', memory: { phase: 'well' }, version }
  } catch (thrown) {
    return { status: 'unreadable', why: causeOf(thrown) }
  }
}

/** The one item is written as read; with `mustStick` also over what somebody wrote meanwhile. */
const keep = async (
  own: WatchWorld['own'],
  { memory, version, mustStick }: { memory: WatchMemory; version: number; mustStick: boolean },
): Promise<'kept' | 'overtaken'> => {
  let expect = version
  for (let attempt = 1; attempt <= tries; attempt++) {
    const result = await within(storeDeadlineMs, own.commit([{ key: watchKey, expect, value: memory }]))
    if (result === 'committed') return 'kept'
    if (!mustStick) return 'overtaken'
    expect = (await within(storeDeadlineMs, own.read([watchKey]))).get(watchKey)?.version ?? 0
  }
  throw new Error(`others wrote ${watchKey} ${tries} times meanwhile`)
}

const tell = async (world: WatchWorld, page: Told | undefined, troubles: string[]): Promise<WatchResult['page']> => {
  if (!page) return 'none'
  try {
    await world.page(page)
    return 'sent'
  } catch (thrown) {
    troubles.push(`the page was not taken: ${causeOf(thrown)}`)
    return 'failed'
  }
}

/**
 * What this process knows and its table does not; a Lambda's process usually lives for many minutes. `told` when people
 * know it too: then it goes before what the table says.
 */
type Unsaved = { memory: WatchMemory; told: boolean; atMs: number }
/** A process that was not asked for so long has been replaced by another, which may have told people something newer. */
const unsavedForMs = 5 * 60_000

const remember = async (
  world: WatchWorld,
  before: Own,
  { memory, told }: Unsaved,
): Promise<{ result: 'kept' | 'overtaken' } | { result: 'not-kept'; why: string }> => {
  if (before.status === 'unreadable') return { result: 'not-kept', why: before.why }
  try {
    return { result: await keep(world.own, { memory, version: before.version, mustStick: told }) }
  } catch (thrown) {
    return { result: 'not-kept', why: causeOf(thrown) }
  }
}

const pinged = async (world: WatchWorld, troubles: string[]): Promise<WatchResult['ping']> => {
  const ping = await world.ping()
  if (ping.status === 'failed') troubles.push(`the dead-man's switch was not told: ${ping.why}`)
  return ping.status
}

/** One look at the hub. Never rejects: what failed is in the answer. */
export const watchStep = (world: WatchWorld): (() => Promise<WatchResult>) => {
  let unsaved: Unsaved | undefined
  const write = async (before: Own, next: Unsaved, troubles: string[]): Promise<WatchResult['memory']> => {
    const isStored = before.status === 'read' && before.memory === next.memory
    const kept = isStored ? ({ result: 'unchanged' } as const) : await remember(world, before, next)
    unsaved = kept.result === 'not-kept' ? next : undefined
    if (kept.result === 'not-kept') troubles.push(`${watchKey} was not kept: ${kept.why}`)
    return kept.result
  }
  return async () => {
    const troubles: string[] = []
    const [sight, before] = await Promise.all([readPulses(world.hub), readOwn(world.own)])
    if (sight.status === 'unreadable') troubles.push(`the hub's table cannot be read: ${sight.why}`)
    if (before.status === 'odd') troubles.push(`${watchKey} was not understood and is replaced`)
    const nowMs = world.nowMs()
    const known = unsaved && nowMs - unsaved.atMs <= unsavedForMs ? unsaved : undefined
    const { reason, finding, memory, page } = decideWatch(recalled(before, known), sight, nowMs)
    const told = await tell(world, page, troubles)
    // A page that was not taken is one nobody was told: nothing is remembered, so the next minute tries again.
    const next = { memory, told: told === 'sent' || known?.told === true, atMs: nowMs }
    const kept = told === 'failed' ? 'unchanged' : await write(before, next, troubles)
    const isWell = finding.status === 'well' && told !== 'failed' && kept !== 'not-kept'
    return { reason, page: told, memory: kept, ping: isWell ? await pinged(world, troubles) : 'withheld', troubles }
  }
}

const recalled = (before: Own, known: Unsaved | undefined): WatchMemory | undefined => {
  if (known?.told) return known.memory
  // Without its memory a location counts from here on, and grants no patience for a first deployment.
  return before.status === 'unreadable' ? (known?.memory ?? { phase: 'well' }) : before.memory
}
