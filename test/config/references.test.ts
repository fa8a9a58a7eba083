import { expect, test } from '@jest/globals'
import { dependencyCycles } from '../../config/cycles.ts'
import { loadConfig } from '../../config/load.ts'

const owner = 'owner: { team: shop, role: sre }, runbook: https://runbooks.example.com/web'

const parts = {
  services: `  web: { ${owner} }`,
  monitors: '  home: { kind: http, service: web, url: https://example.com/ }',
  channels:
    '  terminal: { kind: console }\n  hook: { kind: webhook, url: https://x.example.com/, secret: secret:HOOK }',
  routes: '  - channels: [hook, terminal]',
}

const load = (changes: Partial<Record<keyof typeof parts | 'rules' | 'clusters' | 'aws', string>>) => {
  const text = Object.entries({ ...parts, ...changes }).map(([part, body]) => `${part}:\n${body}\n`)
  return loadConfig('whodunit.yaml', { readFile: async () => text.join('') })
}

const warnings = async (changes: Parameters<typeof load>[0]) => {
  const loaded = await load(changes)
  if (!loaded.ok) return loaded.issues.map(({ code, path }) => `error ${code} ${path}`)
  return loaded.warnings.map(({ code, path }) => `${code} ${path}`)
}

test('a careful config has no warnings', async () => expect(await warnings({})).toEqual([]))

test.each([
  { given: 'a service without owner and runbook', changes: { services: '  web: {}' }, then: ['no-owner services.web'] },
  {
    given: 'a service without a runbook',
    changes: { services: '  web: { owner: { team: a, role: sre } }' },
    then: ['no-runbook services.web'],
  },
  {
    given: 'a service nobody looks at',
    changes: { services: `  web: { ${owner} }\n  cron: { ${owner} }` },
    then: ['unwatched-service services.cron'],
  },
  {
    given: 'a service others depend on needs no monitor of its own',
    changes: { services: `  web: { ${owner}, dependsOn: [db] }\n  db: { ${owner} }` },
    then: [],
  },
  {
    given: 'only one channel for people',
    changes: { channels: '  terminal: { kind: console }', routes: '  - channels: [terminal]' },
    then: ['no-fallback channels.terminal'],
  },
  {
    given: 'a channel nobody uses',
    changes: { routes: '  - channels: [hook]' },
    then: ['unused-channel channels.terminal', 'single-channel routes[0].channels'],
  },
  {
    given: 'a cluster nobody refers to',
    changes: { clusters: '  prod: { sources: [{ kind: linkerd, url: https://x.example.com/ }] }' },
    then: ['unused-cluster clusters.prod'],
  },
  {
    given: 'two equal monitors, one with its defaults written out',
    changes: {
      monitors: `${parts.monitors}\n  copy: { url: https://example.com/, kind: http, service: web, periodSeconds: 60 }`,
    },
    then: ['equal-monitors monitors.copy'],
  },
  {
    given: 'the same address with another period',
    changes: {
      monitors: `${parts.monitors}\n  slow: { url: https://example.com/, kind: http, service: web, periodSeconds: 90 }`,
    },
    then: [],
  },
  {
    given: 'a period that with the implied threshold is too slow',
    changes: { monitors: '  home: { kind: http, service: web, url: https://example.com/, periodSeconds: 1201 }' },
    then: ['slow-detection monitors.home.periodSeconds'],
  },
  {
    given: 'exactly one hour',
    changes: { monitors: '  home: { kind: http, service: web, url: https://example.com/, periodSeconds: 1200 }' },
    then: [],
  },
  {
    given: 'a threshold that is too slow',
    changes: {
      monitors: '  home: { kind: http, service: web, url: https://example.com/, periodSeconds: 600 }',
      rules: '  down: { kind: availability, monitor: home, failureThreshold: 7 }',
    },
    then: ['slow-detection rules.down.failureThreshold'],
  },
  {
    given: 'a quorum of more locations than there are',
    changes: { rules: '  down: { kind: availability, monitor: home, quorum: 2 }' },
    then: ['quorum-too-high rules.down.quorum'],
  },
  {
    given: 'a route behind one that takes everything',
    changes: { routes: '  - channels: [hook, terminal]\n  - { services: [web], channels: [hook] }' },
    then: ['dead-route routes[1]'],
  },
  {
    given: 'a route behind two that together take all it wants',
    changes: {
      routes:
        '  - { severities: [page], channels: [hook, terminal] }\n  - { severities: [ticket], channels: [hook, terminal] }\n  - { services: [web], channels: [hook] }\n  - channels: [terminal]',
    },
    then: ['dead-route routes[2]', 'dead-route routes[3]'],
  },
  {
    given: 'a secret in a header',
    changes: {
      monitors: '  home: { kind: http, service: web, url: https://example.com/, headers: { X-Api-Key: abc } }',
    },
    then: ['literal-secret monitors.home.headers.X-Api-Key'],
  },
  {
    given: 'a reference behind other text',
    changes: {
      monitors: '  home: { kind: http, service: web, url: https://example.com/, headers: { x: Bearer secret:A } }',
    },
    then: ['secret-not-read monitors.home.headers.x'],
  },
])('$given', async ({ changes, then }) => expect(await warnings(changes)).toEqual(then))

