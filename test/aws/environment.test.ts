import { expect, test } from '@jest/globals'
import { DeploymentError, environmentOf } from '../../aws/environment.ts'

const set = {
  WHODUNIT_NAME: 'shop',
  WHODUNIT_TABLE: 'shop',
  WHODUNIT_PROBES_AT_ONCE: '100',
  WHODUNIT_BUCKETS: '{"evidence":"e","windows":"w","status":"s","history":"h"}',
}

test('what was asked for is read, and nothing else', () => {
  expect(environmentOf(set, ['WHODUNIT_PROBES_AT_ONCE', 'WHODUNIT_BUCKETS'])).toEqual({
    WHODUNIT_PROBES_AT_ONCE: 100,
    WHODUNIT_BUCKETS: { evidence: 'e', windows: 'w', status: 's', history: 'h' },
  })
})

test('all that is missing or wrong is named in one sentence, without values', () => {
  const env = { ...set, WHODUNIT_BUCKETS: '{"evidence"', WHODUNIT_API_URL: 'open sesame' }
  const read = () => environmentOf(env, ['WHODUNIT_NAME', 'WHODUNIT_QUEUES', 'WHODUNIT_BUCKETS', 'WHODUNIT_API_URL'])
  expect(read).toThrow(DeploymentError)
  expect(read).toThrow(
    "this function's environment lacks WHODUNIT_QUEUES (not set), WHODUNIT_BUCKETS (not JSON), WHODUNIT_API_URL (Invalid URL): the stacks set it, so run cdk deploy again",
  )
})
