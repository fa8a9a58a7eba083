import { createHash } from 'node:crypto'
import { startMs } from './calendar.ts'

/** What happened, for whoever has to find out why. Nothing is written down unless somebody will read it. */
export type Story = {
  tell: (atMs: number, who: string, what: () => string) => void
  lines: readonly string[]
}

const clock = (atMs: number) => {
  const ms = atMs - startMs
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  return `${two(ms / 60_000)}:${two((ms / 1000) % 60)}.${String(Math.floor(ms % 1000)).padStart(3, '0')}`
}

export const untold: Story = { tell: () => undefined, lines: [] }

export const storyOf = (): Story => {
  const lines: string[] = []
  return {
    lines,
    tell: (atMs, who, what) => {
      lines.push(`${clock(atMs)} ${who.padEnd(18)} ${what()}`)
    },
  }
}

export const digestOf = ({ lines }: Story): string => createHash('sha256').update(lines.join('\n')).digest('hex')

const ends = 25

/** The beginning and the end, with how much lies in between. */
export const shortStory = ({ lines }: Story): string[] =>
  lines.length <= 2 * ends
    ? [...lines]
    : [...lines.slice(0, ends), `… ${lines.length - 2 * ends} lines more with --trace …`, ...lines.slice(-ends)]
