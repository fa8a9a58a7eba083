import { type BurnRate, usualBurnRates } from '../../rules/slo/burn-rate.ts'
import { addObjective, type Catalogue, say } from './catalogue.ts'
import type { Part } from './documents.ts'
import { durationSeconds } from './durations.ts'
import { type Found, type Ratio, ratioOfOne, ratioOfTwo } from './promql.ts'

/** The same words in a file for its command line and in an object of Kubernetes. */
const spellings = {
  file: {
    error: 'error_query',
    total: 'total_query',
    ratio: 'error_ratio_query',
    page: 'page_alert',
    ticket: 'ticket_alert',
  },
  kubernetes: {
    error: 'errorQuery',
    total: 'totalQuery',
    ratio: 'errorRatioQuery',
    page: 'pageAlert',
    ticket: 'ticketAlert',
  },
}
type Words = (typeof spellings)['file']

const ratioOf = (slo: Part, words: Words): Found<Ratio> => {
  const sli = slo.part('sli')
  const events = sli?.part('events')
  const [part, total] = [events?.text(words.error), events?.text(words.total)]
  if (part !== undefined && total !== undefined) return ratioOfTwo({ part, total, partIs: 'bad' })
  const query = sli?.part('raw')?.text(words.ratio)
  if (query !== undefined) return ratioOfOne(query, 'bad')
  const plugin = sli?.part('plugin')?.text('id')
  return { why: plugin === undefined ? 'it has no SLI' : `its SLI is made by a plugin, ${plugin}` }
}

/** The pairs of windows whose alerts are wanted. Without any an objective would be only a report, which there is not. */
const burnRatesOf = (catalogue: Catalogue, alerting: Part | undefined, words: Words): BurnRate[] | undefined => {
  const off = (['page', 'ticket'] as const).filter(
    (severity) => alerting?.part(words[severity])?.flag('disable') === true,
  )
  if (off.length === 0 || !alerting) return undefined
  if (off.length === 1) return usualBurnRates(30).filter(({ severity }) => !off.includes(severity))
  say(
    catalogue,
    alerting,
    'its alerts are off, and an objective always has some: silence it, or route its service nowhere',
  )
  return undefined
}

const importObjectives = (catalogue: Catalogue, spec: Part, at: { words: Words; cluster: string }): void => {
  const service = spec.text('service')
  for (const slo of spec.parts('slos')) {
    const alerting = slo.part('alerting')
    const annotations = alerting?.part('annotations')
    const summary = annotations?.text('summary') ?? slo.text('description')
    addObjective(catalogue, {
      at: slo,
      service,
      name: slo.text('name') ?? 'slo',
      summary,
      runbook: annotations?.text('runbook') ?? annotations?.text('runbook_url'),
      objectivePercent: slo.number('objective'),
      ratio: ratioOf(slo, at.words),
      cluster: at.cluster,
      burnRates: () => burnRatesOf(catalogue, alerting, at.words),
    })
  }
}

/** sloth's windows as an objective would have them; they belong to a run of sloth and to no objective of this file. */
const importWindows = (catalogue: Catalogue, root: Part): void => {
  const spec = root.part('spec')
  const periodSeconds = durationSeconds(spec?.text('sloPeriod') ?? '') ?? 0
  const pairs = (['page', 'ticket'] as const).flatMap((severity) =>
    ['quick', 'slow'].flatMap((speed): BurnRate[] => {
      const window = spec?.part(severity)?.part(speed)
      const [long, short] = ['longWindow', 'shortWindow'].map((key) => durationSeconds(window?.text(key) ?? ''))
      const percent = window?.number('errorBudgetPercent')
      if (long === undefined || short === undefined || percent === undefined) return []
      const factor = Math.round((percent / 100) * (periodSeconds / long) * 1e6) / 1e6
      return [{ severity, longSeconds: long, shortSeconds: short, factor }]
    }),
  )
  root.settle()
  say(
    catalogue,
    { ...root, where: 'AlertWindows' },
    `give them to the objectives they are for, as burnRates: ${JSON.stringify(pairs)}`,
  )
}

/** Takes a document of sloth in; false when it is none. */
export const importSloth = (catalogue: Catalogue, root: Part, cluster: string): boolean => {
  if (root.text('version') === 'prometheus/v1') {
    importObjectives(catalogue, root, { words: spellings.file, cluster })
    return true
  }
  if (root.text('apiVersion') !== 'sloth.slok.dev/v1') return false
  const kind = root.text('kind')
  if (kind === 'AlertWindows') importWindows(catalogue, root)
  const spec = root.part('spec')
  if (kind !== 'PrometheusServiceLevel' || !spec) return kind === 'AlertWindows'
  // Whoever reads the rules knows the object by the service.
  root.part('metadata')?.settle()
  importObjectives(catalogue, spec, { words: spellings.kubernetes, cluster })
  return true
}
