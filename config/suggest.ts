import { distance } from 'fastest-levenshtein'

/** What other tools call our keys; used in hints only. Keys without dashes, underscores and capitals. */
const synonyms: Readonly<Record<string, readonly string[]>> = {
  periodSeconds: ['interval', 'frequency', 'period', 'every', 'schedule', 'intervalseconds', 'checkinterval', 'rate'],
  scrapeIntervalSeconds: ['interval', 'scrapeinterval', 'frequency'],
  timeoutSeconds: ['timeout', 'timeoutms', 'deadline', 'maxtime'],
  forSeconds: ['for', 'after', 'duration', 'pendingperiod'],
  failureWindow: ['datapointstoalarm', 'evaluationperiods', 'slidingwindow', 'nofm'],
  retentionDays: ['retention', 'days', 'keepdays', 'keep', 'ttl', 'maxage'],
  windowSeconds: ['window', 'range', 'retention', 'lookback'],
  failureThreshold: [
    'retries',
    'failures',
    'threshold',
    'maxretries',
    'attempts',
    'confirmations',
    'unhealthythreshold',
  ],
  successThreshold: ['successes', 'recoveries', 'healthythreshold', 'recoverythreshold'],
  url: ['endpoint', 'target', 'uri', 'address', 'href', 'link', 'site'],
  assert: ['expect', 'conditions', 'condition', 'assertions', 'expectations', 'checks', 'validations', 'asserts'],
  status: ['statuscode', 'statuscodes', 'expectedstatus', 'validstatuscodes', 'code', 'codes'],
  kind: ['type', 'module', 'protocol', 'check'],
  dependsOn: ['dependencies', 'depends', 'needs', 'requires', 'upstreams'],
  monitors: ['checks', 'probes', 'endpoints', 'synthetics', 'canaries', 'targets', 'uptime'],
  channels: ['receivers', 'contacts', 'notifiers', 'notifications', 'alerting', 'integrations', 'notify'],
  rules: ['alerts', 'alertrules', 'triggers', 'policies', 'slos'],
  routes: ['routing', 'route', 'escalations', 'escalationpolicies'],
  locations: ['regions', 'region', 'location', 'places', 'from'],
  services: ['components', 'apps', 'applications', 'service', 'systems'],
  service: ['component', 'app', 'application', 'group'],
  statusPage: ['status', 'page', 'statuspages'],
  clusters: ['kubernetes', 'cluster', 'k8s'],
  severities: ['severity', 'priority', 'priorities', 'levels'],
  severity: ['priority', 'level', 'urgency'],
  summary: ['description', 'message', 'title', 'annotation'],
  selector: ['query', 'expr', 'expression', 'series', 'metric'],
  teams: ['team', 'owners', 'owner'],
  hours: ['activetimeintervals', 'timeintervals', 'businesshours', 'when', 'schedule'],
  timeZone: ['tz', 'zone'],
  escalateAfterSeconds: ['escalateafter', 'escalation', 'escalationtimeout', 'escalateafterminutes', 'acktimeout'],
  remindEverySeconds: ['repeatinterval', 'remindevery', 'repeatevery', 'renotifyinterval', 'reminder'],
  fallbackChannel: ['fallback', 'defaultchannel', 'defaultreceiver', 'lastresort'],
  grouping: ['groupby', 'groups'],
  inhibit: ['inhibitrules', 'inhibition', 'inhibitions'],
  source: ['sourcematchers', 'sourcematch'],
  target: ['targetmatchers', 'targetmatch'],
  matchers: ['match', 'matchre', 'labels', 'selectors'],
  maintenance: ['maintenancewindows', 'downtime', 'downtimes', 'silences', 'mutetimeintervals', 'mutes'],
  durationSeconds: ['duration', 'length', 'durationminutes'],
  cron: ['schedule', 'crontab', 'rrule'],
  owner: ['team', 'ownedby', 'maintainer', 'owners'],
  runbook: ['runbookurl', 'playbook', 'docs', 'documentation'],
  contact: ['email', 'phone', 'slack', 'mail'],
  workload: ['deployment', 'statefulset', 'daemonset', 'pod'],
  headers: ['header', 'httpheaders'],
  http: ['https', 'web', 'website', 'httpcheck', 'url', 'get'],
  webhook: ['http', 'slack', 'discord', 'teams', 'hook', 'url'],
  sns: ['awssns', 'email', 'sms', 'topic'],
  console: ['stdout', 'log', 'print', 'terminal'],
  'statuspage-webhook': ['statuspage', 'status'],
  'kube-state-metrics': ['ksm', 'kubernetes', 'kubestate'],
  linkerd: ['mesh', 'servicemesh'],
  loki: ['logs', 'log', 'grafana'],
  availability: ['uptime', 'down', 'failure', 'health'],
  absence: ['absent', 'missing', 'nodata', 'deadman', 'heartbeat'],
  page: ['critical', 'emergency', 'p1', 'high', 'fatal', 'error', 'sev1'],
  ticket: ['warning', 'warn', 'medium', 'p2', 'p3', 'minor'],
  advisory: ['info', 'information', 'notice', 'low', 'p4', 'p5'],
  developers: ['dev', 'devs', 'developer', 'engineering'],
  sre: ['ops', 'operations', 'platform', 'devops', 'infra', 'oncall'],
}

