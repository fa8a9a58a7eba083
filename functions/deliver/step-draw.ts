/** Reads the case file of a delivery and renders its message, once: the bytes of its first claim are kept for all attempts. */
import type { Message, Rendered } from '../../channels/contract.ts'
import { itemLimitBytes, type Store } from '../../stores/contract.ts'
import { type CaseFile, caseFile } from '../../triage/contract.ts'
import { type DeliverBody, type DeliveryOrder, keys, type OutboxRow } from '../contract.ts'
import { jsonBytes } from '../json-bytes.ts'

export type DrawWorld = {
  store: Store
  /** Renders an order for its channel; undefined when the channel left the config. */
  render: (message: Pick<Message, 'order' | 'caseFile'>) => Rendered | undefined | Promise<Rendered | undefined>
  /** What a channel is; undefined when it left the config. */
  kindOf: (channel: string) => string | undefined
}

export type DeliverRow = Extract<OutboxRow, { to: 'deliver' }>

export const findCaseFile = async (store: Store, order: DeliveryOrder): Promise<CaseFile | undefined> => {
  const key = keys.caseFile(order.incidentId)
  const found = (await store.read([key])).get(key)
  // One that cannot be read (a newer version wrote it) is as good as none: the page must go out.
  return found && caseFile.safeParse(found.value).data
}

/** What the row holds besides the body: the lease, its counters. */
const rowSpareBytes = 1024

const fits = (row: OutboxRow, rendered: Rendered) => jsonBytes({ row, rendered }) <= itemLimitBytes - rowSpareBytes

export type Drawn = { rendered: Rendered; withCaseFile: boolean } | { refusal: string }

/** Renders with the case file, or without one that cannot be rendered or kept; else the next channel must take it. */
const draw = async (world: DrawWorld, row: OutboxRow, message: Pick<Message, 'order' | 'caseFile'>): Promise<Drawn> => {
  const { order } = message
  let refusal = 'the channel is not in the config'
  for (const one of message.caseFile ? [message, { order }] : [message]) {
    try {
      const rendered = await world.render(one)
      if (!rendered) break
      if (fits(row, rendered)) return { rendered, withCaseFile: one.caseFile !== undefined }
      refusal = 'the message is too large'
    } catch (error) {
      refusal = `the message cannot be rendered: ${causeOf(error)}`
    }
  }
  return { refusal }
}

/** Is its channel of another kind since its message was frozen? To that those bytes say nothing. */
const isOutdated = ({ kindOf }: DrawWorld, { order, frozen }: DeliverBody): boolean => {
  const [before, now] = [frozen?.kind, kindOf(order.channel)]
  return before !== undefined && now !== undefined && before !== now
}

/** Is what it says frozen? */
export const isDrawn = (world: DrawWorld, body: DeliverBody): boolean =>
  body.frozen !== undefined && !isOutdated(world, body)

/** The frozen bytes, or new ones; what may have arrived is not said once more in others. */
export const bytesFor = async (world: DrawWorld, row: DeliverRow, known: CaseFile | undefined): Promise<Drawn> => {
  const { frozen, ...body } = row.body
  const { order, mayHaveArrived } = body
  const isOld = isOutdated(world, row.body)
  if (frozen && !isOld) return { rendered: frozen, withCaseFile: frozen.withCaseFile }
  if (isOld && mayHaveArrived)
    return { refusal: 'the channel is of another kind since an attempt that may have arrived' }
  return draw(world, { ...row, body }, { order, ...(known ? { caseFile: known } : {}) })
}

export const causeOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 200)
