import { expect, test } from '@jest/globals'
import type { LogLine } from '../../../sources/contract.ts'
import { logsLookOkay } from '../../../triage/questions/logs-look-okay.ts'
import { briefAbout, minute, noon, serviceIn, witnessesWho } from '../witness-stand.ts'

const services = { web: serviceIn('shop', 'web', { dependsOn: ['db'] }), db: serviceIn('shop', 'db') }
const nowMs = noon + minute

const line = (text: string, atMs = noon + 10_000, pod = 'web-6d9c7c5b7f-x2x6k'): LogLine => ({
  atMs,
  line: text,
  labels: { namespace: 'shop', pod },
})
const times = (count: number, make: (index: number) => LogLine) =>
  Array.from({ length: count }, (_, index) => make(index))
const ask = (lines: readonly LogLine[] | string, truncated?: boolean) =>
  logsLookOkay.ask(briefAbout('web'), witnessesWho({ nowMs, services, lines, truncated }), [])

test('lines that complain of nothing are a yes', async () => {
  expect(await ask([line('level=info msg="served" error=nil'), line('0 errors')])).toMatchObject({
    verdict: 'ok',
    headline: 'yes: no error line',
    clues: [],
  })
})

test('not one line at all is unknown, never a yes', async () => {
  expect(await ask([])).toMatchObject({
    verdict: 'unknown',
    headline: 'unknown: not one line of web was found in namespace shop of cluster town',
  })
})

const wiki = 'wiki-6d9c7c5b7f-x2x6k'
const namesake = 'web-admin-6d9c7c5b7f-x2x6k'
const talk = (pod: string) => times(2100, (index) => line('INFO served', noon + index, pod))

test.each([
  { given: 'a neighbour who is content', lines: [line('INFO sent', noon, wiki)], then: 'was found' },
  { given: 'a neighbour who complains', lines: [line('ERROR refused', noon, wiki)], then: 'was found' },
  { given: 'a neighbour who talks a lot', lines: talk(wiki), then: 'was found' },
  { given: 'a namesake', lines: [line('INFO sent', noon, namesake)], then: 'was found' },
  { given: 'a namesake who talks a lot', lines: talk(namesake), then: 'is among the last 300' },
])('lines of $given alone are unknown, never a yes', async ({ lines, then }) => {
  expect(await ask(lines)).toMatchObject({
    verdict: 'unknown',
    headline: `unknown: not one line of web ${then} in namespace shop of cluster town`,
  })
})

test('one line of its own is a yes, however much a neighbour talks', async () => {
  const own = line('INFO ready', noon - minute)
  expect(await ask([own, ...talk(wiki)])).toMatchObject({ verdict: 'ok', headline: 'yes: no error line' })
})

test.each([
  { given: 'once', lines: [line('INFO ready', noon, 'db-0')], then: 'was found' },
  { given: 'very often', lines: talk('db-0'), then: 'is among the last 300' },
])('a dependency heard $given is a yes that says what is missing', async ({ lines, then }) => {
  expect(await ask(lines)).toMatchObject({
    verdict: 'ok',
    headline: `yes: no error line; not one line of web ${then} in namespace shop of cluster town`,
  })
})

test('where nobody can say who logs at all, it is unknown with the reason', async () => {
  const witnesses = witnessesWho({ nowMs, services, lines: [] })
  const logs: typeof witnesses.logs = async (cluster, namespace, span) =>
    span.errorsOnly === false ? { status: 'unreadable', why: 'HTTP 429' } : witnesses.logs(cluster, namespace, span)
  const { headline } = await logsLookOkay.ask(briefAbout('web'), { ...witnesses, logs }, [])
  expect(headline).toBe('unknown: namespace shop of cluster town: HTTP 429')
})

test('of a service that is nowhere any dependency speaks', async () => {
  const { runsIn: _, ...web } = services.web
  const witnesses = witnessesWho({ nowMs, services: { ...services, web }, lines: [line('INFO ready', noon, 'db-0')] })
  expect((await logsLookOkay.ask(briefAbout('web'), witnesses, [])).verdict).toBe('ok')
})

test('a new complaint is counted, quoted and accused', async () => {
  const answer = await ask(
    times(5, (index) => line(`2026/11/23 12:00:1${index} cannot reach table ${index}`, noon + 1000 * index)),
  )
  expect(answer.verdict).toBe('bad')
  expect(answer.headline).toBe(
    'no: web logs "cannot reach table 4" (new, 5 lines since 12:00:00 UTC, last 12:00:04 UTC)',
  )
  expect(answer.evidence).toEqual([
    {
      says: 'web: new, 5 lines since 12:00:00 UTC, last 12:00:04 UTC',
      quote: '2026/11/23 12:00:14 cannot reach table 4',
    },
  ])
  expect(answer.clues).toMatchObject([{ kind: 'new-errors-in-logs', service: 'web', atMs: noon }])
})

