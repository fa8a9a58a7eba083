import type { FaultWindow } from './scenes.ts'

/** The one place that knows whether the fault is on; every part of the town asks it. */
export type FaultSwitch = {
  isOn: () => boolean
  /** A repeat changes nothing. */
  set: (on: boolean) => void
  windows: () => FaultWindow[]
}

const limitWindows = 1_000

export const faultSwitch = (nowMs: () => number): FaultSwitch => {
  const windows: FaultWindow[] = []
  const open = (): FaultWindow | undefined => windows.find(({ endedAtMs }) => endedAtMs === undefined)
  return {
    isOn: () => open() !== undefined,
    set: (on) => {
      const current = open()
      if (on && current === undefined && windows.length < limitWindows) windows.push({ startedAtMs: nowMs() })
      if (!on && current !== undefined) current.endedAtMs = nowMs()
    },
    windows: () => windows.map((window) => ({ ...window })),
  }
}
