import type * as z from 'zod'
import type { Grant, owner } from '../config/contract.ts'
import type { ComponentStatus, DeliveryOrder } from '../functions/contract.ts'
import type { CaseFile } from '../triage/contract.ts'

/** What a channel turns into words. `caseFile` is absent when the questions were not answered in time. */
export type Message = {
  order: DeliveryOrder
  caseFile?: CaseFile
  /** Where a person sees the incident; absent when nothing serves it. It may hold a token: for its receivers only. */
  incidentUrl?: string
  /** Where a person takes the incident on, with a button; absent when it is over or nothing serves it. */
  acknowledgeUrl?: string
  /** Of the service itself, so that a page without a case file still says whose it is. */
  owner?: z.output<typeof owner>
  runbook?: string
  /** `worst` is the worst status of all components; absent when none is known to fail, or only this one's is known. */
  statusPage: { id: string; name: string; url?: string; worst?: ComponentStatus }
}

/** Rendered once, kept until acknowledged: every retry sends the same bytes under the same id. */
export type Rendered = { body: string; contentType: string }

/** `mayHaveArrived`: the message was on its way, and what was answered, if anything, does not say whether it arrived. */
export type DeliveryResult =
  | { status: 'delivered' }
  | { status: 'retry'; afterMs?: number; cause: string; mayHaveArrived?: true }
  | { status: 'rejected'; cause: string }

export type ChannelWorld = {
  nowMs: () => number
  /** Throws a `MissingSecretError` for one that is not there, another error for one that cannot be asked for now. */
  secret: (reference: string) => string
  /** The attempt is over when this fires; the row is retried. */
  signal: AbortSignal
  /**
   * Where `console` writes; undefined where there is no terminal. Resolves when the text was taken; throws when it is
   * lost or `signal` fires.
   */
  print: ((text: string, signal: AbortSignal) => Promise<void>) | undefined
}

/**
 * One kind of channel. `render` is pure and runs once per delivery; `send` runs once per attempt and never throws for
 * what the provider does. `order.id` is the idempotency key the provider must see.
 */
export type ChannelKind<S extends z.ZodType = z.ZodType> = {
  kind: string
  schema: S
  /** `people` get pages; `status` gets component changes. */
  audience: 'people' | 'status'
  /** It reaches people only where there is a terminal. */
  needsTerminal?: true
  render: (spec: z.output<S>, message: Message) => Rendered
  send: (spec: z.output<S>, order: DeliveryOrder, rendered: Rendered, world: ChannelWorld) => Promise<DeliveryResult>
  /** The IAM permissions that sending needs where it runs; none when absent. */
  grants?: (spec: z.output<S>) => readonly Grant[]
}

export const defineChannel = <S extends z.ZodType>(channel: ChannelKind<S>): ChannelKind<S> => channel
