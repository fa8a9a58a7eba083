import { httpUrl, id as idSchema } from '../../config/contract.ts'
import type { SloSpec } from '../../rules/kinds/slo.ts'
import { ruleSpec } from '../../rules/registry.ts'
import { type BurnRate, budgetRatioOf, neverFires, usualBurnRates } from '../../rules/slo/burn-rate.ts'
import { spanWords } from '../../rules/slo/words.ts'
import type { Lost, Part } from './documents.ts'
import type { Found, Ratio } from './promql.ts'

/** What came out of a file. */
export type Catalogue = {
  rules: Map<string, object>
  /** With their runbooks, where somebody names one. */
  services: Map<string, string | undefined>
  /** Prometheus servers by the name of their cluster. */
  servers: Map<string, string>
  lost: Lost[]
  /** Objectives there were, carried over or not. */
  objectives: number
}

export const emptyCatalogue = (): Catalogue => ({
  rules: new Map(),
  services: new Map(),
  servers: new Map(),
  lost: [],
  objectives: 0,
})

/** A name as ids of a config are: small letters, digits, dashes. */
export const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '')

const free = (wanted: string, taken: ReadonlyMap<string, unknown>): string => {
  if (!taken.has(wanted)) return wanted
  for (let nth = 2; ; nth++) {
    const name = `${wanted.slice(0, 59)}-${nth}`
    if (!taken.has(name)) return name
  }
}

/** One objective as other tools have it. */
export type Objective = {
  at: Part
  service: string | undefined
  name: string
  summary?: string | undefined
  runbook?: string | undefined
  objectivePercent: number | undefined
  ratio: Found<Ratio>
  cluster: string
  windowDays?: SloSpec['windowDays']
  calendar?: { timeZone: string } | undefined
  /** Its own pairs of windows, or some of the usual ones; nobody asks for those of an objective that is not carried over. */
  burnRates?: () => readonly BurnRate[] | undefined
}

export const say = (catalogue: Catalogue, { line, where }: Pick<Part, 'line' | 'where'>, what: string): void => {
  catalogue.lost.push({ line, where: where || 'document', what })
}

/** A sentence that others follow. */
const subjectOf = (text: string) => text.trim().replace(/\s+/g, ' ').replace(/\.$/, '').slice(0, 200)

/** The pairs that can fire; those that never can are refused by a config. */
const firing = (catalogue: Catalogue, { at, burnRates: own, windowDays = 30 }: Objective, percent: number) => {
  const burnRates = own?.()
  const all = burnRates ?? usualBurnRates(windowDays)
  const left = all.filter((rate) => !neverFires(rate, budgetRatioOf(percent)))
  for (const rate of all) {
    if (left.includes(rate)) continue
    const what = `the ${rate.severity} of its ${spanWords(rate.longSeconds * 1000)} window can never fire at ${percent} %`
    say(catalogue, at, `${what} and is left out`)
  }
  return left.length === all.length && burnRates === undefined ? undefined : left
}

/** The rule an objective is here. */
const ruleOf = (catalogue: Catalogue, objective: Objective): Found<{ rule: object; service: string }> => {
  const { objectivePercent: percent, ratio, cluster, windowDays, calendar } = objective
  const service = slug(objective.service ?? '')
  if (!idSchema.safeParse(service).success) return { why: 'it names no service' }
  if ('why' in ratio) return ratio
  if (percent === undefined) return { why: 'it says no objective' }
  const burnRates = firing(catalogue, objective, percent)
  if (burnRates?.length === 0) return { why: 'none of its alerts can ever fire' }
  const summary = objective.summary === undefined ? undefined : subjectOf(objective.summary)
  const rule = {
    kind: 'slo',
    service,
    ...(summary !== undefined && { summary }),
    series: { cluster, ...ratio.found },
    objectivePercent: percent,
    ...(windowDays !== undefined && windowDays !== 30 && !calendar && { windowDays }),
    ...(calendar && { calendarMonth: true, timeZone: calendar.timeZone }),
    ...(burnRates && { burnRates }),
  }
  const checked = ruleSpec.safeParse(rule)
  const [issue] = checked.success ? [] : checked.error.issues
  return issue ? { why: `${issue.path.join('.')}: ${issue.message}` } : { found: { rule, service } }
}

/** Takes an objective in, or says why not. What is not carried over of it is then part of that. */
export const addObjective = (catalogue: Catalogue, objective: Objective): void => {
  const { at, name, runbook } = objective
  catalogue.objectives++
  const made = ruleOf(catalogue, objective)
  if ('why' in made) {
    at.settle()
    say(catalogue, at, `the objective is not carried over: ${made.why}`)
    return
  }
  const { rule, service } = made.found
  catalogue.rules.set(free(slug(`${service}-${name}`) || service, catalogue.rules), rule)
  const known = catalogue.services.get(service)
  const page = httpUrl.safeParse(runbook)
  catalogue.services.set(service, known ?? page.data)
  if (runbook === undefined || (page.success && (known === undefined || known === page.data))) return
  const why = page.success ? 'its service has another one' : 'it is no address'
  say(catalogue, at, `its runbook ${runbook.slice(0, 200)}: ${why}`)
}
