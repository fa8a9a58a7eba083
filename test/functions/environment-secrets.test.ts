import { expect, test } from '@jest/globals'
import { MissingSecretError } from '../../config/contract.ts'
import { environmentSecrets } from '../../functions/environment-secrets.ts'

test.each([
  { reference: 'secret:TOKEN', env: { TOKEN: 'abc' }, value: 'abc' },
  { reference: 'secret:team/token', env: { team_token: 'abc' }, value: 'abc' },
])('$reference is read from the environment', ({ reference, env, value }) => {
  expect(environmentSecrets(env)(reference)).toBe(value)
})

test('a secret that is not there is named, with how to give it', () => {
  expect(() => environmentSecrets({})('secret:TOKEN')).toThrow(
    'secret:TOKEN is not set: put it in the environment as TOKEN or name its file in TOKEN_FILE',
  )
})

test('one that is not there is known to be missing, one whose file cannot be read is not', () => {
  const thrown = (env: NodeJS.ProcessEnv) => {
    try {
      return environmentSecrets(env)('secret:TOKEN')
    } catch (error) {
      return error
    }
  }
  expect(thrown({})).toBeInstanceOf(MissingSecretError)
  expect(thrown({ TOKEN_FILE: '/nowhere/token' })).not.toBeInstanceOf(MissingSecretError)
})
