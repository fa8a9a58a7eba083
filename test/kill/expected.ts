import type { Arrived, PageEvent } from '../scenes/receivers.ts'
import type { Fault } from './storm.ts'

/** As the config asks: an alert that fires again so soon after its incident's end opens the same one again. */
export const reopenSeconds = 0

/** The faults one incident is about, and every id it may have: it is named after the first failing look's schedule. */
export type Expected = { service: string; faults: number; ids: ReadonlySet<string> }

const stampOf = (ms: number) => new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')

/** A look may begin so many periods after the slot it belongs to, on a machine where starting takes seconds. */
const latePeriods = 2

const idsOf = ({ service, fromMs, toMs }: Fault, periodMs: number): string[] => {
  const ids: string[] = []
  for (let slot = (Math.floor(fromMs / periodMs) - latePeriods) * periodMs; slot <= toMs; slot += periodMs)
    ids.push(`${service}-${stampOf(slot)}`)
  return ids
}

/** What the faults must lead to, by their times and the config alone: one incident each. */
export const expectedIncidents = (faults: readonly Fault[], periodMs: number): Expected[] =>
  [...Map.groupBy(faults, ({ service }) => service).values()].flatMap((own) => {
    const expected: Expected[] = []
    let endMs = Number.NEGATIVE_INFINITY
    for (const fault of own.toSorted((a, b) => a.fromMs - b.fromMs)) {
      const before = expected.at(-1)
      if (before && fault.fromMs - endMs < reopenSeconds * 1000) before.faults++
      else expected.push({ service: fault.service, faults: 1, ids: new Set(idsOf(fault, periodMs)) })
      endMs = fault.toMs
    }
    return expected
  })

type Page = Arrived<PageEvent>

const incidentOf = ({ id }: Page) => id.split(':')[0] ?? ''

/** What a channel got, and when processes were killed meanwhile. */
type Inbox = { arrived: readonly Page[]; killsAtMs: readonly number[] }

/** Every id once. A repeat may come only after a kill, and must say the very same. */
const withoutRepeats = ({ arrived, killsAtMs }: Inbox) => {
  const first = new Map<string, Page>()
  const wrong: string[] = []
  for (const page of arrived) {
    const known = first.get(page.id)
    if (!known) first.set(page.id, page)
    else if (JSON.stringify(known.body) !== JSON.stringify(page.body)) wrong.push(`${page.id} came with other bytes`)
    else if (!killsAtMs.some((atMs) => known.atMs <= atMs && atMs <= page.atMs))
      wrong.push(`${page.id} came twice with no kill in between`)
  }
  return { pages: [...first.values()], wrong, repeats: arrived.length - first.size }
}

/** What is wrong with one incident's messages on one channel: opened first, resolved last, none missing in between. */
const wrongWith = (pages: readonly Page[], expected: Expected): string | undefined => {
  const sorted = pages.toSorted((a, b) => a.body.data.sequence - b.body.data.sequence)
  const events = sorted.map(({ body }) => body.type.replace('incident.', ''))
  const said = events.join(' ')
  if (sorted.some(({ body }, index) => body.data.sequence !== index + 1)) return `a sequence is missing: ${said}`
  if (events[0] !== 'opened') return `does not begin with its page: ${said}`
  if (events.at(-1) !== 'resolved') return `does not end with its resolve: ${said}`
  const resolves = events.filter((event) => event === 'resolved').length
  if (resolves > expected.faults) return `resolved ${resolves} times: ${said}`
  const rest = events.slice(1, -1).filter((event) => event !== 'updated')
  return rest.length > 0 && expected.faults === 1 ? `has more than updates in between: ${said}` : undefined
}

export type Verdict = { passed: number; failures: string[]; repeats: number; messages: number }

/** Judges what one channel got: everything expected, nothing else. */
export const judgeChannel = (channel: string, inbox: Inbox, all: readonly Expected[]): Verdict => {
  const { pages, wrong: wrongRepeats, repeats } = withoutRepeats(inbox)
  const failures = [...wrongRepeats]
  const incidents = Map.groupBy(pages, incidentOf)
  let passed = 0
  for (const expected of all) {
    const found = [...incidents.keys()].filter((id) => expected.ids.has(id))
    const [id = ''] = found
    const wrong =
      found.length === 1
        ? wrongWith(incidents.get(id) ?? [], expected)
        : `${found.length} incidents for a fault of ${expected.service}: ${found.join(', ')}, may be ${[...expected.ids].join(', ')}`
    if (wrong === undefined) passed++
    else failures.push(`${channel}: ${id} ${wrong}`)
    for (const one of found) incidents.delete(one)
  }
  const strange = [...incidents.values()].flat().map(({ id }) => `${channel}: nobody expects ${id}`)
  const misplaced = pages.filter(({ id }) => id.split(':')[1] !== channel).map(({ id }) => `${channel} got ${id}`)
  return { passed, failures: [...failures, ...strange, ...misplaced], repeats, messages: pages.length }
}
