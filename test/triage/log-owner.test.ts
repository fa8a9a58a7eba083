import { expect, test } from '@jest/globals'
import { logOwner } from '../../triage/log-owner.ts'

test.each([
  ['a Deployment’s pod', { pod: 'cart-6d9c7c5b7f-x2x6k' }, 'cart', true],
  ['a longer name with the same beginning', { pod: 'cart-db-6d9c7c5b7f-x2x6k' }, 'cart-db', true],
  ['a StatefulSet’s pod', { pod: 'cart-db-0' }, 'cart-db', true],
  ['a DaemonSet’s pod', { pod: 'cart-x2x6k' }, 'cart', true],
  ['no pod but an app', { app: 'cart' }, 'cart', true],
  ['a container of that name', { container: 'cart' }, 'cart', true],
  ['a stranger', { pod: 'wiki-6d9c7c5b7f-x2x6k' }, 'wiki', false],
  ['a stranger whose label says otherwise', { pod: 'wiki-6d9c7c5b7f-x2x6k', app: 'cart' }, 'wiki', false],
  ['a stranger whose hash is all letters', { pod: 'wiki-bcdfghjklm-nzzqv' }, 'wiki', false],
  ['nothing to go by', {}, 'somebody', false],
])('%s', (_, labels, name, known) => expect(logOwner(labels, ['cart', 'cart-db'])).toEqual({ name, known }))
