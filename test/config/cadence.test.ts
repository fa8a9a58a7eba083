import { expect, test } from '@jest/globals'
import { cadenceOf } from '../../config/cadence.ts'

test.each([
  { period: 1, expression: 'cron(* * * * ? *)', every: 60 },
  { period: 59, expression: 'cron(* * * * ? *)', every: 60 },
  { period: 60, expression: 'cron(* * * * ? *)', every: 60 },
  { period: 90, expression: 'cron(* * * * ? *)', every: 60 },
  { period: 300, expression: 'cron(0/5 * * * ? *)', every: 300 },
  { period: 420, expression: 'cron(* * * * ? *)', every: 60 },
  { period: 1800, expression: 'cron(0/30 * * * ? *)', every: 1800 },
  { period: 3600, expression: 'cron(0 0/1 * * ? *)', every: 3600 },
  { period: 5 * 3600, expression: 'cron(* * * * ? *)', every: 60 },
  { period: 43_200, expression: 'cron(0 0/12 * * ? *)', every: 43_200 },
  { period: 86_400, expression: 'cron(0 0 * * ? *)', every: 86_400 },
])('every $period s: $expression', ({ period, expression, every }) => {
  expect(cadenceOf(period)).toEqual({ expression, everySeconds: every })
})

/** Minutes of a day at which `cron(minute hour * * ? *)` fires. */
const firings = (expression: string) => {
  const [minute = '', hour = ''] = expression.replace('cron(', '').split(' ')
  const matches = (field: string, value: number) => {
    const [start = '', step] = field.split('/')
    if (start === '*') return true
    return step === undefined ? value === Number(start) : (value - Number(start)) % Number(step) === 0
  }
  return Array.from({ length: 1440 }, (_, at) => at).filter(
    (at) => matches(minute, at % 60) && matches(hour, Math.floor(at / 60)),
  )
}

test('for every period there may be, its schedule fires on every multiple of what it says it does', () => {
  for (let period = 1; period <= 86_400; period++) {
    const { expression, everySeconds } = cadenceOf(period)
    if (everySeconds === 60) expect(expression).toBe('cron(* * * * ? *)')
    else {
      expect(everySeconds).toBe(period)
      const due = Array.from({ length: 86_400 / period }, (_, index) => (index * period) / 60)
      expect(firings(expression)).toEqual(due)
    }
  }
})
