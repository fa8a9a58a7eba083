import { expect, test } from '@jest/globals'
import { loadConfig } from '../../config/load.ts'

type Given = { monitor: string; objective: string; places?: string | undefined }

const warnings = async ({ monitor, objective, places = 'local' }: Given): Promise<string[]> => {
  const text = `
services: { shop: { owner: { team: storefront, role: developers }, runbook: https://runbooks.example.com/shop } }
monitors: { front: { kind: http, service: shop, url: https://shop.example.com/, locations: [${places}], ${monitor} } }
rules: { front-slo: { kind: slo, monitor: front, objectivePercent: 99.9, ${objective} } }
channels: { terminal: { kind: console } }
routes: [{ channels: [terminal] }]
locations: [local, far]
`
  const loaded = await loadConfig('whodunit.yaml', { readFile: async () => text })
  if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join('\n'))
  return loaded.warnings.filter(({ code }) => code === 'too-rare').map(({ message }) => message)
}

const hourly =
  'the page of the 1 h window can never fire: it waits for 10 events, and front is looked at 6 times in 1 h'

test.each([
  { given: 'a look a minute', monitor: 'periodSeconds: 60', objective: '', then: [] },
  { given: 'a look in ten minutes', monitor: 'periodSeconds: 600', objective: '', then: [hourly] },
  { given: 'it from two places', places: 'local, far', monitor: 'periodSeconds: 600', objective: '', then: [] },
  { given: 'it where six are enough', monitor: 'periodSeconds: 600', objective: 'minEvents: 6', then: [] },
  {
    given: 'a look a day',
    monitor: 'periodSeconds: 86400',
    objective: 'minEvents: 1',
    then: [1, 6, 24].map(
      (hours) =>
        `the ${hours === 24 ? 'ticket' : 'page'} of the ${hours} h window can never fire: it waits for 3 events, and front is looked at once in ${hours} h`,
    ),
  },
])('with $given validate says which windows never hold enough', async ({ monitor, objective, places, then }) => {
  expect(await warnings({ monitor, objective, places })).toEqual(then)
})
