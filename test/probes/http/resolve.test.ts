import { expect, test } from '@jest/globals'
import { type Family, sharedResolve } from '../../../probes/http/resolve.ts'

const coded = (code: string) => Object.assign(new Error(code), { code })

/** A resolver that answers when it is told to; `asked` are the names that hold a thread of it, and have held one. */
const slowResolver = (atOnce: number) => {
  const asked: string[] = []
  const answers = new Map<string, PromiseWithResolvers<string>>()
  const resolve = sharedResolve((host, family) => {
    asked.push(host)
    const answer = Promise.withResolvers<string>()
    answers.set(`${host} ${family}`, answer)
    return answer.promise
  }, atOnce)
  const look = (host: string, family: Family = 'any') =>
    resolve(host, family).catch((error: { code: string }) => error.code)
  const answerOf = (host: string, family: Family) => answers.get(`${host} ${family}`)
  return {
    asked,
    look,
    answer: (host: string, family: Family = 'any') => answerOf(host, family)?.resolve(`address of ${host} ${family}`),
    refuse: (host: string, code: string) => answerOf(host, 'any')?.reject(coded(code)),
  }
}
type SlowResolver = ReturnType<typeof slowResolver>

/** Looks up a name whose look-up ends with the code. */
const ends = async ({ look, refuse }: SlowResolver, host: string, code: string) => {
  const seen = look(host)
  refuse(host, code)
  expect(await seen).toBe(code)
}

test('whoever asks for a name that is being looked up waits for the same answer', async () => {
  const { look, answer, asked } = slowResolver(2)
  const seen = [look('shop.example'), look('shop.example'), look('shop.example', 'v6')]
  expect(asked).toEqual(['shop.example', 'shop.example'])
  answer('shop.example')
  answer('shop.example', 'v6')
  const any = 'address of shop.example any'
  expect(await Promise.all(seen)).toEqual([any, any, 'address of shop.example v6'])
})

test('an answer is nobody’s who asks later', async () => {
  const { look, answer, asked } = slowResolver(2)
  for (const _ of [1, 2]) {
    const seen = look('shop.example')
    answer('shop.example')
    await seen
  }
  expect(asked).toHaveLength(2)
})

test('a name that hangs holds one look-up, however often it is tried', () => {
  const { look, asked } = slowResolver(2)
  for (let attempt = 0; attempt < 5; attempt++) void look('dead.example')
  expect(asked).toEqual(['dead.example'])
})

test.each(['EAI_AGAIN', 'ESERVFAIL', 'ETIMEOUT'])(
  'names that had no answer the last time (%s) wait for each other and hold up no other one',
  async (code) => {
    const resolver = slowResolver(2)
    const { look, asked, answer } = resolver
    const dead = ['dead-0', 'dead-1', 'dead-2', 'dead-3']
    for (const host of dead) await ends(resolver, host, code)
    asked.length = 0
    for (const host of dead) void look(host)
    const seen = look('shop.example')
    expect(asked.slice(-1)).toEqual(['shop.example'])
    answer('shop.example')
    expect(await seen).toBe('address of shop.example any')
    expect(asked.filter((host) => host.startsWith('dead'))).toEqual(['dead-0', 'dead-1'])
  },
)

test('all names have their turn once the resolver is back', async () => {
  const resolver = slowResolver(1)
  const names = ['a.example', 'b.example', 'c.example']
  for (const name of names) await ends(resolver, name, 'EAI_AGAIN')
  const seen = names.map((name) => resolver.look(name))
  for (const name of names) {
    await new Promise(setImmediate)
    resolver.answer(name)
  }
  expect(await Promise.all(seen)).toEqual(names.map((name) => `address of ${name} any`))
})

test.each([
  { given: 'an address', end: ({ answer }: SlowResolver) => answer('shop.example') },
  { given: 'that there is no such name', end: ({ refuse }: SlowResolver) => refuse('shop.example', 'ENOTFOUND') },
  { given: 'that it has no such address', end: ({ refuse }: SlowResolver) => refuse('shop.example', 'ENODATA') },
])('who was answered with $given waits for nobody the next time', async ({ end }) => {
  const resolver = slowResolver(1)
  const { look, asked } = resolver
  for (const host of ['dead.example', 'shop.example']) await ends(resolver, host, 'EAI_AGAIN')
  const seen = look('shop.example')
  await new Promise(setImmediate)
  end(resolver)
  await seen
  void look('dead.example')
  await new Promise(setImmediate)
  asked.length = 0
  void look('shop.example')
  expect(asked).toEqual(['shop.example'])
})
