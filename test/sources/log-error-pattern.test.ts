import { expect, test } from '@jest/globals'
import { errorLinePattern } from '../../sources/log-error-pattern.ts'

/** RE2's leading flag is an argument in JavaScript. */
const pattern = new RegExp(errorLinePattern.replace(/^\(\?i\)/, ''), 'i')

test.each([
  '2026/11/23 03:41:14 logging an error for doughnut',
  'Error serving request [&{GET /api/vote}]: rpc error: code = Unknown desc = ERROR',
  '{"level":"error","msg":"cannot vote"}',
  '{"level": "error"}',
  'level=err ts=2026-11-23T03:41:14Z caller=main.go',
  'level=error',
  'ERROR - cart is gone',
  '[ERR] cart is gone',
  'err="dial tcp 10.0.0.1:5432: i/o"',
  'error="n is not a number"',
  'error: no such file or directory',
  'Error: fork/exec /bin/app: not found',
  'error=0x80070005',
  'exit error: -5',
  'the following error:',
  'TypeError: Cannot read properties of undefined',
  'java.lang.NullPointerException: null',
  'Exception in thread "main"',
  'Traceback (most recent call last):',
  'FATAL: password authentication did not work',
  'panic: runtime: index out of range',
  'dial tcp 127.0.0.1:8080: connect: connection refused',
  'context deadline exceeded',
  'request timed out after 3 s',
  'read: i/o timeout',
  'upstream connect timeout while reading',
  'failed to pull image',
  '3 tests failed, 2 passed',
  'liveness probe failure, restarting',
  'Container voting-svc was OOMKilled',
  'Out of memory: process 4211',
  'Killed',
  'CrashLoopBackOff',
  'Back-off restarting the container',
  'segmentation fault (core dumped)',
  'lookup redis on 10.96.0.10:53: no such host',
  'E1123 03:41:31.000000       1 reflector.go:147] watch ended',
])('a line that looks like an error is asked for: %s', (line) => expect(line).toMatch(pattern))

test.each([
  'errorRate=0',
  'error_count=0',
  'errors=0 requests=10',
  'passed=10 failed=0',
  'failures: 0',
  '{"status":200,"error":""}',
  '{"status":200,"error":null,"latency":12}',
  '{"status":200,"error": null}',
  'err=nil',
  'error=<nil> status=200',
  'error: none',
  'failed: false',
  'error="" code=0',
  'error == nil',
  'error=- upstream=ok',
  '"{\\"error\\":\\"\\"}"',
  'stderr attached',
  'failover=enabled',
  'terror-free zone: mirroring works',
  'GET /healthz 200 timeout=30s',
  '{"timeout": "30s"}',
  'Voted for [:doughnut:], which now has a total of [3] votes',
  'E2E suite started',
])('a healthy line is left out: %s', (line) => expect(line).not.toMatch(pattern))

test('the pattern is RE2: no look-around, no references to groups', () => {
  expect(errorLinePattern).not.toMatch(/\(\?(?:[=!]|<)|\\[1-9k]/)
  expect(errorLinePattern).toMatch(/^\(\?i\)/)
})
