import { expect, test } from '@jest/globals'
import { consoleChannel } from '../../../channels/kinds/console.ts'
import { hostileMessage, message, order } from '../messages.ts'
import { world } from '../providers.ts'

const spec = consoleChannel.schema.parse({ kind: 'console' })
const rendered = consoleChannel.render(spec, message)

test('the page stands in a frame of 80 columns and ends with a line end', () => {
  const lines = rendered.body.split('\n')
  expect(lines[0]).toBe(`+${'-- whodunit: page for oncall '.padEnd(79, '-')}`)
  expect(lines.at(-2)).toBe(`+${'-'.repeat(79)}`)
  expect(lines.at(-1)).toBe('')
  expect(lines.slice(1, -2).filter((line) => !/^\|(?: .*\S)?$/.test(line))).toEqual([])
})

test('no text in the page can end the frame', () => {
  const hostile = hostileMessage({ ...message, order: { ...order, channel: 'x\n+----' } })
  const forged = { ...hostile, order: { ...hostile.order, summaries: [`a\n+${'-'.repeat(79)}\nOPEN shop: b`] } }
  const lines = consoleChannel.render(spec, forged).body.split('\n')
  expect(lines.flatMap((line, at) => (line.startsWith('+') ? [at] : []))).toEqual([0, lines.length - 2])
})

test('it is printed once, as it was rendered', async () => {
  const printed: string[] = []
  const result = await consoleChannel.send(
    spec,
    order,
    rendered,
    world({ print: async (text) => void printed.push(text) }),
  )
  expect(result).toEqual({ status: 'delivered' })
  expect(printed).toEqual([rendered.body])
})

test('after the signal nothing is printed', async () => {
  const printed: string[] = []
  const late = world({ print: async (text) => void printed.push(text), signal: AbortSignal.abort() })
  expect(await consoleChannel.send(spec, order, rendered, late)).toMatchObject({ status: 'retry' })
  expect(printed).toEqual([])
})

test('a closed pipe is retried', async () => {
  const print = async (): Promise<void> => {
    throw new Error('write EPIPE')
  }
  expect(await consoleChannel.send(spec, order, rendered, world({ print }))).toEqual({
    status: 'retry',
    cause: 'could not print: write EPIPE',
  })
})

test('what nobody took in time may still be read, and is no delivery', async () => {
  const attempt = new AbortController()
  const print = async (_text: string, signal: AbortSignal): Promise<void> => {
    attempt.abort()
    signal.throwIfAborted()
  }
  expect(await consoleChannel.send(spec, order, rendered, world({ print, signal: attempt.signal }))).toEqual({
    status: 'retry',
    cause: 'nobody read the output in time',
    mayHaveArrived: true,
  })
})

test('where there is no terminal it refuses, so that another channel is asked', async () => {
  expect(await consoleChannel.send(spec, order, rendered, world({ print: undefined }))).toEqual({
    status: 'rejected',
    cause: 'there is no terminal here: a console channel reaches people only where whodunit serve runs',
  })
})
