import { expect, test } from '@jest/globals'
import { matcherFindings } from '../../config/matcher-checks.ts'
import { configSchema } from '../../config/schema.ts'

const findings = (more: Record<string, unknown>) =>
  matcherFindings(
    configSchema.parse({
      services: { shop: {}, cart: {} },
      monitors: { front: { kind: 'http', service: 'shop', url: 'https://shop.example.com/' } },
      channels: { terminal: { kind: 'console' } },
      routes: [{ channels: ['terminal'] }],
      ...more,
    }),
  )
const said = (more: Record<string, unknown>) => findings(more).map(({ code, path }) => `${code} ${path.join('.')}`)

test.each([
  { given: 'differing sides', rule: { source: ['severity=page'], target: ['severity=ticket'] }, then: [] },
  {
    given: 'the same on both sides',
    rule: { source: ['severity=page'], target: ['severity=page'], equal: ['service'] },
    then: ['inhibits-nothing inhibit.0'],
  },
  {
    given: 'the same, spelt and ordered otherwise',
    rule: { source: ['severity=page', 'service=shop'], target: ['service = "shop"', 'severity="page"'] },
    then: ['inhibits-nothing inhibit.0'],
  },
  {
    given: 'a service that does not exist',
    rule: { source: ['service=shopp'], target: ['service=~"cart|shop"'] },
    then: ['unknown-service inhibit.0.source.0'],
  },
  {
    given: 'an expression no service matches',
    rule: { source: ['severity=page'], target: ['service=~"front.*"'] },
    then: ['unknown-service inhibit.0.target.0'],
  },
  {
    given: 'a service that is left out or another label',
    rule: { source: ['service!=nobody'], target: ['job=nobody', 'service!~"x.*"'] },
    then: [],
  },
])('an inhibit rule with $given', ({ rule, then }) => expect(said({ inhibit: [rule] })).toEqual(then))

test('the nearest service is named', () => {
  expect(findings({ inhibit: [{ source: ['service=shopp'], target: ['severity=ticket'] }] })).toMatchObject([
    { message: 'service=shopp is true of no service', hint: 'did you mean shop?' },
  ])
})

test('a maintenance window for nobody is told as well', () => {
  const move = { matchers: ['severity=page', 'service=kart'], reason: 'x', cron: '0 2 * * *', durationSeconds: 60 }
  expect(said({ maintenance: { move } })).toEqual(['unknown-service maintenance.move.matchers.1'])
})