test('what was said before the incident as well is no news', async () => {
  const answer = await ask(
    times(12, (index) => line(`cannot reach table ${index}`, noon - 9 * minute + index * 50_000)),
  )
  expect([answer.verdict, answer.clues]).toEqual(['ok', []])
  expect(answer.headline).toBe('yes: nothing new, 12 error lines of 1 kind as before')
})

test('what is said far more often than before is suspicious', async () => {
  const lines = [
    line('cannot reach table 1', noon - 8 * minute),
    ...times(40, (index) => line(`cannot reach table ${index}`, noon + index * 1000)),
  ]
  const answer = await ask(lines)
  expect(answer.verdict).toBe('suspicious')
  expect(answer.clues[0]?.kind).toBe('more-errors-in-logs')
})

test('a reading cut short cannot tell old from new, and says so', async () => {
  const answer = await ask(
    times(5, (index) => line(`cannot reach table ${index}`, noon + index)),
    true,
  )
  expect([answer.verdict, answer.clues]).toEqual(['suspicious', []])
  expect(answer.headline).toContain('at least 5 lines, how long already is not known')
})

test('a panic weighs more, and one line of it is enough', async () => {
  const answer = await ask([line('panic: nil map')])
  expect(answer.verdict).toBe('bad')
  expect(answer.clues[0]?.kind).toBe('crash-in-logs')
})

test('one odd line is suspicious', async () => {
  expect((await ask([line('cannot reach table 1')])).verdict).toBe('suspicious')
})

test('a neighbour’s complaints are shown and accuse nobody', async () => {
  const complaints = times(9, (index) => line(`cannot reach ${index}`, noon + index, wiki))
  const answer = await ask([line('INFO served'), ...complaints])
  expect([answer.verdict, answer.clues]).toEqual(['ok', []])
  expect(answer.headline).toBe('yes: no error line; new errors of wiki, not involved')
  expect(answer.evidence[0]?.says).toContain('wiki (not involved)')
})

test('who is named in a complaint about a connection is accused a little', async () => {
  const { clues } = await ask(times(3, () => line('dial tcp: lookup db.shop.svc: no such host')))
  expect(clues.map(({ about, kind }) => `${about.name} ${kind}`)).toEqual([
    'web new-errors-in-logs',
    'db blamed-in-logs',
  ])
})

test('a host outside that begins like an involved workload accuses nobody but who complains', async () => {
  const { clues } = await ask(times(3, () => line('dial tcp: lookup db.x1y2.rds.amazonaws.com: no such host')))
  expect(clues.map(({ about, kind }) => `${about.name} ${kind}`)).toEqual(['web new-errors-in-logs'])
})

test('the newest complaint comes first, then the most frequent', async () => {
  const lines = [
    ...times(6, (index) => line(`old error ${index}`, noon - 9 * minute + index * 90_000)),
    ...times(3, (index) => line(`rare error of table ${index}`, noon + index)),
    ...times(8, (index) => line(`common failure: shelf ${index}`, noon + index)),
  ]
  const { evidence } = await ask(lines)
  expect(evidence.map(({ quote }) => quote?.split(' ')[0])).toEqual(['common', 'rare', 'old'])
})

test('secrets and control characters do not leave the log', async () => {
  const { evidence, headline } = await ask([line('login failed \u001b[31m password=hunter22 \u0000 x')])
  expect(`${headline} ${evidence[0]?.quote}`).not.toMatch(/hunter22|\p{Cc}/u)
})

test('an unreadable source is unknown with its reason', async () => {
  expect((await ask('HTTP 503')).headline).toBe('unknown: namespace shop of cluster town: HTTP 503')
})

test('where no log is collected the last lines of what crashed are read, and are no answer for the rest', async () => {
  const pod = 'web-6d9c7c5b7f-x2x6k'
  const read = <T>(value: T) => ({ status: 'read' as const, value })
  const crash = (lines: string[]) => ({
    pods: read({ items: [] }),
    events: read({ items: [] }),
    rollouts: read({ items: [] }),
    crashes: read([{ namespace: 'shop', pod, container: 'web', lines: read(lines) }]),
  })
  const askWith = (lines: string[]) =>
    logsLookOkay.ask(briefAbout('web'), { ...witnessesWho({ nowMs, services }), objects: async () => crash(lines) }, [])
  const died = await askWith(['starting', 'panic: open /etc/weights.json: no such file'])
  expect(died.verdict).toBe('suspicious')
  expect(died.headline).toContain('web logs "panic: open /etc/weights.json: no such file" (at least 1 line')
  expect(died.evidence[0]?.says).toContain('no loki source is configured')
  expect((await askWith(['starting'])).verdict).toBe('unknown')
})
