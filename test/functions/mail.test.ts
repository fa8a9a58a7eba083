import { expect, test } from '@jest/globals'
import { pulsesOf, rowsOf } from '../../functions/mail.ts'

test('a batch is its rows, each once and in order, and its newest pulse', () => {
  const batch = [{ rowId: 'b' }, { pulseAtMs: 2 }, { rowId: 'a' }, { pulseAtMs: 9 }, { rowId: 'b' }, { pulseAtMs: 5 }]
  expect(rowsOf(batch)).toEqual(['b', 'a'])
  expect(pulsesOf(batch)).toEqual([9])
  expect([rowsOf([]), pulsesOf([])]).toEqual([[], []])
})