const bare = (word: string) => word.toLowerCase().replaceAll(/[-_\s.]/g, '')

const letters = (word: string) => [...word].sort().join('')

/** Edit distance, with two letters that changed places counted once. */
const edits = (a: string, b: string): number => {
  const far = distance(a, b)
  return far === 2 && a.length === b.length && letters(a) === letters(b) ? 1 : far
}

const reach = (length: number) => (length <= 4 ? 1 : length <= 8 ? 2 : 3)

/**
 * The candidate a person most likely meant: the same word written another way, another tool's word for it, a word that
 * begins with it or that it begins with, or the nearest by edit distance; undefined when nothing is near.
 */
export const closest = (word: string, candidates: readonly string[]): string | undefined => {
  if (word.length > 80) return undefined
  const said = bare(word)
  const same = candidates.find((candidate) => bare(candidate) === said)
  if (same !== undefined || said === '') return same
  const known = candidates.find((candidate) => synonyms[candidate]?.includes(said))
  if (known !== undefined) return known
  const longer = candidates.find((candidate) => said.length >= 3 && bare(candidate).startsWith(said))
  if (longer !== undefined) return longer
  const shorter = candidates.find((candidate) => bare(candidate).length >= 4 && said.startsWith(bare(candidate)))
  if (shorter !== undefined) return shorter
  const near = candidates
    .map((candidate) => ({ candidate, far: edits(said, bare(candidate)) }))
    .filter(({ far }) => far <= reach(said.length))
    .sort((a, b) => a.far - b.far)
  return near[0]?.candidate
}

/** The time zone somebody most likely meant; a city is enough. */
export const closestTimeZone = (word: string): string | undefined => {
  const zones = Intl.supportedValuesOf('timeZone')
  const city = zones.find((zone) => bare(zone).endsWith(`/${bare(word)}`))
  return city ?? closest(word, zones)
}

/** Some of `names` as a sentence part: `a, b, c and 4 more`. */
export const listed = (names: readonly string[], limit = 12): string =>
  names.length <= limit ? names.join(', ') : `${names.slice(0, limit).join(', ')} and ${names.length - limit} more`

/** `a`, `one of a, b`. */
export const oneOf = (names: readonly string[]): string =>
  names.length === 1 ? `${names[0]}` : `one of ${names.join(', ')}`

/** A hint for a reference to nothing: the nearest name there is, or the names there are. */
export const hintForName = (name: string, names: readonly string[], what: string): string => {
  const near = closest(name, names)
  if (near !== undefined) return `did you mean ${near}?`
  return names.length === 0 ? `there are no ${what} yet` : `${what} there are: ${listed(names)}`
}
