// The scene of the crime: the programs of the demo application, its users, and the parts of a cluster one can read,
// as real servers on loopback. It knows nothing of whodunit.
import { faultSwitch } from './fault-switch.ts'
import { defaultNames, type Names } from './names.ts'
import { defaultPorts, type Ports, urlsOf } from './ports.ts'
import { seededRandom } from './random-names.ts'
import type { FaultWindow, SceneName } from './scenes.ts'
import { type SourceMode, type SourceName, sourceNames } from './sources.ts'
import { openStreet } from './street.ts'
import type { TownUrls } from './town-config.ts'
import { voteBot } from './vote-bot.ts'
import { createWorld, type TownLine } from './world.ts'

export type TownOptions = {
  scene?: SceneName
  names?: Names
  /** Parts left out take their default port; 0 is any free one. */
  ports?: Partial<Ports>
  nowMs?: () => number
  /** The fault comes on by itself so long after the start; never, when absent. */
  faultAfterMs?: number
  /** And goes by itself so long after it came on; stays, when absent. */
  faultForMs?: number
  /** Gets every line the programs log. */
  logs?: (line: TownLine) => void
  /** What the vote bot does; 0 keeps it at home. Default 10. */
  requestsPerSecond?: number
  /** Decides what the vote bot does. */
  seed?: number
}

export type Town = {
  names: Names
  scene: SceneName
  urls: TownUrls
  /** What a client must trust to accept the HTTPS endpoint in healthy times. */
  caPem: string
  /** The token of a service account that may read everything. */
  token: string
  /** Takes effect in all parts at once. Does nothing in the scene `healthy`, which has no fault. */
  setFault: (on: boolean) => void
  faultWindows: () => FaultWindow[]
  /** Just these sources accept and never answer; one that did so before is normal again. */
  setHang: (names: readonly SourceName[]) => void
  /** Just these sources answer 503; one that did so before is normal again. */
  setUnavailable: (names: readonly SourceName[]) => void
  /** Keeps the vote bot at home; resolves when its requests have ended. */
  pauseBot: () => Promise<void>
  resumeBot: () => void
  close: () => Promise<void>
}

const schedule = (setFault: (on: boolean) => void, afterMs: number | undefined, forMs: number | undefined) => {
  const timers: NodeJS.Timeout[] = []
  if (afterMs !== undefined) {
    timers.push(
      setTimeout(() => {
        setFault(true)
        if (forMs !== undefined) timers.push(setTimeout(() => setFault(false), forMs))
      }, afterMs),
    )
  }
  return { cancel: () => timers.forEach(clearTimeout) }
}

/**
 * Opens a town on loopback and lets its users in. Throws `TownPortTaken` when a port is not free; nothing stays open
 * then.
 */
export const startTown = async (options: TownOptions = {}): Promise<Town> => {
  const { scene = 'doughnut', names = defaultNames, nowMs = Date.now, seed = 1 } = options
  const { requestsPerSecond = 10, logs: onLine = () => undefined } = options
  const faults = faultSwitch(nowMs)
  const world = createWorld({ names, scene, faults, nowMs, random: seededRandom(seed + 1), onLine })
  const street = await openStreet(world, faults, { ...defaultPorts, ...options.ports })
  const bot = voteBot(world, { webPort: () => street.port('web'), requestsPerSecond, seed })
  const timers = schedule(street.setFault, options.faultAfterMs, options.faultForMs)
  const setModes = (mode: SourceMode, chosen: readonly SourceName[]): void => {
    for (const name of sourceNames) {
      if (chosen.includes(name)) street.setMode(name, mode)
      else if (street.modeOf(name) === mode) street.setMode(name, 'normal')
    }
  }
  return {
    names,
    scene,
    urls: urlsOf(street.port),
    caPem: street.caPem,
    token: street.token,
    setFault: street.setFault,
    faultWindows: faults.windows,
    setHang: (chosen) => setModes('hang', chosen),
    setUnavailable: (chosen) => setModes('unavailable', chosen),
    pauseBot: bot.pause,
    resumeBot: bot.resume,
    close: async () => {
      timers.cancel()
      await bot.close()
      await street.close()
    },
  }
}
