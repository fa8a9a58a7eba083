import { expect, test } from '@jest/globals'
import { incidentsText, listIncidents } from '../../../cli/commands/incidents.ts'
import { keys } from '../../../functions/contract.ts'
import { memoryStore } from '../../../stores/memory.ts'
import { putIncidents, sinceMs, storedIncident } from '../../functions/stored-incidents.ts'

const nowMs = () => sinceMs + 60_000

test('a case file that a newer version wrote is as good as none: the incidents are listed all the same', async () => {
  const store = memoryStore({ nowMs })
  const [shop, cart] = [storedIncident('shop'), storedIncident('cart')]
  await putIncidents(store, [shop, cart])
  const file = (incidentId: string, headline: string) => ({
    incidentId,
    atMs: sinceMs,
    headline,
    answers: [],
    suspects: [],
  })
  await store.commit([
    { key: keys.caseFile(shop.id), expect: 0, value: { ...file(shop.id, 'a rollout'), weather: 'rain' } },
    { key: keys.caseFile(cart.id), expect: 0, value: file(cart.id, 'no memory left') },
  ])
  const listed = await listIncidents(store)
  expect(listed.map(({ caseFile }) => caseFile?.headline)).toEqual([undefined, 'no memory left'])
  expect(incidentsText(listed, nowMs())).toMatch(/shop fails from local\n.*cart.*\n {4}no memory left\n$/s)
})
