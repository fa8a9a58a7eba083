import type { Service } from '../../config/contract.ts'
import type { LogLine, LogReading, Reading, Sample } from '../../sources/contract.ts'
import type { Brief, Testimony, Witnesses } from '../../triage/contract.ts'

/** One scrape of one source: lines of the text format, or samples. */
export type Scraped = { atMs: number; samples: readonly Sample[] }

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/

/** Enough of the text format for hand-made series and kube-state-metrics; `keep` says which names are wanted. */
export const parse = (text: string, keep: (name: string) => boolean = () => true): Sample[] =>
  text.split('\n').flatMap((each): Sample[] => {
    const [, name, labels = '', value] = line.exec(each.trim()) ?? []
    if (name === undefined || value === undefined || !keep(name)) return []
    const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [
      key,
      text,
    ])
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }]
  })

const seriesKey = ({ name, labels }: Sample) =>
  JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])

/** What a witness says at the last scrape, remembering the earlier ones. */
export const testimonyOf = (scrapes: readonly Scraped[], extra: Partial<Testimony> = {}): Testimony => {
  const earlier = scrapes.slice(0, -1)
  const now = scrapes.at(-1) ?? { atMs: 0, samples: [] }
  const past = new Map<string, { atMs: number; value: number }[]>()
  const last = new Map<string, Sample>()
  for (const { atMs, samples } of earlier)
    for (const sample of samples) {
      const key = seriesKey(sample)
      past.set(key, [...(past.get(key) ?? []), { atMs, value: sample.value }])
      last.set(key, sample)
    }
  for (const sample of now.samples) last.delete(seriesKey(sample))
  const [oldest] = earlier
  return {
    atMs: now.atMs,
    samples: now.samples,
    before: (sample) => past.get(seriesKey(sample)) ?? [],
    gone: [...last.values()],
    ...(oldest && { windowFromMs: oldest.atMs }),
    ...extra,
  }
}

export const noon = Date.parse('2026-11-23T12:00:00Z')
export const minute = 60_000

export const briefAbout = (service: string, extra: Partial<Brief> = {}): Brief => ({
  incidentId: 'i1',
  service,
  severity: 'page',
  sinceMs: noon,
  summaries: ['the shop answers 500'],
  ...extra,
})

export const serviceIn = (namespace: string, workload: string, extra: Partial<Service> = {}): Service => ({
  dependsOn: [],
  runsIn: { cluster: 'town', namespace, workload },
  ...extra,
})

type Said = {
  nowMs?: number
  services?: Readonly<Record<string, Service>>
  outcomes?: Witnesses['outcomes']
  series?: Readonly<Record<string, Testimony | string>>
  lines?: readonly LogLine[] | string
  truncated?: boolean | undefined
}

const read = (value: Testimony | string | undefined, missing: string): Reading<Testimony> =>
  value === undefined || typeof value === 'string'
    ? { status: 'unreadable', why: value ?? missing }
    : { status: 'read', value }

/** Witnesses that say what the test tells them; a text instead of a testimony is why it cannot be read. */
export const witnessesWho = (said: Said): Witnesses => ({
  nowMs: () => said.nowMs ?? noon + minute,
  services: said.services ?? {},
  outcomes: said.outcomes ?? [],
  series: async (kind) => read(said.series?.[kind], `no ${kind} source is configured for this cluster`),
  logs: async (_cluster, namespace, { sinceMs, untilMs, limit = 2000, workloads = [''] }) => {
    if (typeof said.lines === 'string') return { status: 'unreadable', why: said.lines }
    if (!said.lines) return { status: 'unreadable', why: 'no loki source is configured for this cluster' }
    const lines = said.lines
      .filter(({ atMs, labels }) => labels['namespace'] === namespace && atMs >= sinceMs && atMs < untilMs)
      .filter(({ labels }) => workloads.some((name) => labels['pod']?.startsWith(name)))
      .sort((a, b) => b.atMs - a.atMs)
    const value: LogReading = { lines: lines.slice(0, limit), truncated: said.truncated ?? lines.length >= limit }
    return { status: 'read', value }
  },
})