test.each([
  {
    given: 'only pages have a route',
    routes: '  - { severities: [page], channels: [hook] }',
    then: 'ticket alerts of every service would reach nobody',
  },
  {
    given: 'only one service has a route',
    routes: '  - { services: [web], channels: [hook] }',
    then: 'an alert of a service added later would reach nobody',
  },
  {
    given: 'everything has a route, but none is the default',
    routes: '  - { severities: [page], channels: [hook] }\n  - { severities: [ticket, advisory], channels: [hook] }',
    then: 'the last route must match everything',
  },
])('no default route: $given', async ({ routes, then }) => {
  const loaded = await load({ routes })
  expect(loaded).toMatchObject({
    ok: false,
    issues: [{ code: 'no-default-route', message: `no default route: ${then}` }],
  })
})

const topic = (more: string) => `${parts.channels}\n  pager: { kind: sns${more} }`
const all = '  - channels: [pager, hook, terminal]'

test.each([
  { given: 'nobody in it', more: '', then: ['unheard-topic channels.pager'] },
  { given: 'an empty list', more: ', subscriptions: []', then: ['unheard-topic channels.pager'] },
  { given: 'a subscriber', more: ', subscriptions: [{ email: a@example.com }]', then: [] },
  { given: 'a name of its own', more: ', topicArn: "arn:aws:sns:eu-central-1:123456789012:on-call"', then: [] },
])('a topic with $given', async ({ more, then }) => {
  const aws = '  operators: [{ email: a@example.com }]'
  expect(await warnings({ channels: topic(more), routes: all, aws })).toEqual(then)
})

test('a topic that nothing deploys is not said to take pages', async () => {
  expect(await warnings({ channels: topic(''), routes: all })).toEqual([])
})

test.each([
  { given: 'nothing said of operators', aws: '  region: eu-central-1', then: ['no-operators aws'] },
  { given: 'an empty list', aws: '  operators: []', then: ['no-operators aws'] },
  { given: 'an operator', aws: '  operators: [{ email: a@example.com }]', then: [] },
])('a config for AWS with $given', async ({ aws, then }) => {
  const channels = topic(', subscriptions: [{ email: a@example.com }]')
  expect(await warnings({ channels, routes: all, aws })).toEqual(then)
})

test('a last route that lists every severity is a default route', async () => {
  expect(
    await warnings({ routes: '  - { severities: [page, ticket, advisory], channels: [hook, terminal] }' }),
  ).toEqual([])
})

test('warnings are not given away while there are errors', async () => {
  expect(await warnings({ services: '  web: { foo: 1 }' })).toEqual(['error unknown-key services.web.foo'])
})

test('mistakes of shape and of reference are told together', async () => {
  const changes = {
    services: `  web: { ${owner}, foo: 1, dependsOn: [nope] }\n  a: { dependsOn: [b] }\n  b: { dependsOn: [a] }`,
  }
  expect(await warnings(changes)).toEqual([
    'error unknown-key services.web.foo',
    'error unknown-service services.web.dependsOn[0]',
    'error dependency-cycle services.a.dependsOn[0]',
  ])
})

const graph = (edges: Record<string, string[]>) =>
  Object.fromEntries(Object.entries(edges).map(([id, dependsOn]) => [id, { dependsOn }]))

test.each([
  { given: 'a tree', edges: { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, then: [] },
  {
    given: 'a ring entered from the side',
    edges: { x: ['c'], c: ['a'], a: ['b'], b: ['c'] },
    then: [['a', 'b', 'c', 'a']],
  },
  {
    given: 'two rings',
    edges: { a: ['b'], b: ['a', 'c'], c: ['c'] },
    then: [
      ['c', 'c'],
      ['a', 'b', 'a'],
    ].toReversed(),
  },
  { given: 'a dependency on nothing', edges: { a: ['gone'] }, then: [] },
])('cycles of $given', ({ edges, then }) => expect(dependencyCycles(graph(edges))).toEqual(then))

test('a chain of ten thousand services is no deeper than one', () => {
  const edges = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`s${n}`, [`s${(n + 1) % 10_000}`]]))
  expect(dependencyCycles(graph(edges))).toHaveLength(1)
})
