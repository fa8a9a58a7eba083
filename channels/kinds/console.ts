import * as z from 'zod'
import { defineChannel, type Message } from '../contract.ts'
import { failureOf } from '../failure.ts'
import { pageText } from '../page-text.ts'
import { oneLine } from '../plain-text.ts'
import { ratePerMinute } from '../rate.ts'

const frameColumns = 80

/** The left edge makes every line of the page ours: no text in it can pass for the end of the frame. */
const framed = (message: Message): string => {
  const rule = (text: string): string => `+${text.padEnd(frameColumns - 1, '-')}`
  const page = pageText(message, { width: frameColumns - 2 })
  const lines = page.split('\n').map((line) => `| ${line}`.trimEnd())
  return [rule(`-- whodunit: page for ${oneLine(message.order.channel, 50)} `), ...lines, rule('')].join('\n')
}

const noTerminal = 'there is no terminal here: a console channel reaches people only where whodunit serve runs'

/** Prints the page, for `serve` in a terminal and for trying things out. Plain text: a pipe stays clean. */
export const consoleChannel = defineChannel({
  kind: 'console',
  schema: z.strictObject({ kind: z.literal('console'), ratePerMinute: ratePerMinute.optional() }),
  audience: 'people',
  needsTerminal: true,
  render: (_spec, message) => ({ body: `${framed(message)}\n`, contentType: 'text/plain; charset=utf-8' }),
  send: async (_spec, _order, { body }, { print, signal }) => {
    if (!print) return { status: 'rejected', cause: noTerminal }
    if (signal.aborted) return { status: 'retry', cause: 'the time for this attempt was over' }
    try {
      await print(body, signal)
      return { status: 'delivered' }
    } catch (error) {
      // What waits in a terminal that nobody reads is seen when somebody does.
      if (signal.aborted) return { status: 'retry', cause: 'nobody read the output in time', mayHaveArrived: true }
      return { status: 'retry', cause: `could not print: ${oneLine(failureOf(error).message, 200)}` }
    }
  },
})
