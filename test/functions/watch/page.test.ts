import { expect, test } from '@jest/globals'
import { dashboardUrl, type Look, renderPage, type View } from '../../../functions/watch/config-page.ts'
import type { Told } from '../../../functions/watch/decide.ts'

const at = (clock: string) => Date.parse(`2026-11-23T${clock}Z`)
const place = { name: 'whodunit', hubRegion: 'eu-central-1', location: 'eu-west-1' }
const nowMs = at('10:02:30')

const stuck: Told = {
  event: 'opened',
  finding: {
    status: 'stuck',
    stage: 'deliver',
    pulsesMs: { evaluate: at('10:02:04'), correlate: at('10:02:04'), deliver: at('09:58:03') },
  },
  sinceMs: at('09:58:03'),
  everUp: true,
}
const look = (monitorId: string, verdict: Look['verdict'], detail?: string): Look => ({
  monitorId,
  service: 'shop',
  target: `GET https://shop.example/${monitorId}`,
  verdict,
  ...(detail === undefined ? {} : { detail }),
})
const view: View = {
  atMs: at('10:02:10'),
  looks: [
    look('home', 'pass'),
    look('search', 'degraded', 'took 2100 ms, more than 800 ms'),
    look('login', 'unknown', 'secret:LOGIN, for the header authorization, cannot be resolved here'),
    look('checkout', 'fail', 'expected status 200, saw 503'),
  ],
  notLookedAt: 0,
}

test('a stage that is stuck: what, since when, what it means, what to do, what fails from here', () => {
  const page = renderPage(stuck, place, { nowMs, view })
  expect(page.subject).toBe('DEAD whodunit hub whodunit in eu-central-1: deliver is stuck')
  expect(page.text).toBe(
    `DEAD whodunit hub whodunit in eu-central-1: deliver is stuck
told by   watch in eu-west-1
key       whodunit-hub-dead:whodunit (the same from every location)

since     2026-11-23 09:58:03 UTC, 4 min 27 s ago
seen      evaluate passed its last pulse at 10:02, correlate at 10:02,
          deliver at 09:58 (UTC): deliver is stuck
means     Until it is back whodunit pages nobody about anything else.
          Meanwhile incidents may open, but their pages do not leave.
do        Look at the log, errors and throttles of deliver. Does the
          queue deliver grow, or its dead letters?
dashboard https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#dashboards/dashboard/whodunit
next      Again every half hour, and once when it is back.

from here 1 failing, 1 unknown, 1 degraded, 1 passing; each looked at
          once from eu-west-1, at 10:02:10 UTC
[FAIL] checkout of shop: expected status 200, saw 503 (GET
       https://shop.example/checkout)
[ ?? ] login of shop: secret:LOGIN, for the header authorization, cannot
       be resolved here (GET https://shop.example/login)
[slow] search of shop: took 2100 ms, more than 800 ms (GET
       https://shop.example/search)`,
  )
  expect(page.short).toBe(
    'DEAD whodunit hub whodunit in eu-central-1: deliver is stuck. Failing from eu-west-1: checkout. https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#dashboards/dashboard/whodunit',
  )
})

test('a table that cannot be read is not called a dead stage, and names whom to ask', () => {
  const why = 'TimeoutError: no answer within 2 s'
  const told: Told = { ...stuck, finding: { status: 'unreadable', why }, sinceMs: at('10:01:30') }
  const { subject, text } = renderPage(told, place, { nowMs, view: { ...view, looks: [look('home', 'pass')] } })
  expect(subject).toBe('DEAD whodunit hub whodunit in eu-central-1: its table cannot be read from here')
  expect(text).toContain(`since     2026-11-23 10:01:30 UTC, 1 min ago
seen      cannot read the hub's table: TimeoutError: no answer within 2
          s
means     From here nobody can say whether it still works. Take it for
          dead: then whodunit pages nobody about anything else. If no
          other location says so too, it is the way from here to there
          that is broken.
do        Is eu-central-1 in trouble
          (https://health.aws.amazon.com/health/status)? Is the table
          there, and may watch read it?`)
  expect(text).toContain('0 failing, 0 unknown, 1 passing')
})

test('a hub that never came up says so', () => {
  const finding = { status: 'never', stage: 'evaluate', pulsesMs: {} } as const
  const told: Told = { ...stuck, finding, sinceMs: at('09:52:30'), everUp: false }
  const { subject, text } = renderPage(told, place, { nowMs, view: { atMs: nowMs, looks: [], notLookedAt: 0 } })
  expect(subject).toBe('DEAD whodunit hub whodunit in eu-central-1: it never came up: sweep or evaluate is stuck')
  expect(text).toContain('evaluate never passed a pulse, correlate never, deliver never')
  expect(text).toContain('no monitor looks from eu-west-1')
})

