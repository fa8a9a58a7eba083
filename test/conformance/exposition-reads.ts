import { isUtf8 } from 'node:buffer'
import type { Sample, Selector } from '../../sources/contract.ts'
import { parseComment } from '../../sources/exposition/comment-line.ts'
import { withTargetLabels } from '../../sources/exposition/label-text.ts'
import { createNameFilter } from '../../sources/exposition/name-filter.ts'
import type { ExpositionForm } from '../../sources/exposition/number.ts'
import { createExpositionReader, type ReaderOptions } from '../../sources/exposition/reader.ts'
import { createLineParser, isFault } from '../../sources/exposition/sample-line.ts'

/** Small limits, so that inputs of a few lines reach them. */
export const limits = { lineBytes: 300, labels: 6, series: 40, bytes: 4000 }
const targetLabels = { cluster: 'east', a: 'added' }

export const chunksOf = (bytes: Buffer, at: readonly number[]): Buffer[] => {
  const places = [0, ...[...at].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, n) => bytes.subarray(places[n], end))
}

type Read = { samples: Sample[]; end: ReturnType<ReturnType<typeof createExpositionReader>['end']> }

export const read = (
  chunks: readonly Buffer[],
  keep: readonly Selector[] | 'all',
  options: Partial<ReaderOptions> = {},
): Read => {
  const samples: Sample[] = []
  const reader = createExpositionReader({
    filter: createNameFilter(keep),
    onSample: (sample) => samples.push(sample),
    limits,
    targetLabels,
    exemplars: true,
    ...options,
  })
  for (const chunk of chunks) reader.push(chunk)
  return { samples, end: reader.end() }
}

/**
 * The samples up to the first problem as a plain loop over lines finds them, with nothing but the exact parser of
 * lines. Counts no limits but that of labels.
 */
export const readSlowly = (bytes: Buffer, form: ExpositionForm): Sample[] => {
  const parse = createLineParser({ form, labelLimit: limits.labels })
  const samples: Sample[] = []
  for (let start = 0, end = bytes.indexOf(10); end !== -1; start = end + 1, end = bytes.indexOf(10, start)) {
    const lineBytes = bytes.subarray(start, end)
    const written = lineBytes.toString('utf8')
    const trimmed = form === 'text' ? written.replace(/^[ \t]+/, '') : written
    if (trimmed.startsWith('#')) {
      const comment = parseComment(trimmed, form)
      if ('expected' in comment || comment.says === 'end') break
      if (comment.says !== 'other' && !isUtf8(lineBytes)) break
    } else if (form === 'openmetrics' || !/^[ \t]*$/.test(written)) {
      const parsed = isUtf8(lineBytes) ? parse(written) : undefined
      if (parsed === undefined || isFault(parsed)) break
      const { timestamp: _, ...rest } = parsed
      samples.push({ ...rest, labels: withTargetLabels(parsed.labels, Object.entries(targetLabels)) })
    }
  }
  return samples
}
