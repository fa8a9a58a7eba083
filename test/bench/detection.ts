import { playTowns, timeoutMs } from '../simulation/locations.ts'

const towns = Number(process.env['WHODUNIT_TOWNS'] ?? 300)

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`

/** How soon three locations agree on an outage, and how often they are wrong. */
export const measureDetection = async (): Promise<string[]> => {
  const { detectionsMs, falsePages, missedOutages, ...seen } = await playTowns(towns)
  const part = (share: number) =>
    detectionsMs[Math.min(detectionsMs.length - 1, Math.floor(share * detectionsMs.length))]
  const boundMs = 5000 + timeoutMs
  return [
    `${seen.towns} towns of 24 min, three locations once a minute: ${seen.outages} outages, ${seen.pages} pages, ${seen.lostAttempts} attempts lost, ${seen.secondOpinions} second opinions`,
    ...[...falsePages, ...missedOutages].map((what) => `  ${what}`),
    `detections ${detectionsMs.length}: median ${seconds(part(0.5) ?? 0)}, p95 ${seconds(part(0.95) ?? 0)}, p99 ${seconds(part(0.99) ?? 0)}, slowest ${seconds(detectionsMs.at(-1) ?? 0)} after the first failing attempt ended (bound ${seconds(boundMs)}; ${detectionsMs.filter((ms) => ms > boundMs).length} over it)`,
    `falsePages ${falsePages.length}`,
    `missedOutages ${missedOutages.length}`,
  ]
}