test('a reminder is told apart from the beginning, under the same key', () => {
  const first = renderPage(stuck, place, { nowMs, view })
  const again = renderPage({ ...stuck, event: 'updated' }, place, { nowMs: nowMs + 1_800_000, view })
  expect(again.subject).toBe('STILL DEAD whodunit hub whodunit in eu-central-1: deliver is stuck')
  expect(again.text).toContain('09:58:03 UTC, 34 min 27 s ago')
  expect(again.dedupKey).toBe(first.dedupKey)
})

test('the end says how long it was dead and what may be missing', () => {
  const told: Told = { ...stuck, event: 'resolved', finding: { status: 'well' } }
  const page = renderPage(told, place, { nowMs: at('10:21:05') })
  expect(page.subject).toBe('BACK whodunit hub whodunit in eu-central-1: it was dead for 23 min 2 s')
  expect(page.text).toBe(
    `BACK whodunit hub whodunit in eu-central-1: it was dead for 23 min 2 s
told by   watch in eu-west-1
key       whodunit-hub-dead:whodunit (the same from every location)

from      2026-11-23 09:58:03 UTC until 2026-11-23 10:21:05 UTC, 23 min
          2 s
seen      a pulse of this minute passed evaluate, correlate and deliver,
          as seen from eu-west-1
means     Pages go out again. Those that waited come now, and late; what
          failed and ended again while it was dead may never be told.
dashboard https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#dashboards/dashboard/whodunit`,
  )
})

test('where nothing passes at all the location itself is doubted', () => {
  const looks = [look('home', 'fail', 'no answer'), look('login', 'unknown', 'no resolver')]
  const { text } = renderPage(stuck, place, { nowMs, view: { ...view, looks } })
  expect(text).toContain('nothing passes: eu-west-1 itself may be cut off')
})

test('what could not be looked at is counted, and why is said', () => {
  const trouble = 'secrets could not be read: Error: no answer within 2 s'
  const { text } = renderPage(stuck, place, { nowMs, view: { ...view, notLookedAt: 57, trouble } })
  expect(text).toContain('57 not looked')
  expect(text).toContain(`[ ?? ] ${trouble}`)
})

test('a last pulse of another day is dated', () => {
  const pulsesMs = { evaluate: at('10:02:04'), correlate: at('10:02:04'), deliver: at('10:02:04') - 86_400_000 }
  const finding = { status: 'stuck', stage: 'deliver', pulsesMs } as const
  const { text } = renderPage({ ...stuck, finding }, place, { nowMs, view })
  expect(text).toContain('deliver at 2026-11-22 10:02')
})

test('hostile words of targets stay on their line, and thousands of them stay far below what SNS takes', () => {
  const detail = `saw\n\nRESOLVED everything is fine\u001b[2J\u202e ${'<script>'.repeat(200)}`
  const looks = Array.from({ length: 3000 }, (_, index) => look(`m${index}`, 'fail', detail))
  const { text, subject, short } = renderPage(stuck, place, { nowMs, view: { ...view, looks } })
  expect(text).not.toMatch(/^RESOLVED/m)
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u)
  expect(text).toContain('… and 2960 more')
  expect(Buffer.byteLength(JSON.stringify({ default: text, sms: short }))).toBeLessThan(64 * 1024)
  expect(subject).toMatch(/^[A-Z][\x20-\x7e]{0,98}$/)
  expect(short.length).toBeLessThanOrEqual(450)
})

test('a long name and region still fit a subject', () => {
  const long = { ...place, name: 'w'.repeat(20), hubRegion: 'ap-northeast-3' }
  const finding = { status: 'never', stage: 'evaluate', pulsesMs: {} } as const
  const { subject } = renderPage({ ...stuck, event: 'updated', finding, everUp: false }, long, { nowMs })
  expect(subject.length).toBeLessThan(100)
  expect(subject).toContain('STILL DEAD')
})

test.each([
  { hubRegion: 'eu-central-1', host: 'eu-central-1.console.aws.amazon.com' },
  { hubRegion: 'cn-north-1', host: 'cn-north-1.console.amazonaws.cn' },
  { hubRegion: 'us-gov-west-1', host: 'us-gov-west-1.console.amazonaws-us-gov.com' },
])('the dashboard of $hubRegion is at $host', ({ hubRegion, host }) => {
  expect(new URL(dashboardUrl({ ...place, hubRegion })).host).toBe(host)
})
