const ignore = () => undefined

/** Syncs that are shared: whoever comes while one runs waits for the next, which covers all that was written before it. */
export type GroupSync = {
  /** Resolves when a sync that began after this call has ended; rejects when that one failed. */
  durable: () => Promise<void>
  /** Resolves when none runs or is waited for. */
  idle: () => Promise<void>
}

/** One slow `sync` at a time for any number of callers. */
export const groupSync = (sync: () => Promise<void>): GroupSync => {
  let last: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  const begin = () => {
    next = undefined
    return sync()
  }
  return {
    durable: () => {
      if (!next) {
        next = last.catch(ignore).then(begin)
        last = next
      }
      return next
    },
    idle: async () => {
      for (let seen: Promise<void> | undefined; seen !== last; ) {
        seen = last
        await seen.catch(ignore)
      }
    },
  }
}
