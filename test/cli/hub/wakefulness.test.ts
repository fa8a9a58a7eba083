import { expect, test } from '@jest/globals'
import { asleepMs, turnMs, wakefulness } from '../../../cli/hub/wakefulness.ts'

const startMs = Date.UTC(2026, 10, 23, 6)

test.each([
  { given: 'turns that come', gapsMs: [turnMs, turnMs, turnMs], then: 'the start' },
  { given: 'turns that are late', gapsMs: [turnMs, asleepMs, asleepMs], then: 'the start' },
  { given: 'a turn after a sleep', gapsMs: [turnMs, asleepMs + 1], then: 'now' },
  { given: 'a clock that was set back', gapsMs: [turnMs, -3_600_000, turnMs], then: 'the start' },
  { given: 'a clock that was set forward', gapsMs: [turnMs, 3_600_000], then: 'now' },
])('after $given this process looks since $then', ({ gapsMs, then }) => {
  let nowMs = startMs
  const lookingSinceMs = wakefulness(() => nowMs)
  for (const gapMs of gapsMs) {
    nowMs += gapMs
    lookingSinceMs()
  }
  expect(lookingSinceMs()).toBe(then === 'now' ? nowMs : startMs)
})
