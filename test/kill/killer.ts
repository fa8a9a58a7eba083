import { setTimeout as sleep } from 'node:timers/promises'
import { listening, type Running } from '../cli/serving.ts'

/** How long a process may live: while it starts, or at work after it listens. */
export type Lifetimes = { startingMs: number; workingMs: { from: number; to: number } }

/**
 * Starts `serve`, kills it at a random moment with -9, starts it again, until told to stop. One life in four ends while
 * it starts; the others end at any moment of their work.
 */
export const killLoop = (start: () => Running, random: () => number, { startingMs, workingMs }: Lifetimes) => {
  let on = true
  const killsAtMs: number[] = []
  let running = start()
  const loop = async () => {
    while (on) {
      if (random() < 0.25) await sleep(random() * startingMs)
      else {
        await listening(running)
        await sleep(workingMs.from + random() * (workingMs.to - workingMs.from))
      }
      if (!on) break
      running.process.kill('SIGKILL')
      await running.exited
      killsAtMs.push(Date.now())
      running = start()
    }
  }
  const done = loop()
  return {
    kills: () => killsAtMs.length,
    /** When each killed process was gone: what happened between two of these happened to one process. */
    killsAtMs,
    /** Rejects when a process could not even start. */
    stopKilling: async () => {
      on = false
      await done
    },
    running: () => running,
  }
}
