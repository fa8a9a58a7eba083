import { type ConfigIssue, issueText } from '../../config/issues.ts'
import { type ConfigWorld, loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import { windowCost, windowSentence } from '../../config/window-budget.ts'
import { windowNeeds } from '../../config/window-needs.ts'
import { seriesToRemember } from '../../triage/registry.ts'

export type ValidateOptions = ConfigWorld & {
  /** Path of the config. */
  config: string
  /** Print `{ ok, issues, warnings, windows }` as JSON instead of text. */
  json: boolean
  print: (text: string) => void
  printError: (text: string) => void
  /** Width of the terminal; nothing wraps without it. */
  columns?: number | undefined
}

const counted = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`

/** `whodunit.yaml is fine: 4 monitors, 3 services, …` */
const fineText = (path: string, { monitors, services, rules, clusters, channels, locations }: Config): string => {
  const parts = [
    counted(Object.keys(monitors).length, 'monitor'),
    counted(Object.keys(services).length, 'service'),
    counted(Object.keys(rules).length, 'rule'),
    ...(Object.keys(clusters).length > 0 ? [counted(Object.keys(clusters).length, 'cluster')] : []),
    counted(Object.keys(channels).length, 'channel'),
    counted(locations.length, 'location'),
  ]
  return `${path} is fine: ${parts.join(', ')}`
}

/** What each cluster's window will take, before it is deployed. */
const windowsOf = (config: Config) =>
  Object.entries(config.clusters).map(([cluster, spec]) => ({
    cluster,
    ...windowCost(windowNeeds(config, cluster, seriesToRemember), spec),
  }))

/**
 * Checks a config and says everything that is wrong with it. Answers the exit code: 0 fine (warnings or not),
 * 2 mistakes. Text about problems goes to `printError`, everything else to `print`.
 */
export const validateCommand = async (options: ValidateOptions): Promise<0 | 2> => {
  const { config: path, json, print, printError, columns } = options
  const loaded = await loadConfig(path, options)
  const warnings = loaded.ok ? loaded.warnings : []
  const issues: ConfigIssue[] = loaded.ok ? [] : loaded.issues
  if (json) {
    const windows = loaded.ok ? { windows: windowsOf(loaded.config) } : {}
    print(JSON.stringify({ ok: loaded.ok, issues, warnings, ...windows }, null, 2))
    return loaded.ok ? 0 : 2
  }
  for (const issue of [...issues, ...warnings]) printError(`${issueText(issue, loaded.source, columns)}\n`)
  if (loaded.ok) {
    const also = warnings.length > 0 ? `, with ${counted(warnings.length, 'warning')}` : ''
    print(`${fineText(path, loaded.config)}${also}`)
    for (const { cluster, ...cost } of windowsOf(loaded.config)) print(windowSentence(cluster, cost))
    return 0
  }
  printError(`${path} has ${counted(issues.length, 'mistake')}`)
  return 2
}
