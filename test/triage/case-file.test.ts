import { expect, test } from '@jest/globals'
import { openCaseFile } from '../../triage/case-file.ts'
import { caseFile, defineQuestion, type Question, type Statement } from '../../triage/contract.ts'
import { questions } from '../../triage/registry.ts'
import { briefAbout, noon, serviceIn, witnessesWho } from './witness-stand.ts'

const saying = (extra: Partial<Statement> = {}): Statement => ({
  verdict: 'ok',
  headline: 'yes: all is well',
  evidence: [],
  clues: [],
  ...extra,
})
const question = (id: string, ask: Question['ask'], extra: Partial<Question> = {}): Question =>
  defineQuestion({ id, title: `${id}?`, reads: {}, remembers: {}, ask, ...extra })

const never = <T>() => new Promise<T>(() => {})
const open = (asked: readonly Question[], witnesses = witnessesWho({}), deadlineMs = 40) =>
  openCaseFile({ brief: briefAbout('shop'), witnesses, deadlineMs, questions: asked })

const crash: Statement['clues'] = [
  {
    about: { kind: 'workload', namespace: 'shop', name: 'cart' },
    kind: 'crash-loop',
    says: 'crashes',
    service: 'cart',
  },
]

test('answers come in the order of the questions, each with its title', async () => {
  const { answers } = await open([question('a', async () => saying()), question('b', async () => saying())])
  expect(answers.map(({ question, title }) => [question, title])).toEqual([
    ['a', 'a?'],
    ['b', 'b?'],
  ])
})

test('a question that throws answers unknown with the reason, and the others answer', async () => {
  const thrown = question('a', () => Promise.reject(new Error('the wire is cut')))
  const thrownAtOnce = question('b', () => {
    throw new Error('no wire at all')
  })
  const { answers } = await open([thrown, thrownAtOnce, question('c', async () => saying())])
  expect(answers.map(({ verdict }) => verdict)).toEqual(['unknown', 'unknown', 'ok'])
  expect(answers[0]?.headline).toBe('unknown: the wire is cut')
})

test('a question that never answers is unknown at the deadline, and delays no other', async () => {
  const { answers } = await open([question('a', () => never()), question('b', async () => saying())])
  expect(answers[0]).toMatchObject({ verdict: 'unknown', headline: 'unknown: no answer within 0.04 s' })
  expect(answers[1]).toMatchObject({ verdict: 'ok' })
})

test('a source that hangs is named, and its question still says what it knows without it', async () => {
  const witnesses = { ...witnessesWho({}), series: () => never<never>() }
  const asks = question('a', async (_brief, { series }) => {
    const reading = await series('kube-state-metrics', 'town')
    return saying(reading.status === 'unreadable' ? { verdict: 'unknown', headline: `unknown: ${reading.why}` } : {})
  })
  const { answers } = await open([asks], witnesses)
  expect(answers[0]?.headline).toBe('unknown: no answer within 0.04 s: kube-state-metrics of cluster town')
})

test('a Kubernetes API that hangs is unreadable in all its parts, and one that is not asked stays so', async () => {
  const asks = question('a', async (_brief, { objects }) => {
    const facts = await objects?.('town', 'shop')
    const whys = facts
      ? Object.values(facts).map((part) => (part.status === 'unreadable' ? part.why : 'read'))
      : ['not asked']
    return saying({ headline: [...new Set(whys)].join() })
  })
  const hanging = await open([asks], { ...witnessesWho({}), objects: () => never<never>() })
  expect(hanging.answers[0]?.headline).toBe('no answer within 0.04 s: objects of shop in cluster town')
  expect((await open([asks])).answers[0]?.headline).toBe('not asked')
})

test('a source that throws is unreadable, with its reason', async () => {
  const witnesses = {
    ...witnessesWho({}),
    logs: () => {
      throw new Error('certificate expired')
    },
  }
  const asks = question('a', async (_brief, { logs }) => {
    const reading = await logs('town', 'shop', { sinceMs: 0, untilMs: 1 })
    return saying({ headline: reading.status === 'unreadable' ? reading.why : 'read' })
  })
  expect((await open([asks], witnesses)).answers[0]?.headline).toBe('certificate expired')
})

test('the suspects are told to the question that comes after them, and lead the page', async () => {
  const owner = question(
    'o',
    async (_brief, _witnesses, suspects) => saying({ headline: suspects[0]?.headline ?? '-' }),
    {
      afterSuspects: true,
    },
  )
  const { answers, headline, suspects } = await open([owner, question('a', async () => saying({ clues: crash }))])
  expect(suspects.map(({ accused }) => accused.name)).toEqual(['cart'])
  expect(headline).toBe('cart: crashes')
  expect(answers[0]?.headline).toBe('cart: crashes')
})

test('without a suspect the page leads with the worst answer', async () => {
  const bad = question('b', async () => saying({ verdict: 'bad', headline: 'no: two pods are gone' }))
  const blind = question('a', async () => saying({ verdict: 'unknown', headline: 'unknown: no source' }))
  expect((await open([blind, bad])).headline).toBe('no suspect for shop. b? no: two pods are gone')
  expect((await open([question('a', async () => saying())])).headline).toBe(
    'no suspect for shop: nothing wrong inside. Seen outside: the shop answers 500',
  )
})

test('evidence is bounded, and says how much was left out', async () => {
  const evidence = Array.from({ length: 40 }, () => ({ says: 'x'.repeat(5000), quote: 'y'.repeat(5000) }))
  const file = await open([question('a', async () => saying({ evidence }))])
  expect(file.answers[0]?.evidence).toHaveLength(12)
  expect(file.answers[0]?.evidence.at(-1)).toEqual({ says: 'and 29 more' })
  expect(JSON.stringify(file).length).toBeLessThan(10_000)
})

test('with every source hanging, the checklist is there in the talk’s order and nothing in it is green', async () => {
  const witnesses = {
    ...witnessesWho({ services: { shop: serviceIn('shop', 'front') } }),
    series: () => never<never>(),
    logs: () => never<never>(),
  }
  const file = await open(questions, witnesses)
  expect(() => caseFile.parse(file)).not.toThrow()
  expect(file.answers.map(({ title }) => title)).toEqual([
    'Service running?',
    'Health checks passing?',
    'Logs look okay?',
    'Traffic okay?',
    'Resources okay?',
    'What changed?',
    'Whose is it?',
  ])
  expect(file.answers.filter(({ verdict }) => verdict === 'ok')).toEqual([])
  for (const { headline } of file.answers.slice(0, 4)) expect(headline).toContain('no answer within 0.04 s')
})

test('a service the config does not know is answered for, not thrown for', async () => {
  const file = await openCaseFile({
    brief: briefAbout('nobody-knows', { sinceMs: noon }),
    witnesses: witnessesWho({}),
    deadlineMs: 40,
    questions,
  })
  expect(file.answers.map(({ verdict }) => verdict)).toEqual(questions.map(() => 'unknown'))
  expect(file.suspects).toEqual([])
})

test('a question that asks one silent source after the other has one deadline for both, and still concludes', async () => {
  const witnesses = { ...witnessesWho({}), series: () => never<never>() }
  const asks = question('a', async (_brief, { series }) => {
    const first = await series('kube-state-metrics', 'town')
    const second = await series('kubelet', 'town')
    return saying({ verdict: 'unknown', headline: `${first.status}, then ${second.status}` })
  })
  const { answers } = await open([asks], witnesses)
  expect(answers[0]?.headline).toBe('unreadable, then unreadable')
})
