import { BlockList, isIPv6 } from 'node:net'
import type { TargetRange } from './contract.ts'

/** `0.0.0.0` and `::` are loopback too: Linux connects them to the machine itself. */
const ranges: Record<TargetRange, readonly string[]> = {
  loopback: ['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128'],
  'link-local': [
    '169.254.0.0/16',
    'fe80::/10',
    // Metadata services elsewhere: EC2 and Google over IPv6, Alibaba, Oracle, Azure.
    'fd00:ec2::/32',
    'fd20:ce::254/128',
    '100.100.100.200/32',
    '192.0.0.192/32',
    '168.63.129.16/32',
  ],
  // RFC 1918, RFC 6598, RFC 4193 and the site-local addresses before it.
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10'],
}

/**
 * An IPv4 subnet as IPv6 writes it: translated (RFC 6052), tunnelled (6to4, RFC 3056) and the old compatible form.
 * BlockList knows the mapped form, `::ffff:`, by itself.
 */
const embedded = (address: string, bits: number): (readonly [string, number])[] => {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  const groups = [(a << 8) | b, (c << 8) | d].map((group) => group.toString(16)).join(':')
  return [
    [`64:ff9b::${address}`, 96 + bits],
    [`::${address}`, 96 + bits],
    [`2002:${groups}::`, 16 + bits],
  ]
}

const listOf = (subnets: readonly string[]): BlockList => {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [address = '', prefix = ''] = subnet.split('/')
    const bits = Number(prefix)
    list.addSubnet(address, bits, isIPv6(address) ? 'ipv6' : 'ipv4')
    if (isIPv6(address)) continue
    for (const [network, length] of embedded(address, bits)) list.addSubnet(network, length, 'ipv6')
  }
  return list
}

/** Narrow ranges first: fd00:ec2::/32 is a metadata service before it is private. */
const lists = (['loopback', 'link-local', 'private'] as const).map((range) => ({ range, list: listOf(ranges[range]) }))

/** Which range an address is in, IPv4 inside IPv6 judged as the IPv4 address it reaches; undefined for a public one. */
export const rangeOf = (address: string): TargetRange | undefined => {
  const [bare = ''] = address.split('%')
  return lists.find(({ list }) => list.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4'))?.range
}

/** The range because of which a probe must not look at this (resolved) address; undefined when it may. */
export const refusedRange = (address: string, allowed: readonly TargetRange[]): TargetRange | undefined => {
  const range = rangeOf(address)
  return range === undefined || allowed.includes(range) ? undefined : range
}
