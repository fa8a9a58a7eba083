import { expect, test } from '@jest/globals'
import { accessOf, type Exposure, exposureTroubles } from '../../cli/exposure.ts'
import { everyone } from '../../web/access.ts'

const token = async () => 'correct-horse-battery-staple'
const url = 'http://0.0.0.0:8440'
const cases: { given: string; exposure: Exposure; access: object; told: string[] }[] = [
  { given: 'this machine alone', exposure: { host: '127.0.0.1' }, access: everyone, told: [] },
  { given: 'this machine alone, with a token', exposure: { host: 'localhost', token }, access: everyone, told: [] },
  {
    given: 'a proxy on this machine',
    exposure: { host: '::1', publicUrl: 'https://hub.example:8443/x' },
    access: { names: ['::1', 'hub.example'], mayChange: true },
    told: [],
  },
  {
    given: 'a proxy on this machine, with a token',
    exposure: { host: '::1', publicUrl: 'https://hub.example', token },
    access: { token },
    told: [],
  },
  {
    given: 'one address of a network',
    exposure: { host: 'hub.internal' },
    access: { names: ['hub.internal'], mayChange: false },
    told: ['api.token'],
  },
  {
    given: 'all addresses',
    exposure: { host: '0.0.0.0' },
    access: { names: ['0.0.0.0'], mayChange: false },
    told: ['api.token', '--public-url'],
  },
  { given: 'all addresses, with a token', exposure: { host: '::', token }, access: { token }, told: ['--public-url'] },
  {
    given: 'all addresses, known by a name',
    exposure: { host: '0.0.0.0', publicUrl: 'http://hub.example', token },
    access: { token },
    told: [],
  },
]

test.each(cases)('who may do what, and what is told at the start: $given', ({ exposure, access, told }) => {
  expect(accessOf(exposure)).toEqual(access)
  expect(exposureTroubles(exposure, url)).toEqual(told.map((text) => expect.stringContaining(text)))
})
