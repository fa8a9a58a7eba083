/**
 * Label names in the order a line has them, as a path from a root: lines of one family mostly take the same path, so
 * that comparing bytes with the likeliest next step takes the place of reading names.
 */
export type LabelStep = {
  name: string
  /** `name="` as it stands in a line. */
  token: Buffer
  likely: LabelStep | undefined
  /** The value that stood here last. */
  last: string
  others: Map<string, LabelStep>
}

/** So many steps are remembered; what is written in yet another order is read the slow way. */
const stepLimit = 10_000

const equals = 0x3d
const quote = 0x22
const zero = 0x30
const nine = 0x39
const nameLimit = 256

/** Where the label name at `at` ends; `at` itself when there is none. */
const endOfName = (bytes: Buffer, at: number): number => {
  let end = at
  for (; end - at < nameLimit; end++) {
    const code = bytes[end] ?? 0
    const isLetter = (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f
    if (!isLetter && (end === at || code < zero || code > nine)) break
  }
  return end
}

export type LabelPaths = {
  root: LabelStep
  /**
   * The step after `from` for the label at `at`, which is not the likely one. Nothing when the label is not written
   * the plain way or `taken` has it already; the exact parser knows what to say about that.
   */
  follow: (from: LabelStep, bytes: Buffer, at: number, taken: (name: string) => boolean) => LabelStep | undefined
}

export const createLabelPaths = (): LabelPaths => {
  let steps = 0
  const step = (name: string): LabelStep => {
    steps += 1
    return { name, token: Buffer.from(`${name}="`, 'latin1'), likely: undefined, last: '', others: new Map() }
  }
  const root = step('')

  const follow: LabelPaths['follow'] = (from, bytes, at, taken) => {
    const end = endOfName(bytes, at)
    if (end === at || bytes[end] !== equals || bytes[end + 1] !== quote) return undefined
    const name = bytes.toString('latin1', at, end)
    const known = from.others.get(name)
    if (known === undefined && (steps >= stepLimit || name === '__proto__' || taken(name))) return undefined
    const next = known ?? step(name)
    from.others.set(name, next)
    from.likely = next
    return next
  }
  return { root, follow }
}
