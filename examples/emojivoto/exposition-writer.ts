export type Labels = Readonly<Record<string, string>>
export type Sample = { name: string; labels: Labels; value: number; timestampMs?: number }
export type Family = {
  name: string
  type: 'counter' | 'gauge' | 'histogram' | 'untyped'
  /** Prometheus' federation has none. */
  help?: string
  samples: readonly Sample[]
}

/** A float as Go prints it (`%g`, shortest): 1795406415 is `1.795406415e+09`. */
export const goFloat = (value: number): string => {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const [mantissa = '0', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (value === 0 || (exponent >= -4 && exponent < 6)) return String(value)
  const digits = String(Math.abs(exponent)).padStart(2, '0')
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`
}

const escapeValue = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const writeLabels = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const writeSample = ({ name, labels, value, timestampMs }: Sample): string =>
  `${name}${writeLabels(labels)} ${goFloat(value)}${timestampMs === undefined ? '' : ` ${timestampMs}`}\n`

/** The Prometheus text format 0.0.4. */
export const writeFamilies = (families: readonly Family[]): string =>
  families
    .map(({ name, type, help, samples }) => {
      const helpLine = help === undefined ? '' : `# HELP ${name} ${help}\n`
      return `${helpLine}# TYPE ${name} ${type}\n${samples.map(writeSample).join('')}`
    })
    .join('')
