import { expect, test } from '@jest/globals'
import { routeFindings } from '../../config/route-checks.ts'
import { configSchema } from '../../config/schema.ts'

const services = {
  shop: { owner: { team: 'storefront', role: 'developers' } },
  cart: { owner: { team: 'platform', role: 'sre' } },
}
const channels = {
  pager: { kind: 'console' },
  chat: { kind: 'console' },
  boss: { kind: 'console' },
  status: { kind: 'statuspage-webhook', url: 'https://status.example.com/', secret: 'secret:STATUS' },
}
const monitors = { front: { kind: 'http', service: 'shop', url: 'https://shop.example.com/' } }

type Routes = readonly Record<string, unknown>[]
const config = (routes: Routes, more: Record<string, unknown> = {}) =>
  configSchema.parse({ services, channels, monitors, routes, ...more })
const said = (routes: Routes, more: Record<string, unknown> = {}) =>
  routeFindings(config(routes, more)).map(({ code, path }) => `${code} ${path.join('.')}`)

const both = { channels: ['pager', 'chat'] }
const night = [{ timeZone: 'Europe/Berlin', from: '18:00', to: '08:00' }]
const day = [{ timeZone: 'Europe/Berlin', from: '08:00', to: '18:00' }]
const office = [{ timeZone: 'America/New_York', from: '09:00', to: '17:00' }]

test.each<{ given: string; routes: Routes; more?: Record<string, unknown>; then: string[] }>([
  { given: 'two channels for everything', routes: [both], then: [] },
  {
    given: 'one channel for everything',
    routes: [{ channels: ['pager'] }],
    then: ['single-channel routes.0.channels'],
  },
  {
    given: 'one channel for pages of one service',
    routes: [{ services: ['shop'], severities: ['page'], channels: ['pager'] }, both],
    then: ['single-channel routes.0.channels'],
  },
  {
    given: 'one channel for advisories, which are only shown otherwise',
    routes: [{ severities: ['advisory'], channels: ['chat'] }, both],
    then: [],
  },
  {
    given: 'one channel and a second route to escalate to',
    routes: [{ channels: ['pager'], escalateAfterSeconds: 900 }, { channels: ['boss'] }],
    then: [],
  },
  {
    given: 'one channel and the same one to escalate to',
    routes: [{ channels: ['pager'], escalateAfterSeconds: 900 }, { channels: ['pager'] }],
    then: ['single-channel routes.0.channels', 'escalates-to-nobody routes.0.escalateAfterSeconds'],
  },
  {
    given: 'one channel and a fallback that is named',
    routes: [{ channels: ['pager'] }],
    more: { fallbackChannel: 'boss' },
    then: [],
  },
  {
    given: 'one channel that is its own fallback',
    routes: [{ channels: ['pager'] }],
    more: { fallbackChannel: 'pager' },
    then: ['single-channel routes.0.channels'],
  },
  {
    given: 'one channel by night',
    routes: [{ hours: night, channels: ['pager'] }, both],
    then: ['single-channel routes.0.channels'],
  },
  {
    given: 'a second channel to escalate to, but only by day',
    routes: [
      { severities: ['page'], channels: ['pager'], escalateAfterSeconds: 900 },
      { hours: day, channels: ['boss', 'chat'] },
      { channels: ['pager'], severities: ['page'] },
      both,
    ],
    then: ['single-channel routes.0.channels'],
  },
  {
    given: 'the last route that would escalate',
    routes: [{ ...both, escalateAfterSeconds: 900 }],
    then: ['escalates-to-nobody routes.0.escalateAfterSeconds'],
  },
  {
    given: 'a chain of three',
    routes: [
      { ...both, severities: ['page'], escalateAfterSeconds: 300 },
      { channels: ['boss'], severities: ['page'], escalateAfterSeconds: 600 },
      both,
    ],
    then: ['escalates-to-nobody routes.1.escalateAfterSeconds'],
  },
  { given: 'a team that owns a service', routes: [{ ...both, teams: ['platform'] }, both], then: [] },
  {
    given: 'a team that owns nothing',
    routes: [{ ...both, teams: ['platfrom'] }, both],
    then: ['unknown-team routes.0.teams.0'],
  },
  {
    given: 'a route that only a route to escalate from leads to',
    routes: [{ ...both, escalateAfterSeconds: 900 }, { channels: ['boss'] }],
    then: [],
  },
  { given: 'a route behind one for all', routes: [both, { ...both, hours: night }], then: ['dead-route routes.1'] },
  {
    given: 'a route behind day and night',
    routes: [{ ...both, hours: day }, { ...both, hours: night }, both],
    then: ['dead-route routes.2'],
  },
  {
    given: 'a route between the hours of two places',
    routes: [{ ...both, hours: night }, { ...both, hours: office }, both],
    then: [],
  },
  {
    given: 'a route of a team behind one of its service',
    routes: [{ ...both, services: ['cart'] }, { ...both, teams: ['platform'] }, both],
    then: [],
  },
  {
    given: 'day and night without a default',
    routes: [
      { ...both, hours: day },
      { ...both, hours: night },
    ],
    then: ['no-default-route routes.1'],
  },
  {
    given: 'a default for a team',
    routes: [both, { ...both, teams: ['platform'] }].toReversed(),
    then: [],
  },
  {
    given: 'only teams',
    routes: [{ ...both, teams: ['platform', 'storefront'] }],
    then: ['no-default-route routes.0'],
  },
])('$given', ({ routes, more, then }) => expect(said(routes, more)).toEqual(then))

