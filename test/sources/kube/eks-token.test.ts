import { createHash, createHmac } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { eksToken } from '../../../sources/kube/eks-token.ts'

const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'session+/=',
}
const nowMs = Date.UTC(2026, 10, 23, 4, 5, 6)

const decoded = async () => {
  const token = await eksToken({ name: 'prod', region: 'eu-central-1' }, { credentials, nowMs })
  expect(token).toMatch(/^k8s-aws-v1\.[A-Za-z0-9_-]+$/)
  return new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString())
}

test('the token is a presigned GetCallerIdentity that names the cluster in a signed header', async () => {
  const url = await decoded()
  expect(url.origin + url.pathname).toBe('https://sts.eu-central-1.amazonaws.com/')
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    Action: 'GetCallerIdentity',
    Version: '2011-06-15',
    'X-Amz-Expires': '60',
    'X-Amz-Date': '20261123T040506Z',
    'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
    'X-Amz-Credential': 'AKIDEXAMPLE/20261123/eu-central-1/sts/aws4_request',
    'X-Amz-Security-Token': credentials.sessionToken,
  })
})

/** Signature Version 4 by hand, from AWS' description of it: the signer is not its own witness. */
test('its signature is the one AWS would compute', async () => {
  const url = await decoded()
  const signature = url.searchParams.get('X-Amz-Signature')
  url.searchParams.delete('X-Amz-Signature')
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  const query = [...url.searchParams]
    .map(([key, value]) => `${encode(key)}=${encode(value)}`)
    .sort()
    .join('&')
  const empty = createHash('sha256').update('').digest('hex')
  const canonical = `GET\n/\n${query}\nhost:${url.host}\nx-k8s-aws-id:prod\n\nhost;x-k8s-aws-id\n${empty}`
  const scope = '20261123/eu-central-1/sts/aws4_request'
  const hashed = createHash('sha256').update(canonical).digest('hex')
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const key = ['eu-central-1', 'sts', 'aws4_request'].reduce(
    hmac,
    hmac(`AWS4${credentials.secretAccessKey}`, '20261123'),
  )
  expect(signature).toBe(hmac(key, `AWS4-HMAC-SHA256\n20261123T040506Z\n${scope}\n${hashed}`).toString('hex'))
})
