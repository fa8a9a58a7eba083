import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import type { Sample } from '../../../sources/contract.ts'
import { createNameFilter } from '../../../sources/exposition/name-filter.ts'
import type { ExpositionForm } from '../../../sources/exposition/number.ts'
import { createExpositionReader } from '../../../sources/exposition/reader.ts'
import { runExpositionSuite } from '../../conformance/exposition.ts'

const shared = fileURLToPath(new URL('../../../../shared/fixtures/', import.meta.url))
const expositions = join(shared, 'exposition')
const sharedTest = existsSync(expositions) ? test : test.skip

const filesUnder = (folder: string): string[] =>
  !existsSync(folder)
    ? []
    : readdirSync(folder).flatMap((name) => {
        const path = join(folder, name)
        return statSync(path).isDirectory() ? filesUnder(path) : [path]
      })

const readBytes = (bytes: Buffer, form: ExpositionForm = 'text') => {
  const samples: Sample[] = []
  const onSample = (sample: Sample) => samples.push(sample)
  const reader = createExpositionReader({ filter: createNameFilter('all'), onSample, form })
  for (let at = 0; at < bytes.length; at += 1000) reader.push(bytes.subarray(at, at + 1000))
  return { samples, problem: reader.end().problem }
}

const sampleLines = (text: string): string[] =>
  text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** The line's start as an exporter writes it: labels in their order, empty ones left out. */
const written = ({ name, labels }: Sample): string => {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`)
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
}

/** The same of the line as it stood, for lines written the plain way all exporters here write. */
const asWritten = (line: string): string =>
  line
    .slice(
      0,
      line.includes('}')
        ? line.lastIndexOf('}', line.includes(' # {') ? line.indexOf(' # {') : undefined) + 1
        : line.indexOf(' '),
    )
    .replace(/(?<=[{,])[a-zA-Z_]\w*="",?/g, '')
    .replace(/,?\}$/, '}')
    .replace('{}', '')
    .replaceAll(/(?<!\\)", (?=\w+=")/g, '",')

const textFiles = [
  'prometheus-textparse',
  'promtool',
  'kube-state-metrics',
  'linkerd',
  'cadvisor',
  'node_exporter',
  'blackbox-probes',
]
  .flatMap((folder) => filesUnder(join(expositions, folder)))
  .filter((path) => !/\.om\.txt$|openmetrics/.test(path))

sharedTest('every exposition of a real exporter is read whole, its labels as they were written', () => {
  expect(textFiles.length).toBeGreaterThan(150)
  for (const path of textFiles) {
    const bytes = readFileSync(path)
    const text = bytes.toString('utf8')
    // Some were lifted from test code and lack the last line break.
    const { samples, problem } = readBytes(text.endsWith('\n') ? bytes : Buffer.from(`${text}\n`))
    const lines = sampleLines(text)
    const file = relative(expositions, path)
    expect({ file, problem, samples: samples.length }).toEqual({ file, problem: undefined, samples: lines.length })
    expect(samples.map(written)).toEqual(lines.map((line) => asWritten(line.trim())))
  }
})

sharedTest('the number of samples is what promtool counts', () => {
  const verdicts = readFileSync(join(expositions, 'PROMTOOL-VERDICTS.tsv'), 'utf8').split('\n')
  const counted = verdicts.flatMap((line) => {
    const [file, verdict, count] = line.split('\t')
    return file && verdict === 'parses' ? [{ file, count: Number.parseInt(count ?? '', 10) }] : []
  })
  expect(counted.length).toBeGreaterThan(150)
  for (const { file, count } of counted) {
    const text = readFileSync(join(expositions, file), 'utf8')
    expect({ file, count: readBytes(Buffer.from(`${text}\n`)).samples.length }).toEqual({ file, count })
  }
})

sharedTest.each(['prometheus-textparse/alltypes.5mfs.om.txt', 'promtool/dump-openmetrics-test.prom'])(
  'the OpenMetrics exposition %s is read whole',
  (file) => {
    const bytes = readFileSync(join(expositions, file))
    const { samples, problem } = readBytes(bytes, 'openmetrics')
    expect(problem).toBeUndefined()
    expect(samples).toHaveLength(sampleLines(bytes.toString('utf8')).length)
  },
)

sharedTest('every OpenMetrics case is taken or refused as it should be, wherever it is cut', () => {
  const { passed, failures } = runExpositionSuite(join(expositions, 'openmetrics-parsers'))
  expect(failures).toEqual([])
  expect(passed).toBeGreaterThan(130)
})

sharedTest('the good OpenMetrics cases are read as text', () => {
  const folder = join(expositions, 'openmetrics-parsers')
  const good = readdirSync(folder).filter((name) => !name.startsWith('bad_'))
  expect(good.length).toBeGreaterThan(20)
  for (const name of good) {
    const bytes = readFileSync(join(folder, name, 'metrics'))
    const { samples, problem } = readBytes(bytes, 'text')
    const lines = sampleLines(bytes.toString('utf8'))
    expect({ name, problem, samples: samples.length }).toEqual({ name, problem: undefined, samples: lines.length })
  }
})

sharedTest.each(['s01', 's07', 's14'])('what a real cluster said in scene %s is read whole', (scene) => {
  const files = filesUnder(join(shared, 'kube/real-cluster', scene, 'kube-state-metrics'))
  expect(files).toHaveLength(6)
  for (const path of files) {
    const bytes = gunzipSync(readFileSync(path))
    const { samples, problem } = readBytes(bytes)
    const lines = sampleLines(bytes.toString('utf8'))
    expect(problem).toBeUndefined()
    expect(samples.length).toBe(lines.length)
    expect(samples.map(written)).toEqual(lines.map(asWritten))
  }
})
