import * as z from 'zod'
import {
  type Auth,
  type Labels,
  type Reading,
  type Sample,
  type Scrape,
  type Selector,
  type SourceWorld,
  sourceFields,
} from '../contract.ts'
import { type BodySink, readHttp } from '../http.ts'
import { hostAndPort, oneLine } from '../http-errors.ts'
import { SelectorError } from '../selector.ts'
import { createNameFilter, type NameFilter } from './name-filter.ts'
import type { ExpositionForm } from './number.ts'
import { problemSentence } from './problem.ts'
import { createExpositionReader, type ExpositionReader } from './reader.ts'

/** The fields of every source that is read as an exposition. */
export const expositionFields = {
  ...sourceFields,
  /** How large an exposition may be once unpacked; 10,000 pods in kube-state-metrics are about 124 MB. */
  bodyLimitMiB: z.int().min(1).max(4096).default(256),
}

export type ExpositionTarget = {
  url: string
  auth?: Auth | undefined
  caFile?: string | undefined
  labels: Labels
  bodyLimitMiB: number
  /** It may have nothing to tell: a whole exposition without one series is then no fault of it. */
  mayBeEmpty?: boolean
}

/** Prometheus' lookback, open to the left: a value as old as this is not a present one. */
const staleAfterMs = 5 * 60_000
/** And what is further ahead than this it does not take: somebody's clock is wrong. */
const aheadMs = 10 * 60_000

/** Text first: OpenMetrics costs the target more and says nothing more that we read. */
const accept = 'text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5, */*;q=0.1'

const formOf = (contentType: string): Reading<ExpositionForm> => {
  const media = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (media === 'application/openmetrics-text') return { status: 'read', value: 'openmetrics' }
  // Small exporters serve a file as they find it; what it holds decides.
  if (media === '' || media === 'text/plain' || media === 'application/octet-stream') {
    return { status: 'read', value: 'text' }
  }
  return { status: 'unreadable', why: `answered with ${oneLine(media, 60)}, which is no exposition` }
}

/** Collects what was asked for, leaving out samples whose own time is too far from now to speak of it. */
const createCollector = (atMs: number) => {
  const samples: Sample[] = []
  let stale = 0
  const onSample = (sample: Sample): void => {
    const { timestampMs = atMs } = sample
    if (timestampMs <= atMs - staleAfterMs || timestampMs > atMs + aheadMs) stale += 1
    else samples.push(sample)
  }
  return { samples, onSample, stale: () => stale }
}

const filterFor = (keep: readonly Selector[]): Reading<NameFilter> => {
  try {
    return { status: 'read', value: createNameFilter(keep) }
  } catch (error) {
    if (error instanceof SelectorError) return { status: 'unreadable', why: `${error.message} (${error.hint})` }
    throw error
  }
}

type Collector = ReturnType<typeof createCollector>
type Outcome = { atMs: number; bytes: number; incomplete: string | undefined }

const conclude = (
  target: ExpositionTarget,
  { collector, reader }: { collector: Collector; reader: ExpositionReader },
  outcome: Outcome,
): Reading<Scrape> => {
  const { seriesSeen, problem } = reader.end()
  // A connection that was cut explains the half line at its end, not the other way round.
  const reason = outcome.incomplete ?? (problem && problemSentence(problem))
  if (seriesSeen === 0 && (reason !== undefined || !target.mayBeEmpty)) {
    const empty = `${hostAndPort(target.url)} answered with an exposition without a single series`
    return { status: 'unreadable', why: reason ?? empty }
  }
  const stale = collector.stale()
  const allStale = stale > 0 && collector.samples.length === 0
  const incomplete =
    reason ??
    (allStale
      ? `all ${stale} series asked for are not of now by their own time: five minutes old, or ten minutes ahead`
      : undefined)
  const scrape: Scrape = { atMs: outcome.atMs, samples: collector.samples, bytes: outcome.bytes, seriesSeen }
  if (stale > 0) scrape.staleDropped = stale
  if (incomplete !== undefined) scrape.incomplete = incomplete
  return { status: 'read', value: scrape }
}

/**
 * Reads a target's exposition and keeps the series some selector matches, target labels included. `honor_labels: true`
 * applies: a label that was scraped wins over the target's, as federation needs. An exposition that breaks off or has a
 * line that cannot be read is `incomplete`; one without any series (unless it may be empty), or that is none, is `unreadable`.
 */
export const scrapeExposition = async (
  target: ExpositionTarget,
  world: SourceWorld,
  keep: readonly Selector[],
): Promise<Reading<Scrape>> => {
  const filter = filterFor(keep)
  if (filter.status === 'unreadable') return filter
  const place = hostAndPort(target.url)
  const atMs = world.nowMs()
  const collector = createCollector(atMs)
  let reader: ExpositionReader | undefined
  const begin = (contentType: string): Reading<BodySink> => {
    const form = formOf(contentType)
    if (form.status === 'unreadable') return { status: 'unreadable', why: `${place} ${form.why}` }
    const created = createExpositionReader({
      filter: filter.value,
      onSample: collector.onSample,
      form: form.value,
      targetLabels: target.labels,
    })
    reader = created
    return {
      status: 'read',
      value: (chunk) => {
        const problem = created.push(chunk)
        return problem && problemSentence(problem)
      },
    }
  }
  const bodyLimitBytes = target.bodyLimitMiB * 1024 * 1024
  const body = await readHttp(target, world, { accept, begin, bodyLimitBytes })
  if (body.status === 'unreadable') return body
  if (reader === undefined) return { status: 'unreadable', why: `${place} answered without a body` }
  const { bytes, incomplete } = body.value
  return conclude(target, { collector, reader }, { atMs, bytes, incomplete })
}
