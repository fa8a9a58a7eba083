import * as z from 'zod'
import { defineSeriesSource } from '../contract.ts'
import { expositionFields, scrapeExposition } from '../exposition/scrape.ts'

/**
 * An application's own `/metrics`: what client libraries tell of the process (`process_*`, `go_*`) and whatever the
 * application counts. Whose it is, its `labels` say (`namespace`, `deployment`, `pod`).
 */
export const appSource = defineSeriesSource({
  kind: 'app',
  reads: 'series',
  schema: z.strictObject({ kind: z.literal('app'), ...expositionFields }),
  scrape: scrapeExposition,
})
