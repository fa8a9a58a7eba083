import { expect, test } from '@jest/globals'
import type { ListedSilence } from '../../functions/api-contract.ts'
import { silencesPage } from '../../web/silences-page.ts'

const nowMs = Date.UTC(2026, 10, 23, 6, 0, 0)
const silence = (at: Partial<ListedSilence> = {}): ListedSilence => ({
  id: 's-abcdef',
  matchers: ['service=shop', 'severity=~"page|ticket"'],
  author: 'kim',
  reason: 'a <new> database',
  startsAtMs: nowMs - 300_000,
  endsAtMs: nowMs + 7_200_000,
  hid: [],
  hidCount: 0,
  state: 'in-force',
  ...at,
})

test('nothing is silent', () => expect(silencesPage([], nowMs)).toContain('None: nobody keeps an alert quiet.'))

test.each([
  { given: 'in force', at: {}, says: ['quiet for 5 min', 'in 2 h', 'It hid nothing so far.', 's-abcdef', 'kim'] },
  { given: 'to come', at: { state: 'to-come' as const, startsAtMs: nowMs + 60_000 }, says: ['begins in 1 min'] },
  { given: 'asked for', at: { state: 'asked' as const }, says: ['on its way'] },
  { given: 'tied to an incident', at: { incidentId: 'shop-1' }, says: ['or the end of', '/incidents/shop-1'] },
  {
    given: 'what hid more than it lists',
    at: { hid: [{ incidentId: 'shop-1', service: 'shop', sinceMs: nowMs - 60_000 }], hidCount: 3 },
    says: ['It hid 3 incidents', 'href="/incidents/shop-1"', '(1 min ago)', 'and 2 more'],
  },
])('a silence that is $given says so', ({ at, says }) => {
  const text = silencesPage([silence(at)], nowMs).replaceAll('\u00a0', ' ')
  for (const word of says) expect(text).toContain(word)
})

test('what people wrote is escaped', () => {
  const text = silencesPage([silence({ author: '<script>', matchers: ['a="<b>"'] })], nowMs)
  expect(text).toContain('a &lt;new&gt; database')
  expect(text).not.toMatch(/<script>|<b>/)
})
