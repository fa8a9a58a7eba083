import { expect, test } from '@jest/globals'
import type { Suspect } from '../../../triage/contract.ts'
import { whoseIsIt } from '../../../triage/questions/whose-is-it.ts'
import { briefAbout, serviceIn, witnessesWho } from '../witness-stand.ts'

const services = {
  web: serviceIn('shop', 'web', { owner: { team: 'web', role: 'developers' } }),
  db: serviceIn('shop', 'db', {
    owner: { team: 'platform', role: 'sre', contact: '#platform' },
    runbook: 'https://runbooks.example/db',
  }),
  bare: serviceIn('shop', 'bare'),
}
const suspect = (extra: Partial<Suspect>): Suspect => ({
  accused: { kind: 'workload', namespace: 'shop', name: 'db' },
  cause: 'crash-loop',
  score: 0.8,
  headline: 'db: crashes',
  for: [],
  against: [],
  ...extra,
})
const ask = (service: string, suspects: Suspect[]) =>
  whoseIsIt.ask(briefAbout(service), witnessesWho({ services }), suspects)

test('it is the owner of the prime suspect, with contact and runbook', async () => {
  const answer = await ask('web', [suspect({ service: 'db' })])
  expect([answer.verdict, answer.headline]).toEqual([
    'ok',
    'SRE: team platform owns db, #platform, runbook https://runbooks.example/db',
  ])
  expect(answer.evidence.map(({ says }) => says)).toContain('developers: team web owns web')
})

test('without a suspect it is the owner of the service', async () => {
  expect(await ask('web', [])).toMatchObject({ verdict: 'ok', headline: 'developers: team web owns web' })
})

test('a suspect nobody owns is said to be so, and the service’s owner named', async () => {
  const node = suspect({ accused: { kind: 'node', name: 'n1' } })
  expect(await ask('web', [node])).toMatchObject({
    verdict: 'suspicious',
    headline: 'node n1 has no owner in the config; developers: team web owns web',
  })
})

test('without any owner it is unknown', async () => {
  expect(await ask('bare', [])).toMatchObject({
    verdict: 'unknown',
    headline: 'unknown: bare has no owner in the config',
  })
})

test('it asks only when the suspects are known', () => expect(whoseIsIt.afterSuspects).toBe(true))
