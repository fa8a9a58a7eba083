import { expect, test } from '@jest/globals'
import { publishLane } from '../../../cli/hub/publish-lane.ts'

test('rows of one second share a page, and each is either in it or comes again', async () => {
  const clock = { nowMs: 10_000 }
  const pages: string[][] = []
  const { consume } = publishLane(
    async (...rowIds) => pages.push(rowIds),
    () => clock.nowMs,
  )
  expect(await consume(['a', 'b'])).toEqual([])
  clock.nowMs += 400
  expect(await consume(['c'])).toEqual([{ rowId: 'c', afterMs: 600 }])
  clock.nowMs += 600
  expect(await consume(['c'])).toEqual([])
  clock.nowMs -= 3_600_000
  expect(await consume(['d'])).toEqual([])
  expect(pages).toEqual([['a', 'b'], ['c'], ['d']])
})
