import { expect, test } from '@jest/globals'
import { redact } from '../../triage/redaction.ts'

/** Every secret in these lines has `hunter2` in it. */
const redactions: readonly (readonly [given: string, line: string, then: string])[] = [
  ['logfmt', 'password=hunter22 user=anna', 'password=[hidden] user=anna'],
  ['JSON', '{"password":"hunter22","user":"anna"}', '{"password":[hidden],"user":"anna"}'],
  [
    'JSON in JSON',
    String.raw`{"body":"{\"password\":\"hunter2\",\"a\":1}"}`,
    String.raw`{"body":"{\"password\":[hidden],\"a\":1}"}`,
  ],
  ['JSON three deep', String.raw`x "\\\"token\\\":\\\"hunter2\\\"," y`, String.raw`x "\\\"token\\\":[hidden]," y`],
  ['a quote within the value', String.raw`{"password":"a\"hunter2","b":1}`, '{"password":[hidden],"b":1}'],
  [
    'a quote within the value, in JSON in JSON',
    String.raw`{"m":"{\"password\":\"a\\\"hunter2\",\"b\":1}"}`,
    String.raw`{"m":"{\"password\":[hidden],\"b\":1}"}`,
  ],
  ['a backslash at the end of the value', String.raw`{"password":"hunter2\\","b":1}`, '{"password":[hidden],"b":1}'],
  ['a value cut off within its quotes', '{"password":"hunter2 and hunter2', '{"password":[hidden]'],
  ['an object', '{"credentials":{"a":{"b":"hunter2"}},"c":1}', '{"credentials":[hidden],"c":1}'],
  ['a list', '{"X-Auth-Token":["hunter2","hunter2"],"c":1}', '{"X-Auth-Token":[hidden],"c":1}'],
  ['brackets and commas in the value', 'password = hunter2}x,hunter2 user', 'password = [hidden] user'],
  ['a connection string', 'User Id=sa;Password=a,hunter2;Database=x', 'User Id=sa;Password=[hidden];Database=x'],
  ['a Java map', '{password=hunter2, user=anna}', '{password=[hidden], user=anna}'],
  ['a Ruby map', '"password"=>"hunter2", "a"=>1', '"password"=>[hidden], "a"=>1'],
  ['a form', 'user[password]=hunter2&user[name]=x', 'user[password]=[hidden]&user[name]=x'],
  ['XML', '<Password>hunter2</Password><User>x</User>', '<Password>[hidden]</Password><User>x</User>'],
  ['the environment', 'DB_HOST=db DB_PASS=hunter2', 'DB_HOST=db DB_PASS=[hidden]'],
  ['a property', 'spring.datasource.dbPass: hunter2 x', 'spring.datasource.dbPass: [hidden] x'],
  ['the environment in a manifest', '{"name":"DB_PASS","value":"hunter2"},', '{"name":"DB_PASS","value":[hidden]},'],
  ['a flag', 'mysqldump --password hunter2 --user=x', 'mysqldump --password [hidden] --user=x'],
  ['a flag in a list', '["--token", "hunter2", "-v"]', '["--token", [hidden], "-v"]'],
  ['curl’s user', 'curl -u shop:hunter2 http://x', 'curl -u shop:[hidden] http://x'],
  ['a Go DSN', 'shop:hun@hunter2@tcp(db:3306)/orders', 'shop:[hidden]@tcp(db:3306)/orders'],
  ['a Go DSN of a socket', 'shop:hunter2@unix(/run/db.sock)/orders', 'shop:[hidden]@unix(/run/db.sock)/orders'],
  ['a Go DSN without a host', 'shop:hunter2@/orders', 'shop:[hidden]@/orders'],
  ['an address', 'postgres://anna:hunter22@db/shop', 'postgres://[hidden]@db/shop'],
  ['an address with @ in the password', 'postgres://anna:p@hunter2@db/shop', 'postgres://[hidden]@db/shop'],
  ['an address with / in the password', 'redis://:pa/hunter2@db:6379', 'redis://[hidden]@db:6379'],
  ['an address that holds a key', 'https://0123456789abchunter2@in.io/4', 'https://[hidden]@in.io/4'],
  ['a query', 'GET /x?token=hunter2&a=b&api_key=hunter2 500', 'GET /x?token=[hidden]&a=b&api_key=[hidden] 500'],
  ['a signed query', '/x?key=hunter2&sig=hunter2&a=b', '/x?key=[hidden]&sig=[hidden]&a=b'],
  ['a bearer', 'Authorization: Bearer hunter2 hello', 'Authorization: [hidden] hello'],
  ['a bearer by itself', 'sent bearer hunter2hunter2, refused', 'sent bearer [hidden], refused'],
  ['another scheme', 'Authorization: Digest a="b", response="hunter2"', 'Authorization: [hidden]'],
  ['a header in a map', 'map[Authorization:[Basic hunter2] Host:[x]]', 'map[Authorization:[hidden] Host:[x]]'],
  ['a header of its own', 'X-Api-Key: hunter2, Accept: x', 'X-Api-Key: [hidden], Accept: x'],
  ['cookies', '"Cookie: a=hunter2; b=hunter2" x', '"Cookie: [hidden]" x'],
  ['SQL', "CREATE USER x IDENTIFIED BY 'a''hunter2'", 'CREATE USER x IDENTIFIED BY [hidden]'],
  ['more SQL', "ALTER USER x PASSWORD 'hunter2' y", 'ALTER USER x PASSWORD [hidden] y'],
  ['AWS', 'key AKIAIOSFODNN7EXAMPLE', 'key [hidden]'],
  ['AWS with its secret', `AKIAIOSFODNN7EXAMPLE:${'hunter2/+A'.repeat(4)} x`, '[hidden] x'],
  ['a JWT', 'jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOihunter2.abcdef x', 'jwt [hidden] x'],
  ['a JWT that is encrypted', 'jwt eyJhbGciOiJSU0EifQ.hunter2.hunter2.hunter2.hunter2 x', 'jwt [hidden] x'],
  ['a private key', 'a -----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY----- b', 'a [hidden] b'],
  [
    'a chat’s web hook',
    'https://hooks.slack.com/services/T0/B0/hunter2 is 404',
    'https://hooks.slack.com/services/[hidden] is 404',
  ],
]

