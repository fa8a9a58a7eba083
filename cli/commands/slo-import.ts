import { stringify } from 'yaml'
import { type Catalogue, emptyCatalogue } from '../slo-import/catalogue.ts'
import { type Lost, type Reading, readDocuments, UnreadableError } from '../slo-import/documents.ts'
import { importOpenSlo, nameDocuments } from '../slo-import/openslo.ts'
import { importSloth } from '../slo-import/sloth.ts'

/** What a file of objectives became. `config` is one that `whodunit validate` takes; empty when no objective is in it. */
export type Imported =
  | { status: 'read'; config: string; rules: readonly string[]; objectives: number; lost: readonly Lost[] }
  | { status: 'unusable'; line: number; why: string }

/** Why something has no place here, by the key it stands under. */
const reasons: Readonly<Record<string, string>> = {
  labels: 'an alert has the labels of its rule, its service and its severity, and routes go by those',
  annotations: 'a page says what burns and when the budget is empty',
  page_alert: 'who is told of a page follows from the routes',
  pageAlert: 'who is told of a page follows from the routes',
  ticket_alert: 'who is told of a ticket follows from the routes',
  ticketAlert: 'who is told of a ticket follows from the routes',
  alerting: 'who is told follows from the routes',
  name: 'alerts are called like their rule',
  description: 'an objective has one sentence, and it has another one',
  plugins: 'plugins are not run',
  slo_plugins: 'plugins are not run',
  sloPlugins: 'plugins are not run',
  notificationTargets: 'who is told follows from the routes',
  alertAfter: 'a pair of windows fires when both are over',
  alertWhenNoData: 'what nobody sees holds an alert',
  alertWhenResolved: 'everybody who was told of an alert is told of its end',
}

const unreadOf = (readings: readonly Reading[]): Lost[] =>
  readings.flatMap(({ unread }) =>
    unread().map(({ line, where, key }) => ({
      line,
      where,
      what: Object.hasOwn(reasons, key) ? (reasons[key] ?? '') : 'there is nothing like it here',
    })),
  )

/** A whole config around the rules, so that it can be tried as it is. */
const configOf = ({ rules, services, servers }: Catalogue, at: { cluster: string; prometheus: string }): string => {
  if (rules.size === 0) return ''
  const used = new Set(JSON.stringify([...rules.values()]).match(/(?<="cluster":")[^"]+/g))
  const clusters = new Map(
    [[at.cluster, at.prometheus], ...servers].filter(([name]) => used.has(name ?? '')) as [string, string][],
  )
  const config = {
    services: Object.fromEntries([...services].map(([id, runbook]) => [id, runbook === undefined ? {} : { runbook }])),
    monitors: {},
    clusters: Object.fromEntries([...clusters].map(([id, url]) => [id, { sources: [{ kind: 'prometheus', url }] }])),
    rules: Object.fromEntries(rules),
    channels: { terminal: { kind: 'console' } },
    routes: [{ channels: ['terminal'] }],
  }
  return stringify(config, { lineWidth: 0 })
}

const isGenerated = ({ root }: Reading) => (root.part('spec') ?? root).parts('groups').length > 0

/**
 * Objectives of sloth (`prometheus/v1`, `PrometheusServiceLevel`) or OpenSLO as a config. `cluster` is what the place
 * with their series is called here, `prometheus` where it answers.
 */
export const importSlos = (text: string, at: { cluster: string; prometheus: string }): Imported => {
  const catalogue = emptyCatalogue()
  try {
    const readings = readDocuments(text)
    const world = { catalogue, named: nameDocuments(readings.map(({ root }) => root)), cluster: at.cluster }
    const known = readings.filter(({ root }) => importSloth(catalogue, root, at.cluster) || importOpenSlo(world, root))
    const others = readings.filter((reading) => !known.includes(reading))
    if (known.length === 0) {
      const [first] = readings
      const why = readings.some(isGenerated)
        ? 'these are Prometheus rules: give the file they were made of'
        : 'no objective of sloth (version: prometheus/v1, or a PrometheusServiceLevel) and none of OpenSLO (openslo/v1)'
      return { status: 'unusable', line: first?.root.line ?? 1, why }
    }
    for (const { root } of others) {
      root.settle()
      catalogue.lost.push({ line: root.line, where: 'document', what: 'it is neither of sloth nor of OpenSLO' })
    }
    const lost = [...catalogue.lost, ...unreadOf(known)].sort((a, b) => a.line - b.line)
    const { rules, objectives } = catalogue
    return { status: 'read', config: configOf(catalogue, at), rules: [...rules.keys()], objectives, lost }
  } catch (error) {
    if (error instanceof UnreadableError) return { status: 'unusable', line: error.line, why: error.message }
    throw error
  }
}

/** `slos.yaml:12 slos[0].labels: …`, one a line, and how much was carried over. */
export const importText = (file: string, { rules, objectives, lost }: Extract<Imported, { status: 'read' }>): string =>
  [
    ...lost.map(({ line, where, what }) => `${file}:${line} ${where}: ${what}`),
    `carried over: ${rules.length} of ${objectives} objectives; not carried over: ${lost.length === 0 ? 'nothing' : lost.length}`,
  ].join('\n')
