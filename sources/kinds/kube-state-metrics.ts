import * as z from 'zod'
import { defineSeriesSource } from '../contract.ts'
import { expositionFields, scrapeExposition } from '../exposition/scrape.ts'

/** kube-state-metrics' `/metrics`: what the Kubernetes API says of pods, deployments and nodes, as series. */
export const kubeStateMetricsSource = defineSeriesSource({
  kind: 'kube-state-metrics',
  reads: 'series',
  schema: z.strictObject({ kind: z.literal('kube-state-metrics'), ...expositionFields }),
  scrape: scrapeExposition,
})
