/** Chunks cut anywhere, put together into blocks of whole lines. */
export type LineBlocks = {
  push: (chunk: Buffer) => void
  /** The start of the last line, when its line break never came. */
  rest: () => Buffer
}

export type LineBlockOptions = {
  lineBytes: number
  /** Whole lines, each with its line break. The bytes are only lent. False: nothing more is wanted. */
  onBlock: (block: Buffer) => boolean
  /** A line is over its limit, and its end is not even there. */
  onTooLong: (start: Buffer) => void
}

const newline = 0x0a
/** Small enough to stay in the processor's caches, large enough that the work around it does not count. */
const blockBytes = 64 * 1024

type State = LineBlockOptions & { carry: Buffer; carried: number; stopped: boolean }

/** Puts bytes behind the carried start of a line. Grows by doubling: one-byte chunks must not cost a copy each. */
const carryOn = (state: State, bytes: Buffer): void => {
  const wanted = state.carried + bytes.length
  if (wanted > state.carry.length) {
    const grown = Buffer.allocUnsafe(Math.max(1024, wanted, state.carry.length * 2))
    state.carry.copy(grown, 0, 0, state.carried)
    state.carry = grown
  }
  bytes.copy(state.carry, state.carried)
  state.carried = wanted
}

/** The line that began with what is carried goes on here, and is too long. */
const stopTooLong = (state: State, more: Buffer): void => {
  carryOn(state, more.subarray(0, Math.max(0, state.lineBytes - state.carried)))
  state.stopped = true
  state.onTooLong(state.carry.subarray(0, state.carried))
}

/** Ends the carried line with the chunk's first line break. Returns where the chunk goes on. */
const endCarried = (state: State, chunk: Buffer): number => {
  if (state.carried === 0) return 0
  const end = chunk.indexOf(newline)
  if (end === -1) return 0
  if (state.carried + end > state.lineBytes) {
    stopTooLong(state, chunk)
    return 0
  }
  carryOn(state, chunk.subarray(0, end + 1))
  const block = state.carry.subarray(0, state.carried)
  state.carried = 0
  state.stopped = !state.onBlock(block)
  return end + 1
}

const blockEnd = (chunk: Buffer, start: number): number => {
  const last = chunk.lastIndexOf(newline, Math.min(start + blockBytes, chunk.length) - 1)
  return last >= start ? last : chunk.indexOf(newline, start)
}

const pushChunk = (state: State, chunk: Buffer): void => {
  let start = endCarried(state, chunk)
  while (!state.stopped && state.carried === 0 && start < chunk.length) {
    const end = blockEnd(chunk, start)
    if (end === -1) break
    state.stopped = !state.onBlock(chunk.subarray(start, end + 1))
    start = end + 1
  }
  if (state.stopped || start >= chunk.length) return
  const rest = chunk.subarray(start)
  if (state.carried + rest.length <= state.lineBytes) carryOn(state, rest)
  else stopTooLong(state, rest)
}

export const createLineBlocks = (options: LineBlockOptions): LineBlocks => {
  const state: State = { ...options, carry: Buffer.alloc(0), carried: 0, stopped: false }
  return {
    push: (chunk) => {
      if (!state.stopped) pushChunk(state, chunk)
    },
    rest: () => state.carry.subarray(0, state.carried),
  }
}
