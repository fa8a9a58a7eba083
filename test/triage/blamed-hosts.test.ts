import { expect, test } from '@jest/globals'
import { blamedBy } from '../../triage/blamed-hosts.ts'

const api = { service: 'the-api', cluster: 'town', namespace: 'shop', workload: 'api', distance: 1 }
const blames = (line: string) => blamedBy(line, [api]).length === 1

test.each([
  'dial tcp: lookup api: no such host',
  'dial tcp: lookup api on 10.96.0.10:53: no such host',
  'dial tcp: lookup api.shop.svc.cluster.local. on 10.96.0.10:53: no such host',
  'dial tcp: lookup api.shop.svc: no such host',
  'dial tcp: lookup api-svc.shop:8080: no such host',
  'dial tcp api:8080: connection refused',
  'dial tcp api.shop.svc.town.example:80: connection refused',
  'Post "http://api/v1/charges": context deadline exceeded',
  'Post "http://api:8080/v1/charges": context deadline exceeded',
  String.raw`{"error":"Get \"http://api.shop/v1\": connection refused"}`,
  'amqp://shop:x@api: connection reset',
  'ERROR connection to api timed out',
  'could not translate: connection to server at "api" (10.0.0.7), port 5432 failed: Connection refused',
  '{"host":"api","error":"timed out"}',
  'cannot reach api, timeout',
  'lookup api-0.api.shop.svc.cluster.local: no such host',
  'api: connection refused',
  'timed out waiting for api.shop',
  'amqp://shop:x@api:5672: connection reset',
])('%s blames api', (line) => {
  expect(blames(line)).toBe(true)
})

test.each([
  'dial tcp: lookup api.stripe.com: no such host',
  'dial tcp: lookup api.stripe.com on 10.96.0.10:53: no such host',
  'Post "https://api.stripe.com/v1/charges": context deadline exceeded',
  'Post "https://api.stripe.com:443/v1/charges": context deadline exceeded',
  'dial tcp api.x1y2.cache.amazonaws.com:6379: connection refused',
  'dial tcp api.shop.com:443: connection refused',
  'dial tcp: lookup api.shop.example.com: no such host',
  'dial tcp: lookup api.other.svc.cluster.local: no such host',
  'dial tcp: lookup my.api: no such host',
  'dial tcp foo-api:80: connection refused',
  'dial tcp api-gateway:80: connection refused',
  'dial tcp: lookup api_v2: no such host',
  'dial tcp: lookup apis: no such host',
  'Get "http://cart/api": connection refused',
  'Get "http://cart/api/v1": connection refused',
  'Get "http://cart/api:1": connection refused',
  'the api call timed out',
  'connected to api:8080',
])('%s does not blame api', (line) => {
  expect(blames(line)).toBe(false)
})

test('a name with a dot is that name', () => {
  const dotted = { ...api, workload: 'api.v2' }
  expect(blamedBy('dial tcp api.v2:80: connection refused', [dotted])).toEqual([dotted])
  expect(blamedBy('dial tcp apixv2:80: connection refused', [dotted])).toEqual([])
})
