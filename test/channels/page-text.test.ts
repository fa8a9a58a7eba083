import { expect, test } from '@jest/globals'
import type { Message } from '../../channels/contract.ts'
import { pageText, pageTitle } from '../../channels/page-text.ts'
import { columns } from '../../channels/plain-text.ts'
import type { DeliveryEvent } from '../../functions/contract.ts'
import {
  caseFile,
  componentChanged,
  harmful,
  hostileMessage,
  message,
  order,
  peopleEvents,
  sinceMs,
  withLinks,
  withoutCaseFile,
} from './messages.ts'

const [answer] = caseFile.answers
if (!answer) throw new Error('the case file of the tests has answers')
const resolved = { ...message, order: { ...order, event: 'resolved' as const, resolvedAtMs: sinceMs + 2_520_000 } }
const updated = { ...message, order: { ...order, event: 'updated' as const, sequence: 2 } }

test('a page leads with the headline, then the checklist, the suspects and where to go', () => {
  expect(pageText(message, { width: 72 })).toBe(
    `OPEN checkout: payments v42, rolled out 3 min before, is killed for
  memory

since     2026-11-23 03:12:00 UTC, incident opened 1 min 5 s later,
          questions answered at 03:13:07 UTC
failing   https://shop.example/checkout fails from 3 of 3 locations:
          HTTP 503, wanted 200

[BAD!] Service running? 1 of 3 pods of payments is ready
       - payments-7d9f8-x2x restarted 5 times in 4 min
       - its last exit was OOMKilled
       - memory 511 MiB of 512 MiB
       … and 1 more
[ ok ] Health checks passing? ready probes of checkout pass
[odd?] Logs look okay? 1 new error pattern, 214 times
       - new since 03:11:50
         | error out of memory allocating 16 MB
[ ?? ] Latency normal? unknown: linkerd did not answer within 3 s

suspect   87% rollout of payments v42 ended 3 min before the first
          failure
          for: pods of v42 fail, pods of v41 do not
          against: checkout itself was rolled out later
or        12% node ip-10-0-3-17 is short of memory

owner     payments (developers) #payments-oncall, for payments
runbook   https://runbooks.example/payments
incident  https://whodunit.example/incidents/checkout-1vabc
delivery  checkout-1vabc:oncall:1`,
  )
})

test('without a case file the alert leads, and the page says that nobody answered', () => {
  expect(pageText({ ...withoutCaseFile, owner: { team: 'shop', role: 'sre' } }, { width: 72 })).toBe(
    `OPEN checkout: https://shop.example/checkout fails from 3 of 3
  locations: HTTP 503, wanted 200

since     2026-11-23 03:12:00 UTC, incident opened 1 min 5 s later
failing   https://shop.example/checkout fails from 3 of 3 locations:
          HTTP 503, wanted 200

[ ?? ] Checklist: the questions were not answered in time

owner     shop (sre)
delivery  checkout-1vabc:oncall:1`,
  )
})

test('a case file in which nobody found anything lets the alert lead', () => {
  const shrugs = { ...caseFile, headline: 'no suspect', suspects: [], answers: [{ ...answer, verdict: 'ok' as const }] }
  expect(pageTitle({ ...message, caseFile: shrugs })).toMatch(/^OPEN checkout: https:\/\/shop\.example\/checkout fails/)
  const blind = { ...shrugs, answers: [{ ...answer, verdict: 'unknown' as const }] }
  expect(pageTitle({ ...message, caseFile: blind })).toBe(pageTitle({ ...message, caseFile: shrugs }))
  expect(pageTitle({ ...message, caseFile: { ...blind, answers: [answer] } })).toBe('OPEN checkout: no suspect')
})

test('a resolve says how long it lasted and asks nothing', () => {
  expect(pageText(resolved, { width: 72 })).toBe(
    `RESOLVED checkout: it lasted 42 min

from      2026-11-23 03:12:00 UTC until 2026-11-23 03:54:00 UTC
failed    https://shop.example/checkout fails from 3 of 3 locations:
          HTTP 503, wanted 200
it was    payments v42, rolled out 3 min before, is killed for memory
suspect   87% rollout of payments v42 ended 3 min before the first
          failure

incident  https://whodunit.example/incidents/checkout-1vabc
delivery  checkout-1vabc:oncall:1`,
  )
})

