import * as z from 'zod'
import { defineSeriesSource, type Reading, type Scrape, type Selector, type SourceWorld } from '../contract.ts'
import { expositionFields, scrapeExposition } from '../exposition/scrape.ts'

const schema = z.strictObject({
  kind: z.literal('linkerd'),
  ...expositionFields,
  /**
   * `url` is the Prometheus that scrapes the proxies: it is asked for what is wanted of their series and nothing else.
   * With more than fifty proxies it should be: each has about 1,700 series, and reading them all takes longer than a page waits.
   */
  federate: z
    .strictObject({
      /** Matchers of the proxies' series there. */
      selector: z.string().min(1).max(500).default('job="linkerd-proxy"'),
    })
    .optional(),
})
type Spec = z.output<typeof schema>

/** Prometheus' `/federate`, with a `match[]` for each name. */
const federation = (url: string, selector: string, keep: readonly Selector[]): string => {
  const whole = new URL(url)
  whole.pathname = `${whole.pathname.replace(/\/+$/, '')}/federate`
  const names = new Set(keep.map(({ name }) => name))
  // Whoever asks nothing still learns whether the proxies are read at all.
  const wanted = names.size > 0 ? [...names] : ['process_start_time_seconds']
  for (const name of wanted) whole.searchParams.append('match[]', `{__name__=${JSON.stringify(name)},${selector}}`)
  return whole.href
}

const scrape = (spec: Spec, world: SourceWorld, keep: readonly Selector[]): Promise<Reading<Scrape>> =>
  scrapeExposition(
    spec.federate ? { ...spec, url: federation(spec.url, spec.federate.selector, keep) } : spec,
    world,
    keep,
  )

/**
 * Linkerd's request metrics: one proxy's `/metrics`, or the Prometheus that scrapes the proxies (`federate`). A proxy
 * does not say whose it is, so its `labels` should (`namespace`, `deployment`, `pod`); of a federated series the labels
 * it has win (`honor_labels: true`).
 */
export const linkerdSource = defineSeriesSource({ kind: 'linkerd', reads: 'series', schema, scrape })
