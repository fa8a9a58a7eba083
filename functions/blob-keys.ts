import { type Blobs, blobsAtOnce } from '../stores/contract.ts'

/** Every key with a prefix, in their order; those behind `after`, when it is given. */
export async function* keysOf(blobs: Pick<Blobs, 'list'>, prefix: string, first?: string): AsyncGenerator<string> {
  for (let after = first; ; ) {
    const keys = await blobs.list(prefix, { limit: blobsAtOnce, ...(after === undefined ? {} : { after }) })
    yield* keys
    after = keys.at(-1)
    if (after === undefined || keys.length < blobsAtOnce) return
  }
}

/** Work of one round; the next goes on where it ended. */
const deletedAtOnce = 500

/** Deletes some of the keys before `firstKept`, the oldest first. Answers how many; call it again later. */
export const forgetBefore = async (
  blobs: Pick<Blobs, 'list' | 'delete'>,
  at: { prefix: string; firstKept: string; isOurs: (key: string) => boolean },
): Promise<number> => {
  const old: string[] = []
  for await (const key of keysOf(blobs, at.prefix)) {
    if (key >= at.firstKept || old.length === deletedAtOnce) break
    if (at.isOurs(key)) old.push(key)
  }
  if (old.length > 0) await blobs.delete(old)
  return old.length
}