test('an update is shorter and counts what it leaves out', () => {
  const text = pageText(updated, { width: 72 })
  expect(text.startsWith('UPDATE checkout: payments v42')).toBe(true)
  expect(text).toContain('       … and 2 more\n')
  expect(text.length).toBeLessThan(pageText(message, { width: 72 }).length)
})

const told = (event: DeliveryEvent): Message => {
  const found = peopleEvents.find((one) => one.order.event === event)
  if (!found) throw new Error(`no message tells ${event}`)
  return found
}

test('what is back is told like a page, with what fails because of it and how often it came back', () => {
  const [lead, story] = pageText(told('reopened'), { width: 72 }).split('\n\n')
  expect(lead).toBe('REOPENED checkout: payments v42, rolled out 3 min before, is killed\n  for memory')
  expect(story).toBe(
    `since     2026-11-23 03:12:00 UTC, incident opened 1 min 5 s later,
          questions answered at 03:13:07 UTC
failing   https://shop.example/checkout fails from 3 of 3 locations:
          HTTP 503, wanted 200
also      failing with it: cart, search
flapping: came back 4 times within the hour`,
  )
})

test('a reminder leads with how long nobody has taken it on, to the minute', () => {
  expect(pageText(told('reminder'), { width: 72 }).split('\n\n')[0]).toBe(
    `REMINDER checkout: nobody has taken this on for 30 min: payments v42,
  rolled out 3 min before, is killed for memory`,
  )
  const { atMs: _, ...timeless } = told('reminder').order
  expect(pageTitle({ ...withoutCaseFile, order: { ...timeless, summaries: ['it fails'] } })).toBe(
    'REMINDER checkout: nobody has taken this on: it fails',
  )
})

test('the end of a silence tells what it hid, and asks and links nothing', () => {
  expect(pageText(told('silence-ended'), { width: 72 })).toBe(
    `SILENCE ENDED deploy-42: checkout: fails from 3 of 3 locations since
  03:12:00 UTC (and 1 more)

silent    2026-11-23 03:12:00 UTC until 2026-11-23 04:12:00 UTC
hid       checkout: fails from 3 of 3 locations since 03:12:00 UTC
          cart: 12 % of requests fail

delivery  deploy-42:oncall:1`,
  )
})

test('of many services that fail because of one the first are named and the rest counted', () => {
  const affects = ['cart', 'search', 'mail', 'login', 'pay', 'stock', 'ads']
  expect(pageText({ ...updated, order: { ...updated.order, affects } }, { width: 72 })).toContain(
    '\nalso      failing with it: cart, search, mail, login, pay (2 more)\n\n',
  )
})

test('the service’s own people are named beside the suspect’s', () => {
  const text = pageText(
    { ...message, owner: { team: 'shop', role: 'sre' }, runbook: 'https://runbooks.example/shop' },
    { width: 72 },
  )
  expect(text).toContain('owner     shop (sre), for checkout\n')
  expect(text).toContain('runbook   https://runbooks.example/payments\nrunbook   https://runbooks.example/shop\n')
})

test('a page that finds no suspect says so', () => {
  const none = { ...message, caseFile: { ...hostileMessage(message).caseFile, suspects: [] } }
  // Spreading an optional property widens it; the case file is there.
  expect(pageText(none as typeof message, { width: 72 })).toContain('suspect   none: nothing that was found')
})

test('a fallback names the channels that refused', () => {
  const text = pageText({ ...message, order: { ...order, fallbackFor: ['sns', 'hook'] } }, { width: 72 })
  expect(text).toContain('fallback  sent here because sns, hook refused it\n')
})

test('a component change is told in the words of the status page', () => {
  expect(pageTitle(componentChanged)).toBe('STATUS checkout: operational -> major_outage')
})

