import { expect, test } from '@jest/globals'
import { amount, counted, dollars, priceEach } from '../../cost/words.ts'

test.each([
  { usd: 1039.47, text: '$1,039' },
  { usd: 41.618, text: '$41.62' },
  { usd: 0.999, text: '$1.00' },
  { usd: 0.0168, text: '$0.017' },
  { usd: 0.000_42, text: '$0.00042' },
  { usd: 0.000_000_034_2, text: '$0.000000034' },
  { usd: 0, text: '$0.00' },
  { usd: -2.5, text: '-$2.50' },
])('$usd dollars read $text', ({ usd, text }) => expect(dollars(usd)).toBe(text))

test.each([
  { usd: 0.000_000_625, text: '$0.625 a million' },
  { usd: 0.000_013_333_4, text: '$13.33 a million' },
  { usd: 0.000_000_4, text: '$0.40 a million' },
  { usd: 0.3, text: '$0.30' },
  { usd: 0.0324, text: '$0.0324' },
])('a price of $usd reads $text', ({ usd, text }) => expect(priceEach(usd)).toBe(text))

test('quantities never read as nothing either', () => {
  expect([amount(2_628_000), amount(43_800), amount(20), amount(0.569), amount(0.000_001_1)]).toEqual([
    '2.63 million',
    '43,800',
    '20',
    '0.57',
    '0.0000011',
  ])
  expect([counted(1, 'monitor'), counted(1200, 'monitor')]).toEqual(['1 monitor', '1,200 monitors'])
})
