import { expect, test } from '@jest/globals'
import { tableLines } from '../../cli/table.ts'

const row = { monitor: 'front', verdict: 'fail', took: '12 ms', cause: 'assert: expected 2xx,\u001b[2J saw 500' }

test.each([40, 60, 80, 200])('every line fits a terminal of %d columns', (width) => {
  const lines = tableLines([row, { ...row, monitor: 'a-monitor-with-quite-a-long-name-for-a-row' }], {
    width,
    colour: false,
  })
  expect(lines.every((line) => line.length <= width)).toBe(true)
})

test('a target cannot move the cursor', () => {
  expect(tableLines([row], { width: 100, colour: false }).join('')).not.toContain('\u001b')
})

test('colour is never the only sign', () => {
  expect(tableLines([row], { width: 100, colour: true })[0]).toContain('✕ fail')
})
