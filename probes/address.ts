import { lookup } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import type { TargetRange } from './contract.ts'
import { beforeDeadline, type Deadline } from './deadline.ts'
import { codeOf, type Failure, failed, proberFailed, type Result } from './failure.ts'

export type Family = 'v4' | 'v6' | 'any'

/** `0.0.0.0` and `::` are loopback too: Linux connects them to the machine itself. */
const ranges: Readonly<Record<TargetRange, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128'],
  'link-local': [
    '169.254.0.0/16',
    'fe80::/10',
    // Metadata services elsewhere: EC2 (and EKS pod identity) over IPv6, Google over IPv6, Alibaba, Oracle, Azure.
    'fd00:ec2::/32',
    'fd20:ce::254/128',
    '100.100.100.200/32',
    '192.0.0.192/32',
    '168.63.129.16/32',
  ],
  // RFC 1918, RFC 6598, RFC 4193 and the site-local addresses before it.
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10'],
}

/** IPv6 ways of writing an IPv4 address: translated (RFC 6052) and the old compatible form. BlockList knows `::ffff:`. */
const embeddings = ['64:ff9b::', '::']

const blockListOf = (subnets: readonly string[]): BlockList => {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [network = '', bits = ''] = subnet.split('/')
    if (isIP(network) === 6) {
      list.addSubnet(network, Number(bits), 'ipv6')
      continue
    }
    list.addSubnet(network, Number(bits), 'ipv4')
    // `::` + 0.0.0.0/8 would be most of the compatible range, `::1` in it; both are listed by themselves.
    if (network === '0.0.0.0') continue
    for (const prefix of embeddings) list.addSubnet(`${prefix}${network}`, 96 + Number(bits), 'ipv6')
  }
  return list
}

/** In this order: the metadata services inside `fc00::/7` and 100.64/10 are link-local first. */
const blockLists = (['loopback', 'link-local', 'private'] as const).map((range) => ({
  range,
  list: blockListOf(ranges[range]),
}))

/** Which guarded range an IP address is in, if any. */
export const rangeOf = (address: string): TargetRange | undefined => {
  const plain = address.replace(/%.*$/, '')
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4'
  return blockLists.find(({ list }) => list.check(plain, family))?.range
}

const guarded = (host: string, address: string, allowTargets: readonly TargetRange[]): Failure | undefined => {
  const range = rangeOf(address)
  if (!range || allowTargets.includes(range)) return undefined
  const named = host === address ? address : `${host} (${address})`
  return proberFailed(
    'target-refused',
    `${named} is a ${range} address, which probes do not look at; add ${range} to allowTargets if they should`,
  )
}

/** What a failed look-up means: only "there is no such name" is about the target, the rest is our resolver. */
export const lookupFailure = (error: unknown, host: string, family: Family): Failure => {
  const code = codeOf(error)
  if (code === 'ENOTFOUND') {
    const kind = family === 'any' ? 'address' : `IP${family} address`
    return failed('resolve', 'name-not-found', `the name ${host} has no ${kind}`)
  }
  return proberFailed('resolver-failed', `the resolver here could not look up ${host} (${code || 'no reason given'})`)
}

/**
 * The one address to look at: the first that the system's resolver gives (`getaddrinfo`, so that hosts files count), or
 * the literal itself. The guard judges the address that will be connected to, so a name cannot smuggle one past it. A
 * look-up cannot be called off; at the deadline its answer is left behind.
 */
export const resolveAddress = async (
  host: string,
  options: { family: Family; allowTargets: readonly TargetRange[]; deadline: Deadline },
): Promise<Result<string>> => {
  const { family, allowTargets, deadline } = options
  const found: Result<string> =
    isIP(host) !== 0
      ? { value: host }
      : await beforeDeadline(deadline, 'resolve', (settle) => {
          const wanted = ({ any: 0, v4: 4, v6: 6 } as const)[family]
          lookup(host, { family: wanted, order: 'verbatim' }, (error, address) =>
            settle(error ? { failure: lookupFailure(error, host, family) } : { value: address }),
          )
        })
  if (found.failure) return found
  const refusal = guarded(host, found.value, allowTargets)
  return refusal ? { failure: refusal } : found
}
