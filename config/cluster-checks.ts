import { seriesToRemember } from '../triage/registry.ts'
import type { ConfigPath, Finding } from './issues.ts'
import type { Config } from './schema.ts'
import { windowFinding } from './window-budget.ts'
import { windowNeeds } from './window-needs.ts'

const error = (code: string, path: ConfigPath, message: string, hint: string): Finding => ({
  severity: 'error',
  code,
  path,
  at: 'value',
  message,
  hint,
})

const unreachable = (config: Config): Finding[] =>
  Object.entries(config.clusters).flatMap(([id, { apiServer, sources, discover }]) => {
    if (apiServer !== undefined) return []
    const asking = sources.findIndex(({ kind }) => kind === 'kubernetes')
    const path = ['clusters', id]
    const hint = 'add apiServer: with kind in-cluster, kubeconfig, eks or url'
    if (discover.length > 0)
      return [
        error(
          'no-api-server',
          [...path, 'discover'],
          'discovery asks the Kubernetes API, and nothing says where it is',
          hint,
        ),
      ]
    const message = 'this source asks the Kubernetes API, and nothing says where it is'
    return asking === -1 ? [] : [error('no-api-server', [...path, 'sources', asking], message, hint)]
  })

const empty = (config: Config): Finding[] =>
  Object.entries(config.clusters).flatMap(([id, { sources, discover }]) =>
    sources.length + discover.length > 0
      ? []
      : [
          error(
            'empty-cluster',
            ['clusters', id],
            'nothing is read in this cluster',
            'list sources, or discover targets',
          ),
        ],
  )

const tooLarge = (config: Config): Finding[] =>
  Object.entries(config.clusters).flatMap(([id, cluster]) => {
    const finding = windowFinding(id, cluster, windowNeeds(config, id, seriesToRemember))
    return finding ? [finding] : []
  })

/** What the parts of a cluster must agree on. */
export const clusterFindings = (config: Config): Finding[] => [
  ...empty(config),
  ...unreachable(config),
  ...tooLarge(config),
]