test.each([
  {
    given: 'by day only',
    routes: [{ ...both, hours: day }],
    then: 'no default route: page and ticket alerts of every service would reach nobody at some hours',
  },
  {
    given: 'tickets of one service not at all',
    routes: [
      { ...both, services: ['shop'] },
      { ...both, severities: ['page'] },
    ],
    then: 'no default route: ticket alerts of cart would reach nobody',
  },
])('what would reach nobody is said: $given', ({ routes, then }) => {
  expect(routeFindings(config(routes)).map(({ message }) => message)).toEqual([then])
})

test('a single channel is told with whose alerts those are', () => {
  const routes = [{ severities: ['page'], services: ['cart'], channels: ['pager'] }, both]
  expect(routeFindings(config(routes))).toMatchObject([
    { message: 'page alerts of cart reach only pager: if it fails, all that is left is a channel not meant for them' },
  ])
})

const hook = { kind: 'webhook', url: 'https://hooks.example.com/', secret: 'secret:HOOK' }
const onAws = (routes: Routes, more: Record<string, unknown> = {}) => {
  const given = { channels: { terminal: { kind: 'console' }, chat: hook, boss: hook }, ...more }
  return routeFindings(config(routes, given), { onAws: true }).map(
    ({ severity, code, path, message }) => `${severity} ${code} ${path.join('.')}: ${message}`,
  )
}
const shownNowhere = 'on AWS, where no terminal shows what a console prints'

test.each<{ given: string; routes: Routes; more?: Record<string, unknown>; then: string[] }>([
  {
    given: 'a console alone',
    routes: [{ channels: ['terminal'] }],
    then: [
      `error reaches-nobody routes.0.channels: page and ticket alerts of every service would reach nobody ${shownNowhere}`,
    ],
  },
  {
    given: 'a console alone, where nothing else is in the config',
    routes: [{ channels: ['terminal'] }],
    more: { channels: { terminal: { kind: 'console' } } },
    then: [
      `error reaches-nobody routes.0.channels: page and ticket alerts of every service would reach nobody ${shownNowhere}`,
    ],
  },
  {
    given: 'a console for tickets of one service',
    routes: [{ severities: ['ticket'], services: ['cart'], channels: ['terminal'] }, { channels: ['chat', 'boss'] }],
    then: [`error reaches-nobody routes.0.channels: ticket alerts of cart would reach nobody ${shownNowhere}`],
  },
  {
    given: 'a console and one other',
    routes: [{ channels: ['chat', 'terminal'] }],
    then: [
      `warning single-channel routes.0.channels: page and ticket alerts of every service reach only chat (nobody reads a console on AWS): if it fails, all that is left is a channel not meant for them`,
    ],
  },
  { given: 'a console and two others', routes: [{ channels: ['terminal', 'chat', 'boss'] }], then: [] },
  {
    given: 'a console and another to escalate to',
    routes: [{ channels: ['terminal'], escalateAfterSeconds: 60 }, { channels: ['chat', 'boss'] }],
    then: [],
  },
  {
    given: 'a console with a fallback that is named',
    routes: [{ channels: ['terminal', 'chat'] }],
    more: { fallbackChannel: 'boss' },
    then: [],
  },
])('on AWS: $given', ({ routes, more, then }) => expect(onAws(routes, more)).toEqual(then))

test('a team with a slip of the pen is told which was meant', () => {
  const [finding] = routeFindings(config([{ ...both, teams: ['platfrom'] }, both]))
  expect(finding).toMatchObject({ message: 'no service is owned by a team platfrom', hint: 'did you mean platform?' })
})

test('a thousand services and fifty routes with hours are checked in seconds, on a busy machine too', () => {
  const many = Object.fromEntries(
    Array.from({ length: 1000 }, (_, n) => [`s${n}`, { owner: { team: `t${n % 50}`, role: 'sre' } }]),
  )
  const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe']
  const routes = Array.from({ length: 50 }, (_, n) => ({
    ...both,
    teams: [`t${n % 50}`],
    hours: [{ timeZone: zones[n % 4], from: `0${n % 10}:${10 + n}`, to: `1${n % 10}:00` }],
  }))
  const big = config([...routes, both], { services: { ...services, ...many } })
  const beganMs = performance.now()
  expect(routeFindings(big)).toEqual([])
  expect(performance.now() - beganMs).toBeLessThan(5000)
})
