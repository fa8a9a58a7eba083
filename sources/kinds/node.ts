import * as z from 'zod'
import { defineSeriesSource } from '../contract.ts'
import { expositionFields, scrapeExposition } from '../exposition/scrape.ts'

/**
 * node_exporter's `/metrics`: processors, memory, load, file descriptors, network and disks of one machine. It does not
 * say what Kubernetes calls that machine, so its `labels` should (`node`).
 */
export const nodeSource = defineSeriesSource({
  kind: 'node',
  reads: 'series',
  schema: z.strictObject({ kind: z.literal('node'), ...expositionFields }),
  scrape: scrapeExposition,
})
