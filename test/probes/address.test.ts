import { expect, test } from '@jest/globals'
import { rangeOf, refusedRange } from '../../probes/address.ts'

test.each([
  { range: 'loopback', addresses: ['127.0.0.1', '127.255.255.254', '0.0.0.0', '::1', '::'] },
  { range: 'link-local', addresses: ['169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'febf::1'] },
  { range: 'private', addresses: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fdff::1'] },
  { range: 'private', addresses: ['100.64.0.1', '100.127.255.255', 'fec0::1'] },
])('$addresses are $range', ({ range, addresses }) => {
  expect(addresses.map(rangeOf)).toEqual(addresses.map(() => range))
})

test.each([
  { cloud: 'AWS, Azure, Google', address: '169.254.169.254' },
  { cloud: 'AWS over IPv6', address: 'fd00:ec2::254' },
  { cloud: 'AWS pod identity over IPv6', address: 'fd00:ec2::23' },
  { cloud: 'Google over IPv6', address: 'fd20:ce::254' },
  { cloud: 'Alibaba', address: '100.100.100.200' },
  { cloud: 'Oracle', address: '192.0.0.192' },
  { cloud: "Azure's wire server", address: '168.63.129.16' },
])('the metadata service of $cloud is link-local, also where private is allowed', ({ address }) => {
  expect(refusedRange(address, ['private', 'loopback'])).toBe('link-local')
})

test.each([
  { form: 'mapped', address: '::ffff:127.0.0.1' },
  { form: 'mapped, in hexadecimal', address: '::ffff:7f00:1' },
  { form: 'mapped, in full', address: '0:0:0:0:0:ffff:7f00:1' },
  { form: 'compatible', address: '::127.0.0.1' },
  { form: 'translated (NAT64)', address: '64:ff9b::7f00:1' },
  { form: 'tunnelled (6to4)', address: '2002:7f00:1::1' },
])('an IPv4 address in IPv6 is judged as itself: $form', ({ address }) => {
  expect(refusedRange(address, ['private'])).toBe('loopback')
})

test.each([
  '8.8.8.8',
  '1.0.0.1',
  '172.15.255.255',
  '172.32.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '192.0.2.1',
  '2606:4700::1111',
  '::ffff:8.8.8.8',
  '64:ff9b::808:808',
  '2002:808:808::1',
])('%s is public and never refused', (address) => {
  expect([rangeOf(address), refusedRange(address, [])]).toEqual([undefined, undefined])
})

test('a range is refused until it is allowed', () => {
  expect([refusedRange('10.0.0.1', []), refusedRange('10.0.0.1', ['private'])]).toEqual(['private', undefined])
})
