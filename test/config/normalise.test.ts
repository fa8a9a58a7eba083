import { expect, test } from '@jest/globals'
import { normalise } from '../../config/normalise.ts'
import { type ConfigInput, configSchema } from '../../config/schema.ts'

const config = (changes: Partial<ConfigInput> = {}) =>
  configSchema.parse({
    services: { web: {}, other: {} },
    monitors: { home: { kind: 'http', service: 'web', url: 'https://example.com/' } },
    channels: { terminal: { kind: 'console' } },
    routes: [{ channels: ['terminal'] }],
    locations: ['local', 'eu-west-1'],
    ...changes,
  })

test('every monitor has its locations and its two rules written out', () => {
  const { monitors, rules } = normalise(config())
  expect(monitors['home']).toMatchObject({ locations: ['local', 'eu-west-1'] })
  expect(rules).toEqual({
    'home-availability': {
      kind: 'availability',
      monitor: 'home',
      service: 'web',
      severity: 'page',
      failureThreshold: 3,
      successThreshold: 1,
    },
    'home-blind': { kind: 'absence', monitor: 'home', service: 'web', severity: 'ticket', forSeconds: 300 },
  })
})

test.each([
  { periodSeconds: 10, forSeconds: 300 },
  { periodSeconds: 60, forSeconds: 300 },
  { periodSeconds: 61, forSeconds: 305 },
  { periodSeconds: 86_400, forSeconds: 432_000 },
])('a monitor that looks every $periodSeconds s is blind after $forSeconds s', ({ periodSeconds, forSeconds }) => {
  const monitors = { home: { kind: 'http', service: 'web', url: 'https://example.com/', periodSeconds } } as const
  expect(normalise(config({ monitors })).rules['home-blind']).toMatchObject({ forSeconds })
})

test('a rule somebody wrote takes the place of the implied one and keeps its own service', () => {
  const { rules } = normalise(
    config({ rules: { down: { kind: 'availability', monitor: 'home', failureThreshold: 1, service: 'other' } } }),
  )
  expect(Object.keys(rules).sort()).toEqual(['down', 'home-blind'])
  expect(rules['down']).toMatchObject({ failureThreshold: 1, service: 'other' })
})

test('a written rule takes its monitor’s service', () => {
  const { rules } = normalise(config({ rules: { dark: { kind: 'absence', monitor: 'home', forSeconds: 900 } } }))
  expect(rules['dark']).toMatchObject({ service: 'web', forSeconds: 900 })
  expect(rules['home-blind']).toBeUndefined()
})

test('a rule about series takes the place of nothing', () => {
  const series = { cluster: 'prod', selector: 'up' }
  const { rules } = normalise(config({ rules: { gone: { kind: 'absence', service: 'web', series, forSeconds: 900 } } }))
  expect(Object.keys(rules).sort()).toEqual(['gone', 'home-availability', 'home-blind'])
})

test('normalising again changes nothing, and the input is left alone', () => {
  const input = config()
  const before = structuredClone(input)
  const once = normalise(input)
  expect(input).toEqual(before)
  expect(normalise(once)).toEqual(once)
})

test('a normalised config passes the schema as it is, after a trip through JSON', () => {
  const once = normalise(config())
  expect(configSchema.parse(JSON.parse(JSON.stringify(once)))).toEqual(once)
})
