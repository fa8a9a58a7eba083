import { expect, test } from '@jest/globals'
import { matcherFindings } from '../../config/matcher-checks.ts'
import { mutualInhibitions } from '../../config/mutual-inhibition.ts'
import { configSchema } from '../../config/schema.ts'

type Rule = { source: string[]; target: string[]; equal?: string[] }
const configWith = (inhibit: readonly Rule[]) =>
  configSchema.parse({
    services: { shop: { dependsOn: ['cart'] }, cart: { dependsOn: ['db'] }, db: {}, mail: {} },
    monitors: { front: { kind: 'http', service: 'shop', url: 'https://shop.example.com/' } },
    channels: { terminal: { kind: 'console' } },
    routes: [{ channels: ['terminal'] }],
    inhibit,
  })
const rule = (source: string, target: string, equal: string[] = []): Rule => ({
  source: source.split(' '),
  target: target.split(' '),
  equal,
})

test.each([
  { given: 'a cause that inhibits what needs it', inhibit: [rule('service=db', 'service=shop')], then: [] },
  {
    given: 'what needs a cause inhibiting it',
    inhibit: [rule('service=shop', 'service=db')],
    then: ['0: page shop, page db: shop depends on db'],
  },
  {
    given: 'the same about tickets, which explain nothing that depends on them',
    inhibit: [rule('service=shop', 'service=db severity=ticket')],
    then: [],
  },
  {
    given: 'two rules that say the opposite',
    inhibit: [rule('service=mail', 'service=~"db|cart"'), rule('service=cart', 'service=mail')],
    then: ['1: page cart, page mail: inhibit[0] says the opposite'],
  },
  {
    given: 'two rules that seem to, and leave pages alone',
    inhibit: [
      rule('service=mail severity=page', 'service=db severity=ticket'),
      rule('service=db severity=page', 'service=mail severity=ticket'),
    ],
    then: [],
  },
  { given: 'pages before tickets', inhibit: [rule('severity=page', 'severity=ticket', ['service'])], then: [] },
  {
    given: 'one rule whose sides both match',
    inhibit: [rule('service=~"shop|db"', 'service=~"db|shop"')],
    then: [],
  },
  {
    given: 'other labels, which may be so',
    inhibit: [rule('service=shop zone=a', 'service=db', ['zone'])],
    then: ['0: page shop, page db: shop depends on db'],
  },
])('$given', ({ inhibit, then }) =>
  expect(
    mutualInhibitions(configWith(inhibit)).map(
      ({ index, source, target, because }) =>
        `${index}: ${source.severity} ${source.service}, ${target.severity} ${target.service}: ${because}`,
    ),
  ).toEqual(then),
)

test('it is told where the rule stands, with what it means for a person', () => {
  expect(matcherFindings(configWith([rule('service=shop', 'service=db')]))).toMatchObject([
    {
      severity: 'warning',
      code: 'mutual-inhibition',
      path: ['inhibit', 0],
      message:
        'a page of shop and a page of db can keep each other quiet, since shop depends on db: while both fire nobody is told of either',
    },
  ])
})
