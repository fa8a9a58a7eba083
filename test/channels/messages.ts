import type { Message } from '../../channels/contract.ts'
import type { DeliveryOrder } from '../../functions/contract.ts'
import type { CaseFile } from '../../triage/contract.ts'

/** An incident every channel's tests tell about. */
export const sinceMs = Date.UTC(2026, 10, 23, 3, 12, 0)

export const order: DeliveryOrder = {
  id: 'checkout-1vabc:oncall:1',
  incidentId: 'checkout-1vabc',
  channel: 'oncall',
  sequence: 1,
  event: 'opened',
  service: 'checkout',
  severity: 'page',
  sinceMs,
  openedAtMs: sinceMs + 65_000,
  summaries: ['https://shop.example/checkout fails from 3 of 3 locations: HTTP 503, wanted 200'],
  affects: [],
  fallbackFor: [],
}

export const caseFile: CaseFile = {
  incidentId: 'checkout-1vabc',
  atMs: sinceMs + 67_300,
  headline: 'payments v42, rolled out 3 min before, is killed for memory',
  answers: [
    {
      question: 'service-running',
      title: 'Service running?',
      verdict: 'bad',
      headline: '1 of 3 pods of payments is ready',
      evidence: [
        { says: 'payments-7d9f8-x2x restarted 5 times in 4 min' },
        { says: 'its last exit was OOMKilled' },
        { says: 'memory 511 MiB of 512 MiB' },
        { says: 'a fourth fact' },
      ],
      tookMs: 120,
    },
    {
      question: 'health-checks-passing',
      title: 'Health checks passing?',
      verdict: 'ok',
      headline: 'ready probes of checkout pass',
      evidence: [{ says: 'not shown: all is well' }],
      tookMs: 80,
    },
    {
      question: 'logs-look-okay',
      title: 'Logs look okay?',
      verdict: 'suspicious',
      headline: '1 new error pattern, 214 times',
      evidence: [{ says: 'new since 03:11:50', quote: '\u001b[31merror\u001b[0m out of memory\nallocating 16 MB' }],
      tookMs: 300,
    },
    {
      question: 'latency',
      title: 'Latency normal?',
      verdict: 'unknown',
      headline: 'linkerd did not answer within 3 s',
      evidence: [],
      tookMs: 3000,
    },
  ],
  suspects: [
    {
      accused: { kind: 'workload', namespace: 'shop', name: 'payments' },
      cause: 'rollout',
      score: 0.874,
      headline: 'rollout of payments v42 ended 3 min before the first failure',
      for: ['pods of v42 fail, pods of v41 do not'],
      against: ['checkout itself was rolled out later'],
      owner: { team: 'payments', role: 'developers', contact: '#payments-oncall' },
      runbook: 'https://runbooks.example/payments',
      service: 'payments',
    },
    {
      accused: { kind: 'node', name: 'ip-10-0-3-17' },
      cause: 'node-pressure',
      score: 0.12,
      headline: 'node ip-10-0-3-17 is short of memory',
      for: [],
      against: [],
    },
  ],
}

export const message: Message = {
  order,
  caseFile,
  incidentUrl: 'https://whodunit.example/incidents/checkout-1vabc',
  statusPage: { id: 'status', name: 'Status', url: 'https://status.example/' },
}

/** The same with links that hold tokens, as a hub makes them. */
export const withLinks: Message = {
  ...message,
  incidentUrl: 'https://whodunit.example/incidents/checkout-1vabc?token=q83vEjRWeJCrze8SNFZ4kA.tap3mz',
  acknowledgeUrl: 'https://whodunit.example/acknowledge/checkout-1vabc.oncall.3q2-7wEjRWeJCrze8SNFZw.tap3mz',
}

export const withoutCaseFile: Message = { order, statusPage: message.statusPage }

export const componentChanged: Message = {
  ...message,
  order: {
    ...order,
    id: 'checkout-1vabc:public:1',
    channel: 'public',
    event: 'component-changed',
    component: { id: 'checkout', from: 'operational', to: 'major_outage' },
  },
}

/** One message of every event that people are told. */
export const peopleEvents: readonly Message[] = [
  message,
  ...(['updated', 'reopened', 'reminder'] as const).map((event) => ({
    ...withLinks,
    order: { ...order, event, atMs: order.openedAtMs + 1_802_000, affects: ['cart', 'search'], flaps: 4 },
  })),
  { ...message, order: { ...order, event: 'resolved', resolvedAtMs: sinceMs + 2_520_000 } },
  {
    statusPage: message.statusPage,
    order: {
      ...order,
      id: 'deploy-42:oncall:1',
      incidentId: 'deploy-42',
      event: 'silence-ended',
      atMs: sinceMs + 3_600_000,
      summaries: ['checkout: fails from 3 of 3 locations since 03:12:00 UTC', 'cart: 12 % of requests fail'],
    },
  },
]

const hostileLine = (at: number): string =>
  [
    '\u001b[2J\u001b[H\u001b]0;owned\u0007[ ok ] Service running?',
    'one\r\n[ ok ] Service running? all is well\n\nRESOLVED checkout: it lasted 1 s',
    '\u202eGNIKCATTA \u2066\u200fעברית\u2069 \u200b\u0000\u009b31m\u0085\u2028end',
    `<script>alert("${at}")</script> & '\\" \${x} %s`,
    '👩‍👩‍👧‍👦🇩🇪 漢字かな 🔥\ud800 lone \udfff Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G',
    'x'.repeat(1_000_000),
    `${'ä '.repeat(500_000)}`,
    '',
  ][at % 8] ?? ''

/** Everything a log or a target could say, in every place where it may be said. */
export const hostileMessage = (base: Message): Message => {
  const lines = Array.from({ length: 24 }, (_, at) => hostileLine(at))
  const line = (at: number): string => hostileLine(at)
  const evidence = lines.map((says, at) => ({ says, quote: line(at + 1) }))
  return {
    ...base,
    order: { ...base.order, summaries: lines, affects: lines },
    caseFile: {
      ...caseFile,
      headline: lines.join(' '),
      answers: lines.map((headline, at) => ({
        question: `q${at}`,
        title: line(at + 3),
        verdict: at % 2 === 0 ? 'bad' : 'suspicious',
        headline,
        evidence,
        tookMs: 1,
      })),
      suspects: lines.map((headline, at) => ({
        accused: { kind: 'target', name: line(at) },
        cause: line(at),
        score: at === 0 ? Number.NaN : 1 / at,
        headline,
        for: lines,
        against: lines,
        owner: { team: line(at), role: 'sre', contact: line(at + 2) },
      })),
    },
  }
}

/** What no rendering may hold once it is decoded: controls other than the line feed, bidi marks, lone surrogates. */
export const harmful = /(?!\n)[\p{Cc}\p{Cs}\u2028\u2029\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]/u
