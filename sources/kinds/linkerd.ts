import * as z from 'zod'
import { defineSeriesSource } from '../contract.ts'
import { expositionFields, scrapeExposition } from '../exposition/scrape.ts'

/**
 * Linkerd's request metrics: one proxy's `/metrics`, or the `/federate?match[]=…` of the Prometheus that scrapes the
 * proxies. A proxy does not say whose it is, so its `labels` should (`namespace`, `deployment`, `pod`); of a federated
 * series the labels it has win (`honor_labels: true`).
 */
export const linkerdSource = defineSeriesSource({
  kind: 'linkerd',
  reads: 'series',
  schema: z.strictObject({ kind: z.literal('linkerd'), ...expositionFields }),
  scrape: scrapeExposition,
})