test.each(redactions)('%s loses its secret and nothing else', (_given, line, then) => {
  expect(line).toMatch(/hunter2|AKIA/)
  expect(redact(line)).toBe(then)
  expect(redact(then)).toBe(then)
})

test.each([
  'panic: open /etc/voting/weights.json: no such file or directory',
  'password authentication failed for user shop',
  "Access denied for user 'shop'@'10.1.2.3' (using password: YES)",
  'Basic authentication failed for anna',
  'secret "db-creds" not found',
  'unknown flag: --token',
  'flag --token is required',
  'config {"password":"","token":null}',
  'bypass=on compass: north',
  'Get "http://token-service:8080/v1": connection refused',
  'GET http://shop:8080/users/anna@example.com 404',
  'dial tcp [::1]:5432: connection refused',
  'docker run -u 1000:1000 shop',
])('%s stays as it is', (line) => {
  expect(redact(line)).toBe(line)
})

/** A pattern that begins anew at every letter takes thousands of millions of steps here, which is half a minute of work. */
test.each([
  '\\',
  'password ',
  'password:"\\',
  '}',
  'token:[',
  'a',
  'eyJ-',
  '-',
  'a:',
  '://a:',
  ' ',
  '; a=b',
  '},a-',
  "password '",
  '<token>',
  'a@',
])('a long line of %j is little work', (part) => {
  const many = part.repeat(100_000 / part.length)
  const before = process.cpuUsage()
  for (const line of [many, `password${many}x`, `cookie: ${many}x`, `--token ${many}x`, `bearer${many}x`]) redact(line)
  expect(process.cpuUsage(before).user).toBeLessThan(10_000_000)
})
