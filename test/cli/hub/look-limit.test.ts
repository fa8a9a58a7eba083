import { expect, test } from '@jest/globals'
import { lookLimit } from '../../../cli/hub/look-limit.ts'

const never = () => new Promise<never>(() => undefined)

test('looks that hang make room for others, though never for more than all that may run', async () => {
  const begun: string[] = []
  const limit = lookLimit({ beginAtOnce: 2, beginsMs: 5, atOnce: 4 })
  const last = Promise.withResolvers<void>()
  const hang = (name: string) => {
    begun.push(name)
    return never()
  }
  void limit(() => hang('a'))
  void limit(() => hang('b'))
  void limit(() => hang('c'))
  const quick = limit(async () => {
    begun.push('quick')
    return 'seen'
  })
  expect(begun.length).toBeLessThanOrEqual(2)
  expect(await quick).toBe('seen')
  void limit(() => hang('d'))
  void limit(async () => last.resolve())
  const ended = await Promise.race([last.promise, new Promise((resolve) => setTimeout(resolve, 50, 'still waits'))])
  expect(begun).toEqual(['a', 'b', 'c', 'quick', 'd'])
  expect(ended).toBe('still waits')
})

test('a look that fails is told to who asked for it, and holds up nobody', async () => {
  const limit = lookLimit({ beginAtOnce: 1, beginsMs: 10_000, atOnce: 1 })
  const failed = limit(async () => {
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  expect(await limit(async () => 'seen')).toBe('seen')
})
