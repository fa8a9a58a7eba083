import type { AwsCredentials } from '../contract.ts'

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
  const { awsSigner } = await import('../aws-signer.ts')
  const signer = awsSigner({ service: 'sts', region: cluster.region, applyChecksum: false }, at.credentials)
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
