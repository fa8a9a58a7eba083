import { expect, test } from '@jest/globals'
import type { Accused, Clue } from '../../triage/contract.ts'
import { accusationThreshold, type ClueKind, clueKinds, nameSuspects } from '../../triage/suspects.ts'
import { briefAbout, minute, noon, serviceIn } from './witness-stand.ts'

const services = {
  front: serviceIn('shop', 'front', { dependsOn: ['back'], owner: { team: 'a', role: 'developers' } }),
  back: serviceIn('shop', 'back', { runbook: 'https://runbooks.example/back' }),
}
const workload = (name: string, part?: string): Accused => ({
  kind: 'workload',
  cluster: 'town',
  namespace: 'shop',
  name,
  ...(part && { part }),
})
const clue = (name: string, kind: ClueKind, extra: Partial<Clue> & { part?: string } = {}): Clue => {
  const { part, ...rest } = extra
  return { about: workload(name, part), kind, says: kind, service: name, ...rest }
}
const name = (...clues: Clue[]) => nameSuspects(clues, { brief: briefAbout('front'), services, nowMs: noon + minute })

test('no clue, no suspect', () => expect(name()).toEqual([]))

test('a clue too weak by itself names nobody', () => {
  expect(name(clue('back', 'rollout'))).toEqual([])
  expect(name(clue('back', 'new-errors-in-logs'))).toEqual([])
})

test('weak clues about one thing add up, each kind once', () => {
  const [suspect] = name(clue('back', 'rollout'), clue('back', 'new-errors-in-logs'), clue('back', 'rollout'))
  expect(suspect?.score).toBeCloseTo(1 - 0.7 * 0.65, 4)
  expect(suspect?.for).toEqual(['rollout', 'new-errors-in-logs'])
})

test('weak clues about different things do not', () => {
  expect(name(clue('back', 'rollout'), clue('front', 'new-errors-in-logs'))).toEqual([])
})

test('the suspect bears its service’s owner and runbook', () => {
  const [front] = name(clue('front', 'out-of-memory'))
  expect(front).toMatchObject({ service: 'front', owner: { team: 'a' }, cause: 'out-of-memory' })
  expect(front?.headline).toBe('front: out-of-memory')
  const [back] = name(clue('back', 'out-of-memory'))
  expect(back).toMatchObject({ runbook: 'https://runbooks.example/back' })
})

test('who depends on the guilty and shows only symptoms is let go', () => {
  const suspects = name(clue('front', 'readiness-failing'), clue('back', 'crash-loop'))
  expect(suspects.map(({ accused }) => accused.name)).toEqual(['back'])
})

test('who has a cause of its own is not', () => {
  const suspects = name(clue('front', 'out-of-memory'), clue('back', 'crash-loop'))
  expect(suspects.map(({ accused }) => accused.name)).toEqual(['front', 'back'])
  expect(suspects[0]?.against).toEqual([])
})

test('of two that crash, the one the other needs comes first', () => {
  const suspects = name(clue('front', 'crash-loop'), clue('back', 'crash-loop'))
  expect(suspects.map(({ accused }) => accused.name)).toEqual(['back', 'front'])
  expect(suspects[1]?.against).toEqual(['it needs back, which is in trouble itself'])
})

test('a dependency that broke long after the symptom is no excuse', () => {
  const suspects = name(
    clue('front', 'readiness-failing', { atMs: noon }),
    clue('back', 'crash-loop', { atMs: noon + 4 * minute }),
  )
  expect(suspects.find(({ accused }) => accused.name === 'front')?.against).toEqual([])
})

test('what began only after the incident weighs less, and says so', () => {
  const [early] = name(clue('back', 'crash-loop', { atMs: noon - minute }))
  const [late] = name(clue('back', 'crash-loop', { atMs: noon + 5 * minute }))
  expect(late?.score).toBeLessThan(early?.score ?? 0)
  expect(late?.against[0]).toContain('after the incident')
})

test('what speaks against can clear', () => {
  expect(name(clue('front', 'failing-traffic'), clue('front', 'failing-downstream'))).toEqual([])
})

test('a failing route is named with its route, and what is known of the whole supports it', () => {
  const suspects = name(clue('back', 'failing-route', { part: 'Vote' }), clue('back', 'new-errors-in-logs'))
  expect(suspects).toHaveLength(1)
  expect(suspects[0]?.accused.part).toBe('Vote')
  expect(suspects[0]?.score).toBeCloseTo(1 - 0.25 * 0.65, 4)
})

test('a route that fails because its container dies is the container’s case', () => {
  const suspects = name(clue('back', 'failing-route', { part: 'Vote' }), clue('back', 'out-of-memory'))
  expect(suspects).toHaveLength(1)
  expect(suspects[0]).toMatchObject({ cause: 'out-of-memory', accused: workload('back') })
})

test('workloads of one name in two clusters are two suspects', () => {
  const there = { ...clue('back', 'crash-loop'), about: { ...workload('back'), cluster: 'village' } }
  expect(name(clue('back', 'crash-loop'), there)).toHaveLength(2)
})

test('the order of the clues makes no difference', () => {
  const clues = [
    clue('back', 'crash-loop', { atMs: noon }),
    clue('front', 'readiness-failing', { atMs: noon }),
    clue('front', 'out-of-memory', { atMs: noon }),
    clue('other', 'crash-loop', { atMs: noon }),
  ]
  const order = (given: Clue[]) => name(...given).map(({ accused, score }) => [accused.name, score])
  expect(order([...clues].reverse())).toEqual(order(clues))
})

test('a clue of a kind nobody knows weighs nothing', () => {
  expect(name({ ...clue('back', 'crash-loop'), kind: 'hearsay' })).toEqual([])
})

test('every weight is a chance, and only causes accuse strongly without a symptom', () => {
  for (const { weight, role } of Object.values(clueKinds)) {
    expect(Math.abs(weight)).toBeLessThan(1)
    expect(weight < 0).toBe(role === 'against')
  }
  expect(accusationThreshold).toBeGreaterThan(clueKinds['new-errors-in-logs'].weight)
})
