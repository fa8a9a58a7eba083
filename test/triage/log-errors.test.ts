import { expect, test } from '@jest/globals'
import { gravityOf } from '../../triage/log-errors.ts'

test.each([
  ['2026/11/23 03:41:14 logging an error for doughnut', 'error'],
  ['Error serving request: rpc error: code = Unknown desc = ERROR', 'error'],
  ['panic: open /etc/x.json: no such file or directory', 'crash'],
  ['level=error msg="dial tcp 10.0.0.1:5432: connect: connection refused"', 'error'],
  ['{"level":"fatal","msg":"bye"}', 'crash'],
  ['E1123 03:41:31.000000 1 reconciler.go:12] sync', 'error'],
  ['F1123 03:41:31.000000 1 main.go:12] bye', 'crash'],
  ['Traceback (most recent call last):', 'crash'],
  ['java.lang.OutOfMemoryError: Java heap space', 'crash'],
  ['[ERROR] pool exhausted', 'error'],
  ['10.0.0.7 - - [23/Nov/2026:03:41:31 +0000] "GET /api HTTP/1.1" 503 17', 'error'],
  ['level=warn msg="upstream timed out, retrying"', 'error'],
  ['java.net.SocketTimeoutException: Read timed out', 'error'],
  ['Error: no such file or directory', 'error'],
  ['error: none of the replicas answered', 'error'],
  ['3 errors, 0 warnings', 'error'],
  ['request failed: error=EOF', 'error'],
])('%s is a complaint (%s)', (line, gravity) => expect(gravityOf(line)).toBe(gravity))

test.each([
  'level=info msg="request" error=nil status=200',
  'msg=done err=<nil> took=3ms',
  'finished with 0 errors',
  'no errors found',
  'done error= took=3ms',
  'done err=nil',
  'errors: 0, warnings: 2',
  '{"level":"info","msg":"retry after error","n":1}',
  '{"msg":"ok","error":null}',
  '{"msg":"ok","error":""}',
  'I1123 03:41:31.000000 1 x.go:12] error count is 3',
  'probability [0.064977] is less than failureRate [1.000000]',
  'error_rate=0.01 is within the error budget',
  'timeout=30s retries=3',
  'Voted for [:iphone:], which now has a total of [1] votes',
  '10.0.0.7 - - [23/Nov/2026:03:41:31 +0000] "GET /api/500 HTTP/1.1" 200 503',
  'DEBUG failed over to replica, as tested',
  '',
])('"%s" is no complaint', (line) => expect(gravityOf(line)).toBeUndefined())
