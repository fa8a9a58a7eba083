import { closeSync, createReadStream, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { Selector } from '../../sources/contract.ts'
import { createNameFilter } from '../../sources/exposition/name-filter.ts'
import { createExpositionReader } from '../../sources/exposition/reader.ts'

/** One way of reading the file, run in a child process of its own: `node exposition-reads.ts '{…}'`. */
export type ReadCase = {
  file: string
  encoding: 'identity' | 'gzip' | 'zstd'
  keep: readonly Selector[] | 'all'
  parser: 'whodunit' | 'npm'
  reads: number
}
/** CPU milliseconds of each read, the first one cold; memory above the baseline after that first read. */
export type ReadFigures = { cpuMs: number[]; rssMiB: number; kept: number; seen: number }

const chunkSize = 256 * 1024

/** The piece is used again, so that memory measured is the reader's. */
const pieces = function* (file: string): Generator<Buffer, void, undefined> {
  const descriptor = openSync(file, 'r')
  const piece = Buffer.allocUnsafe(chunkSize)
  try {
    for (let length = 1; length > 0; ) {
      length = readSync(descriptor, piece, 0, piece.length, null)
      if (length > 0) yield piece.subarray(0, length)
    }
  } finally {
    closeSync(descriptor)
  }
}

const chunks = ({ file, encoding }: ReadCase): Iterable<Buffer> | AsyncIterable<Buffer> => {
  if (encoding === 'identity') return pieces(file)
  const unpack = encoding === 'gzip' ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize })
  return createReadStream(file, { highWaterMark: chunkSize }).pipe(unpack)
}

const readOurs = async (read: ReadCase): Promise<{ kept: number; seen: number }> => {
  // What a scrape keeps, it holds until it is done; a full parse only hands on.
  const kept: unknown[] = []
  const reader = createExpositionReader({
    filter: createNameFilter(read.keep),
    onSample: read.keep === 'all' ? () => undefined : (sample) => kept.push(sample),
    limits: { series: 1_000_000 },
  })
  for await (const chunk of chunks(read)) reader.push(chunk)
  const end = reader.end()
  if (end.status !== 'complete') throw new Error(end.problem.expected)
  return { kept: end.kept, seen: end.seriesSeen }
}

type NpmFamily = { metrics: unknown[] }
const parseWithNpm: (text: string) => NpmFamily[] = createRequire(import.meta.url)('parse-prometheus-text-format')

const readNpm = (file: string): { kept: number; seen: number } => {
  const seen = parseWithNpm(readFileSync(file, 'utf8')).reduce((sum, { metrics }) => sum + metrics.length, 0)
  return { kept: seen, seen }
}

const mebibyte = 1024 * 1024

/** Linux' own mark for this process; what `getrusage` tells is inherited from the parent. */
const peakMiB = (): number => {
  const mark =
    existsSync('/proc/self/status') && /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return (mark ? Number(mark) : process.resourceUsage().maxRSS) / 1024
}

const measure = async (read: ReadCase): Promise<ReadFigures> => {
  const baselineMiB = process.memoryUsage.rss() / mebibyte
  const figures: ReadFigures = { cpuMs: [], rssMiB: 0, kept: 0, seen: 0 }
  for (let n = 0; n < read.reads; n++) {
    const before = process.cpuUsage()
    Object.assign(figures, read.parser === 'npm' ? readNpm(read.file) : await readOurs(read))
    const { user, system } = process.cpuUsage(before)
    figures.cpuMs.push((user + system) / 1000)
    if (n === 0) figures.rssMiB = peakMiB() - baselineMiB
  }
  return figures
}

const [argument = ''] = process.argv.slice(2)
console.log(JSON.stringify(await measure(JSON.parse(argument))))
