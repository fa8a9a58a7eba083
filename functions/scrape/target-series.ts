import type { Labels, Sample } from '../../sources/contract.ts'

/** What Prometheus says of every target it scrapes, by the same names. */
export const targetSeriesNames: ReadonlySet<string> = new Set([
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
])

export type TargetScrape = {
  labels: Labels
  /** Read to its end: a target that broke off is as good as down, as it is to Prometheus. */
  up: boolean
  tookMs: number
  scraped: number
  kept: number
}

/** A target's own series after a scrape. */
export const targetSeries = ({ labels, up, tookMs, scraped, kept }: TargetScrape): Sample[] => [
  { name: 'up', labels, value: up ? 1 : 0 },
  { name: 'scrape_duration_seconds', labels, value: tookMs / 1000 },
  { name: 'scrape_samples_scraped', labels, value: scraped },
  { name: 'scrape_samples_post_metric_relabeling', labels, value: kept },
]
