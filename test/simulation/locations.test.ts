import { expect, test } from '@jest/globals'
import { playTown, playTowns, timeoutMs } from './locations.ts'

const towns = Number(process.env['WHODUNIT_TOWNS'] ?? 300)

test(`${towns} towns with loss, a region cut off and a flapping target: no false page, none missed, all in time`, async () => {
  const figures = await playTowns(towns)
  expect(figures.falsePages).toEqual([])
  expect(figures.missedOutages).toEqual([])
  expect(Math.max(...figures.detectionsMs)).toBeLessThanOrEqual(5000 + timeoutMs)
  expect(figures.detectionsMs.length).toBeGreaterThan(towns)
  expect(figures.lostAttempts).toBeGreaterThan(towns)
  expect(figures.secondOpinions).toBeGreaterThan(towns)
}, 120_000)

test('a seed plays the same town again', async () => {
  const [first, second] = [await playTown(7), await playTown(7)]
  expect(second.told).toEqual(first.told)
  expect(second.attempts).toEqual(first.attempts)
})
