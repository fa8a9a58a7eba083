import type { QueueMessage } from './contract.ts'

/** The rows that messages of one batch ask for, each once, in their order. */
export const rowsOf = (messages: readonly QueueMessage[]): string[] => [
  ...new Set(messages.flatMap((message) => ('rowId' in message ? [message.rowId] : []))),
]

/** The newest pulse among them: those before it say nothing that it does not. */
export const pulsesOf = (messages: readonly QueueMessage[]): number[] => {
  const atMs = messages.flatMap((message) => ('pulseAtMs' in message ? [message.pulseAtMs] : []))
  return atMs.length === 0 ? [] : [Math.max(...atMs)]
}
