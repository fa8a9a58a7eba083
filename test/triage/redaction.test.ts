import { expect, test } from '@jest/globals'
import { redact } from '../../triage/redaction.ts'

test.each([
  ['Authorization: Bearer abcdefghijkl123', 'abcdefghijkl123'],
  ['password=hunter22 user=anna', 'hunter22'],
  ['{"password":"hunter22"}', 'hunter22'],
  ['connect postgres://anna:hunter22@db/shop', 'hunter22'],
  ['key AKIAIOSFODNN7EXAMPLE', 'AKIAIOSFODNN7EXAMPLE'],
  ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdef', 'eyJzdWIiOiIxMjM0In0'],
  ['map[Authorization:[Basic dXNlcjpwYXNz]]', 'dXNlcjpwYXNz'],
  ['api_key: 0123456789abcdef', '0123456789abcdef'],
])('%s loses its secret', (line, secret) => {
  expect(redact(line)).not.toContain(secret)
  expect(redact(line)).toContain('[hidden]')
})

test('a line without a secret stays as it is', () => {
  const line = 'panic: open /etc/voting/weights.json: no such file or directory'
  expect(redact(line)).toBe(line)
})
