import { expect, test } from '@jest/globals'
import { matchAll } from '../../functions/matchers.ts'

const labels = { service: 'shop', pod: 'web-abc-1', instance: '10.0.0.1:80', path: '[a&&b]' }

test.each([
  { matcher: 'service=shop', then: true },
  { matcher: 'service=~sho', then: false },
  { matcher: 'service=~"cart|shop"', then: true },
  { matcher: 'service!~"sho"', then: true },
  { matcher: 'team=""', then: true },
  { matcher: 'team!=shop', then: true },
  { matcher: 'team=~".+"', then: false },
  { matcher: 'pod=~"web-[a-z0-9-]+"', then: true },
  { matcher: 'instance=~"[^/]+"', then: true },
  { matcher: 'path=~".a[a&&b]+b."', then: true },
  { matcher: 'service', then: false },
])('$matcher matches as in Alertmanager: $then', ({ matcher, then }) => expect(matchAll([matcher], labels)).toBe(then))
