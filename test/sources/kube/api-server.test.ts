import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { expect, test } from '@jest/globals'
import type { ApiServerSpec } from '../../../sources/kube/api-server.ts'
import { apiServerOpener, apiServerSpec } from '../../../sources/kube/api-server.ts'
import { listObjects } from '../../../sources/kube/list.ts'
import { discoveredPod } from '../../../sources/kube/objects.ts'
import { serve, world } from '../loopback.ts'
import { type ApiServerStage, kubeAnswers, withApiServer } from './replay.ts'

const pod = (name: string) => ({ metadata: { name, namespace: 'shop' }, spec: { containers: [] }, status: {} })
const answers = kubeAnswers({ lists: { pods: [pod('a'), pod('b')] } })
const folder = mkdtempSync(join(tmpdir(), 'whodunit-kube-'))
const written = (name: string, text: string) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const opener = (secrets: Record<string, string> = {}) =>
  apiServerOpener({ nowMs: () => 0, secret: (reference) => secrets[reference] ?? fail(reference) })
const fail = (reference: string): never => {
  throw new Error(`no ${reference}`)
}
const pods = async (spec: ApiServerSpec, secrets?: Record<string, string>) => {
  const opened = await opener(secrets)(spec)
  return listObjects({ resource: 'pods', shape: discoveredPod }, world({ apiServer: opened }), { limit: 10 })
}
const kubeconfig = ({ url, ca, client }: ApiServerStage) => {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const user = { 'client-certificate-data': base64(client.certPem), 'client-key-data': base64(client.keyPem) }
  return JSON.stringify({
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'x', user }],
  })
}

test('a client certificate of a kubeconfig lets us in, and the server is checked with the CA beside it', async () => {
  await withApiServer(answers, async (stage) => {
    const read = await pods(
      { kind: 'kubeconfig', content: 'secret:KUBECONFIG' },
      { 'secret:KUBECONFIG': kubeconfig(stage) },
    )
    expect(read).toMatchObject({ status: 'read', value: { items: [{ metadata: { name: 'a' } }, {}] } })
    const socket = stage.requests[0]?.socket as TLSSocket
    expect([socket.authorized, socket.getPeerCertificate().subject.CN]).toEqual([true, 'whodunit'])
  })
})

test('a server whose certificate another CA signed is not shown the token', async () => {
  await withApiServer(answers, async (real) => {
    await withApiServer(answers, async (other) => {
      const caFile = written('other-ca.crt', other.ca)
      const read = await pods({ kind: 'url', url: real.url, token: 'secret:T', caFile }, { 'secret:T': 'abc' })
      expect(read).toMatchObject({ status: 'unreadable', why: expect.stringContaining('is not trusted') })
      expect(real.requests).toEqual([])
    })
  })
})

test('a token file is read again for every use', async () => {
  await withApiServer(answers, async ({ url, ca, requests }) => {
    const tokenFile = written('token', 'first\n')
    const open = opener()
    const spec: ApiServerSpec = { kind: 'url', url, tokenFile, caFile: written('ca.crt', ca) }
    for (const token of ['first', 'second']) {
      written('token', `${token}\n`)
      await listObjects({ resource: 'pods', shape: discoveredPod }, world({ apiServer: await open(spec) }), {
        limit: 1,
      })
    }
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second'])
  })
})

test('an EKS token is kept for ten minutes, then made again', async () => {
  const clock = { nowMs: Date.UTC(2026, 0, 1) }
  let asked = 0
  const open = apiServerOpener({
    nowMs: () => clock.nowMs,
    secret: fail,
    awsCredentials: async () => {
      asked++
      return { accessKeyId: 'a', secretAccessKey: 'b' }
    },
  })
  const spec: ApiServerSpec = {
    kind: 'eks',
    name: 'prod',
    region: 'eu-west-1',
    url: 'https://x.eks.amazonaws.com',
    ca: 'Q0E=',
  }
  const first = await open(spec)
  clock.nowMs += 9 * 60_000
  expect(await open(spec)).toEqual(first)
  clock.nowMs += 2 * 60_000
  expect(await open(spec)).not.toEqual(first)
  expect([asked, first]).toMatchObject([2, { status: 'read', value: { tls: { ca: 'CA' } } }])
})

test.each<{ given: string; spec: ApiServerSpec; why: string }>([
  {
    given: 'a file that is not there',
    spec: { kind: 'kubeconfig', file: '/nowhere/config' },
    why: '/nowhere/config cannot be read: ENOENT',
  },
  {
    given: 'a secret that is not there',
    spec: { kind: 'url', url: 'https://k', token: 'secret:T' },
    why: 'secret:T is not available here',
  },
  { given: 'no service account', spec: { kind: 'in-cluster' }, why: 'serviceaccount/token cannot be read: ENOENT' },
  {
    given: 'no credentials',
    spec: { kind: 'eks', name: 'p', region: 'eu-west-1', url: 'https://k', ca: 'Q0E=' },
    why: 'no AWS credentials',
  },
])('$given is said', async ({ spec, why }) => {
  expect(await pods(spec)).toMatchObject({ status: 'unreadable', why: expect.stringContaining(why) })
})

test('the token goes to the API server and to nobody beside it', async () => {
  const other = await serve((_, response) => response.end('up 1\n'))
  await withApiServer(answers, async ({ url, ca }) => {
    const apiServer = { status: 'read' as const, value: { url: `${url}/k8s/a`, bearer: 'abc', tls: { ca } } }
    const { readHttp } = await import('../../../sources/http.ts')
    const get = (target: string) =>
      readHttp({ url: target }, world({ apiServer }), {
        accept: '*/*',
        begin: () => ({ status: 'read', value: () => undefined }),
      })
    await get(`${other.url}/metrics`)
    expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
    // Another cluster behind the same front is not ours, and its certificate is not checked with our CA.
    expect(await get(`${url}/k8s/ab/api`)).toMatchObject({ why: expect.stringContaining('is not trusted') })
  })
  await other.close()
})

test('the schema wants one way, and https', () => {
  const ok = (spec: unknown) => apiServerSpec.safeParse(spec).success
  expect(ok({ kind: 'kubeconfig' })).toBe(false)
  expect(ok({ kind: 'kubeconfig', file: 'a', content: 'secret:B' })).toBe(false)
  expect(ok({ kind: 'url', url: 'http://k' })).toBe(false)
})
