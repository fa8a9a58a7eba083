import { expect, test } from '@jest/globals'
import {
  acknowledgeToken,
  judgeAcknowledgeToken,
  judgeViewToken,
  linkKeepMs,
  messageLinks,
  viewToken,
} from '../../../functions/api/links.ts'
import { linkSigner } from '../../../functions/link-key.ts'
import { start } from '../builders.ts'

const signer = linkSigner(new Uint8Array(32).fill(7))
const other = linkSigner(new Uint8Array(32).fill(8))
const incidentId = 'shop-20261123-060000'
const at = { incidentId, channel: 'pager', expiresAtMs: start + linkKeepMs }
const view = viewToken(signer, at)
const acknowledge = acknowledgeToken(signer, at)

const viewed = (token: string, nowMs = start, id = incidentId) =>
  judgeViewToken(signer, { token, incidentId: id, nowMs }).status
const taken = (token: string, nowMs = start) => judgeAcknowledgeToken(signer, { token, nowMs }).status

test('a token opens what it was made for, until its last millisecond', () => {
  expect(judgeAcknowledgeToken(signer, { token: acknowledge, nowMs: start })).toEqual({ status: 'valid', ...at })
  expect([viewed(view), viewed(view, start + linkKeepMs - 1), viewed(view, start + linkKeepMs)]).toEqual([
    'valid',
    'valid',
    'expired',
  ])
  expect([taken(acknowledge, start + linkKeepMs - 1), taken(acknowledge, start + linkKeepMs)]).toEqual([
    'valid',
    'expired',
  ])
})

test('a view token opens its own incident and no other', () => {
  expect(viewed(view, start, 'shop-20261123-060001')).toBe('forged')
})

test('a token of one purpose is worth nothing for the other', () => {
  const [, , mac = '', expiry = ''] = acknowledge.split('.')
  expect(viewed(`${mac}.${expiry}`)).toBe('forged')
  expect(taken(`${incidentId}.pager.${view}`)).toBe('forged')
})

test('another hub’s tokens are forged here', () => {
  expect(viewed(viewToken(other, at))).toBe('forged')
  expect(taken(acknowledgeToken(other, at))).toBe('forged')
})

test('every change of one letter, every cut and every addition makes a token worthless', () => {
  const swapped = (text: string, index: number) =>
    `${text.slice(0, index)}${text[index] === 'a' ? 'b' : 'a'}${text.slice(index + 1)}`
  const damaged = [...acknowledge].flatMap((_, index) => [swapped(acknowledge, index), acknowledge.slice(0, index)])
  const all = [...damaged, `${acknowledge}0`, ` ${acknowledge}`, `${acknowledge}\n`, acknowledge.toUpperCase()]
  expect(all.filter((token) => taken(token) !== 'forged')).toEqual([])
  const views = [...view].flatMap((_, index) => [swapped(view, index), view.slice(0, index)])
  expect([...views, `${view}0`, `${view}.`].filter((token) => viewed(token) !== 'forged')).toEqual([])
})

test('a later end cannot be written into a token, and a forged one does not learn whether it has ended', () => {
  const longer = acknowledge.replace(/[^.]+$/, 'zzzzzz')
  const ended = acknowledge.replace(/[^.]+$/, '1')
  expect([taken(longer), taken(ended)]).toEqual(['forged', 'forged'])
})

test.each(['', '.', '...', 'a.b.c.d', '%00', '../../x', 'x'.repeat(100_000), `${'a'.repeat(50)}.`.repeat(2000)])(
  'nonsense is forged, whatever its size: %.20s',
  (token) => expect([taken(token), viewed(token)]).toEqual(['forged', 'forged']),
)

test('a field cannot pass for two', () => {
  const shifted = acknowledgeToken(signer, { ...at, incidentId: 'shop', channel: 'x-pager' })
  expect(taken(shifted.replace('shop.x-pager', 'shop-x.pager'))).toBe('forged')
})

test('tokens need no escaping, end with a letter or digit and are short enough for a text message', () => {
  for (const token of [view, acknowledge]) {
    expect(encodeURIComponent(token)).toBe(token)
    expect(token).toMatch(/[a-z0-9]$/)
  }
  expect(view).toHaveLength(29)
  expect(acknowledge.length - incidentId.length - 'pager'.length).toBe(31)
})

const linksFor = (event: 'opened' | 'updated' | 'resolved' | 'component-changed' | 'silence-ended') =>
  messageLinks(signer, { incidentId, channel: 'pager', event }, { baseUrl: 'https://hub.example/', nowMs: start })

test.each([
  { event: 'opened', links: ['incidentUrl', 'acknowledgeUrl'] },
  { event: 'updated', links: ['incidentUrl', 'acknowledgeUrl'] },
  { event: 'resolved', links: ['incidentUrl'] },
  { event: 'component-changed', links: [] },
  { event: 'silence-ended', links: [] },
] as const)('a message of kind $event carries $links', ({ event, links }) => {
  expect(Object.keys(linksFor(event))).toEqual([...links])
})

test('the links of a page are whole addresses that work for a week', () => {
  expect(linksFor('opened')).toEqual({
    incidentUrl: `https://hub.example/incidents/${incidentId}?token=${view}`,
    acknowledgeUrl: `https://hub.example/acknowledge/${acknowledge}`,
  })
})
