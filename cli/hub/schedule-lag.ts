import type { Histogram } from '../../web/metrics.ts'

const boundsSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** How late looks began after their scheduled time, since this process started. */
export const scheduleLag = () => {
  const counts = boundsSeconds.map(() => 0)
  const all = { count: 0, sum: 0 }
  return {
    observe: (lagMs: number): void => {
      const seconds = lagMs / 1000
      const at = boundsSeconds.findIndex((bound) => seconds <= bound)
      if (at !== -1) counts[at] = (counts[at] ?? 0) + 1
      all.count++
      all.sum += seconds
    },
    read: (): Histogram => ({ ...all, buckets: boundsSeconds.map((bound, at) => ({ bound, count: counts[at] ?? 0 })) }),
  }
}
