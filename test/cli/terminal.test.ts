import { expect, test } from '@jest/globals'
import { liveLines, type Row } from '../../cli/table.ts'

const rows: Row[] = Array.from({ length: 30 }, (_, at) => ({
  monitor: `monitor-${at}`,
  verdict: at === 29 ? 'fail' : 'pass',
  took: '12 ms',
  since: 'for 3 min 20 s',
  cause: at === 29 ? 'assert: expected status 200, saw 500 (assert-status)' : '',
}))
const incidents = ['shop open for 20 s: 84 % cart: out of memory,\u001b[2J five restarts since 06:30:00 UTC']

test.each([40, 80, 200])('the live table fits a terminal of %d columns and 24 lines', (width) => {
  const lines = liveLines({ rows, incidents }, { width, height: 22, colour: false })
  expect(lines.length).toBeLessThanOrEqual(22)
  expect(lines.every((line) => line.length <= width)).toBe(true)
  expect(lines.join('')).not.toContain('\u001b')
})

test('what fails, its cause and the suspect are seen even where not everything fits', () => {
  const text = liveLines({ rows, incidents }, { width: 80, height: 8, colour: false }).join('\n')
  expect(text).toContain('monitor-29  ✕ fail')
  expect(text).toContain('for 3 min 20 s  assert: expected status')
  expect(text).toContain('… and 26 more monitors\n✕ shop open for 20 s: 84 % cart: out of memory')
})

test('a narrow terminal shows the cause before anything else', () => {
  const [, , line] = liveLines({ rows: rows.slice(28), incidents: [] }, { width: 50, height: 20, colour: false })
  expect(line).toBe('monitor-29  ✕ fail      assert: expected status 2…')
})

test('no incident is said, not left to be guessed', () => {
  expect(liveLines({ rows: [], incidents: [] }, { width: 80, height: 20, colour: false })).toContain(
    'no open incidents',
  )
})
