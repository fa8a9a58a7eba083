import * as z from 'zod'
import type { ProbeWorld, Sighting } from './contract.ts'
import { httpProbe } from './kinds/http.ts'

/** Every kind of probe; a new one is a line here and a line in each switch the compiler then points at. */
export const probeKinds = [httpProbe] as const

export const monitorSpec = z.discriminatedUnion('kind', [httpProbe.schema])
export type MonitorSpec = z.output<typeof monitorSpec>

/** Runs one probe once. */
export const runProbe = (spec: MonitorSpec, world: ProbeWorld): Promise<Sighting> => {
  switch (spec.kind) {
    case 'http':
      return httpProbe.run(spec, world)
    default:
      return spec.kind satisfies never
  }
}

/** What a person calls the target. */
export const probeTarget = (spec: MonitorSpec): string => {
  switch (spec.kind) {
    case 'http':
      return httpProbe.target(spec)
    default:
      return spec.kind satisfies never
  }
}
