import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import type { AwsCredentials } from '../contract.ts'

/** What the signer hashes with: node's own. */
class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data))
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
  /** The signer never reuses one. */
  reset(): void {}
}

const bytesOf = (data: string | ArrayBuffer | ArrayBufferView): Uint8Array => {
  if (typeof data === 'string') return Buffer.from(data)
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
}

/** EKS takes a token for 15 minutes from its signing; ours is made again well before. */
export const eksTokenMs = 10 * 60_000

/**
 * A token for an EKS cluster: a presigned `sts:GetCallerIdentity` that names the cluster in a signed header, as
 * aws-iam-authenticator's "API Authorization from Outside a Cluster" has it. Whoever holds it is the role that signed it.
 */
export const eksToken = async (
  cluster: { name: string; region: string },
  at: { credentials: AwsCredentials; nowMs: number },
): Promise<string> => {
  const hostname = `sts.${cluster.region}.amazonaws.com${cluster.region.startsWith('cn-') ? '.cn' : ''}`
  const signer = new SignatureV4({
    service: 'sts',
    region: cluster.region,
    credentials: at.credentials,
    sha256: Sha256,
    applyChecksum: false,
  })
  const { query = {} } = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host: hostname, 'x-k8s-aws-id': cluster.name },
    },
    { expiresIn: 60, signingDate: new Date(at.nowMs) },
  )
  const pairs = Object.entries(query).map(
    ([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(String(value))}`,
  )
  return `k8s-aws-v1.${Buffer.from(`https://${hostname}/?${pairs.join('&')}`).toString('base64url')}`
}
