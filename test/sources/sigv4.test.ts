import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { prometheusSource } from '../../sources/kinds/prometheus.ts'
import { signedHeaders } from '../../sources/sigv4.ts'
import { nowMs, withServer, world } from './loopback.ts'

const token = 'a-session-token-that-nobody-must-see'
const own = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG',
  AWS_SESSION_TOKEN: token,
}
const before = { ...process.env }
beforeAll(() => {
  Object.assign(process.env, own)
})
afterAll(() => {
  process.env = before
})

const pass = { region: 'eu-west-1', service: 'aps' }

test('a request is signed for its host, path and query, at our own time', async () => {
  const url = 'https://aps.example.com/workspaces/ws-1/api/v1/query?query=up%7Ba%3D%22b%20c%22%7D'
  const signed = await signedHeaders(url, pass, world())
  if (signed.status !== 'read') throw new Error(signed.why)
  const { authorization = '', ...others } = signed.value.headers
  expect(others).toMatchObject({ 'x-amz-date': '20261123T035953Z', 'x-amz-security-token': token })
  expect(authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20261123\/eu-west-1\/aps\/aws4_request, SignedHeaders=[\w;-]*host[\w;-]*, Signature=[0-9a-f]{64}$/,
  )
  const other = await signedHeaders(url.replace('up', 'down'), pass, world())
  expect(other.status === 'read' && other.value.headers['authorization']).not.toBe(authorization)
})

test('a refusal that echoes the session token does not show it', async () => {
  const reading = await withServer(
    (request, response) => response.writeHead(403).end(`canonical string: ${request.headers['x-amz-security-token']}`),
    ({ url }) => {
      const spec = prometheusSource.schema.parse({ kind: 'prometheus', url, auth: { sigv4: pass } })
      return prometheusSource.scrape(spec, world(), [{ name: 'up' }])
    },
  )
  expect(reading).toMatchObject({ status: 'unreadable', why: expect.stringContaining('canonical string: [secret]') })
})

test('a read that is over signs nothing', async () => {
  const signal = AbortSignal.abort()
  expect(await signedHeaders('https://aps.example.com/', pass, { nowMs: () => nowMs, signal })).toEqual({
    status: 'unreadable',
    why: 'no AWS credentials in time',
  })
})
