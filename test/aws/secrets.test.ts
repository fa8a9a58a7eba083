import { SSMClient } from '@aws-sdk/client-ssm'
import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { ssmSecrets } from '../../aws/secrets.ts'
import { MissingSecretError } from '../../config/contract.ts'
import { type Answer, type Asked, startAws } from './loopback-aws.ts'

let kept: Record<string, string> = {}
let fault: Answer | undefined
// `as`: what the SDK's own client wrote.
const namesOf = ({ body }: Asked) => body['Names'] as string[]
const aws = await startAws((asked) => {
  const names = namesOf(asked)
  const there = names.filter((name) => Object.hasOwn(kept, name))
  const missing = names.filter((name) => !there.includes(name))
  const found = { Parameters: there.map((Name) => ({ Name, Value: kept[Name] })), InvalidParameters: missing }
  return fault ?? { body: found }
})
const client = new SSMClient({ ...aws.options, maxAttempts: 1 })
beforeEach(() => {
  aws.asked.length = 0
  kept = { '/shop/TOKEN': 'open sesame' }
  fault = undefined
})
afterAll(async () => {
  client.destroy()
  await aws.stop()
})

const secretsAt = (clock: { nowMs: number }, references = ['secret:TOKEN']) =>
  ssmSecrets({ client, name: 'shop', region: 'eu-west-1', references, nowMs: () => clock.nowMs })

test('a secret is fetched once, decrypted, and again after five minutes', async () => {
  const clock = { nowMs: 0 }
  const secrets = secretsAt(clock)
  for (const nowMs of [0, 1000, 299_999]) {
    clock.nowMs = nowMs
    await secrets.refresh()
  }
  expect(secrets.secret('secret:TOKEN')).toBe('open sesame')
  expect(aws.asked).toHaveLength(1)
  expect(aws.asked[0]?.body).toEqual({ Names: ['/shop/TOKEN'], WithDecryption: true })
  kept['/shop/TOKEN'] = 'changed'
  clock.nowMs = 300_000
  expect(await secrets.refresh()).toEqual({ status: 'fresh' })
  expect(secrets.secret('secret:TOKEN')).toBe('changed')
})

test.each<{ given: string; then: Answer }>([
  { given: 'SSM refuses', then: { status: 400, code: 'AccessDeniedException' } },
  { given: 'SSM fails', then: { status: 500, code: 'InternalServerError' } },
])('when $given the old value is kept, and it is asked again after half a minute', async ({ then }) => {
  const clock = { nowMs: 0 }
  const secrets = secretsAt(clock)
  await secrets.refresh()
  fault = then
  clock.nowMs = 300_000
  expect(await secrets.refresh()).toMatchObject({ status: 'kept', cause: expect.stringContaining('made up') })
  expect(secrets.secret('secret:TOKEN')).toBe('open sesame')
  await secrets.refresh()
  expect(aws.asked).toHaveLength(2)
  fault = undefined
  clock.nowMs = 330_000
  expect(await secrets.refresh()).toEqual({ status: 'fresh' })
})

test('before there is any value it is asked again after two seconds, and what SSM said is no word that it is missing', async () => {
  const clock = { nowMs: 0 }
  const secrets = secretsAt(clock)
  const thrown = () => {
    try {
      return secrets.secret('secret:TOKEN')
    } catch (error) {
      return error
    }
  }
  fault = { status: 400, code: 'ThrottlingException' }
  await secrets.refresh()
  expect(thrown()).toMatchObject({ message: expect.stringMatching(/^secret:TOKEN is not known.*ThrottlingException/) })
  expect(thrown()).not.toBeInstanceOf(MissingSecretError)
  fault = undefined
  clock.nowMs = 1999
  await secrets.refresh()
  expect(aws.asked).toHaveLength(1)
  clock.nowMs = 2000
  await secrets.refresh()
  expect(thrown()).toBe('open sesame')
  kept = {}
  clock.nowMs = 302_000
  await secrets.refresh()
  expect(thrown()).toBeInstanceOf(MissingSecretError)
})

test('SSM that hangs holds nothing up for longer than its time-out', async () => {
  fault = 'hang'
  expect(await secretsAt({ nowMs: 0 }).refresh()).toMatchObject({ status: 'kept' })
}, 10_000)

test('many are asked for ten at a time, and every one of them once', async () => {
  const references = Array.from({ length: 23 }, (_, at) => `secret:S${at}`)
  await secretsAt({ nowMs: 0 }, [...references, ...references]).refresh()
  expect(aws.asked.map((asked) => namesOf(asked).length).sort()).toEqual([10, 10, 3])
})

test('several that refresh at once ask once', async () => {
  const secrets = secretsAt({ nowMs: 0 })
  await Promise.all([secrets.refresh(), secrets.refresh(), secrets.refresh()])
  expect(aws.asked).toHaveLength(1)
})

test('a missing one says which and how to set it, and is asked for again soon', async () => {
  const clock = { nowMs: 0 }
  const secrets = secretsAt(clock, ['secret:TOKEN', 'secret:OTHER'])
  await secrets.refresh()
  const how = 'aws ssm put-parameter --region eu-west-1 --type SecureString --name /shop/OTHER --value …'
  expect(() => secrets.secret('secret:OTHER')).toThrow(`secret:OTHER is not known (it is not there). Set it: ${how}`)
  expect(secrets.secret('secret:TOKEN')).toBe('open sesame')
  kept['/shop/OTHER'] = 'here now'
  clock.nowMs = 30_000
  await secrets.refresh()
  expect(secrets.secret('secret:OTHER')).toBe('here now')
})

test('one that was taken away is not known any more', async () => {
  const clock = { nowMs: 0 }
  const secrets = secretsAt(clock)
  await secrets.refresh()
  kept = {}
  clock.nowMs = 300_000
  await secrets.refresh()
  expect(() => secrets.secret('secret:TOKEN')).toThrow('it is not there')
})

test('what nobody can have is refused in words', () => {
  const secrets = secretsAt({ nowMs: 0 })
  expect(() => secrets.secret('secret:TOKEN')).toThrow('secret:TOKEN is not known: it was not asked for yet')
  expect(() => secrets.secret('secret:FOREIGN')).toThrow('secret:FOREIGN is not among what this function may read')
})

test('no error shows a value', async () => {
  const secrets = secretsAt({ nowMs: 0 })
  await secrets.refresh()
  fault = { status: 500, code: 'InternalServerError' }
  const said = [() => secrets.secret('secret:OTHER'), () => secrets.secret('secret:FOREIGN')].map((ask) => {
    try {
      return ask()
    } catch (error) {
      return String(error)
    }
  })
  expect(said.join()).not.toContain('open sesame')
})

test('a function without secrets asks for none', async () => {
  expect(await secretsAt({ nowMs: 0 }, []).refresh()).toEqual({ status: 'fresh' })
  expect(aws.asked).toEqual([])
})