test.each([32, 40, 72, 120])('no line is wider than %s columns but for addresses and ids', (width) => {
  const lines = [...peopleEvents, withoutCaseFile, ...peopleEvents.map(hostileMessage)]
    .flatMap((each) => pageText(each, { width }).split('\n'))
    .filter((line) => !/^(?:runbook|ack|incident|delivery) /.test(line))
  expect(lines.filter((line) => columns(line) > width)).toEqual([])
})

test.each([...peopleEvents, componentChanged].map((base) => ({ event: base.order.event, base })))(
  'what logs and targets say cannot start a line or move the cursor: $event',
  ({ base }) => {
    const text = pageText(hostileMessage(base), { width: 72 })
    expect(text).not.toMatch(harmful)
    expect(text.match(/^(?:OPEN|UPDATE|REOPENED|REMINDER|RESOLVED|SILENCE ENDED|STATUS) /gm)).toHaveLength(1)
    expect(text.match(/^\[ ok \]/gm)).toBeNull()
    expect(text.match(/^delivery /gm)).toHaveLength(1)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(20_000)
    expect(pageTitle(hostileMessage(base)).length).toBeLessThanOrEqual(100)
  },
)

test('a page of many long texts keeps its checklist and its end, and counts what it left out', () => {
  const long = '漢字'.repeat(400)
  const evidence = Array.from({ length: 5 }, () => ({ says: long, quote: long }))
  const answers = Array.from({ length: 30 }, () => ({ ...answer, title: long, headline: long, evidence }))
  const dense = { ...message, order: { ...order, summaries: Array(9).fill(long) }, caseFile: { ...caseFile, answers } }
  const text = pageText(dense, { width: 72 })
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(20_000)
  expect(text.match(/^\[BAD!\]/gm)).toHaveLength(8)
  expect(text).toContain('… and 5 more\n[BAD!]')
  expect(text).toContain('… and 22 more\n')
  expect(text).toContain('… and 8 more\n')
  expect(text.endsWith('\ndelivery  checkout-1vabc:oncall:1')).toBe(true)
})

test('a width that is no width still gives a page', () => {
  expect(pageText(message, { width: Number.NaN })).toBe(pageText(message, { width: 72 }))
  expect(pageText(message, { width: 1 })).toBe(pageText(message, { width: 32 }))
})

test('the title is the lead line in at most 100 characters', () => {
  expect(pageTitle(message)).toBe('OPEN checkout: payments v42, rolled out 3 min before, is killed for memory')
  const long = { ...withoutCaseFile, order: { ...order, summaries: ['y'.repeat(300), 'z'] } }
  expect(pageTitle(long)).toHaveLength(100)
  expect(pageTitle(long).endsWith('…')).toBe(true)
  expect(pageTitle({ ...withoutCaseFile, order: { ...order, summaries: [] } })).toBe(
    'OPEN checkout: the questions were not answered in time',
  )
})

test('what stands in a headline is not said again as evidence or as a reason', () => {
  const [prime] = caseFile.suspects
  if (!prime) throw new Error('the case file of the tests has a suspect')
  const says = 'route VoteDoughnut fails'
  const said = {
    ...caseFile,
    headline: `voting: ${says}`,
    answers: [{ ...answer, headline: `no: ${says}`, evidence: [{ says }, { says: 'all other routes are fine' }] }],
    suspects: [{ ...prime, headline: `voting: ${says}`, for: [says, 'new in the logs'], against: [] }],
  }
  const text = pageText({ ...message, caseFile: said }, { width: 72 })
  expect(text.split(says)).toHaveLength(4)
  for (const kept of ['       - all other routes are fine\n', '          for: new in the logs\n']) {
    expect(text).toContain(kept)
  }
  expect(pageText({ ...resolved, caseFile: said }, { width: 72 }).split(says)).toHaveLength(2)
})

test('the link that takes the incident on stands before the one that shows it, each whole on its line', () => {
  const lines = pageText(withLinks, { width: 40 }).split('\n')
  expect(lines.slice(-3)).toEqual([
    `ack       ${withLinks.acknowledgeUrl}`,
    `incident  ${withLinks.incidentUrl}`,
    'delivery  checkout-1vabc:oncall:1',
  ])
})
