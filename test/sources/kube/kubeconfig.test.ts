import { expect, test } from '@jest/globals'
import { parseKubeconfig } from '../../../cli/hub/kubeconfig.ts'
import { readKubeconfig } from '../../../sources/kube/kubeconfig.ts'

const config = (user: string, cluster = 'server: https://10.0.0.1:6443') => `
apiVersion: v1
kind: Config
current-context: prod
contexts: [{ name: prod, context: { cluster: c, user: u, namespace: shop } }]
clusters: [{ name: c, cluster: { ${cluster} } }]
users: [{ name: u, user: { ${user} } }]
`
const base64 = (text: string) => Buffer.from(text).toString('base64')
const read = (text: string, context?: string) =>
  readKubeconfig(text, { context, folder: '/home/me/.kube', parse: parseKubeconfig })

test.each([
  { given: 'a token', user: 'token: abc', has: { token: { text: 'abc' } } },
  {
    given: 'a token file, which wins',
    user: 'token: old, tokenFile: /run/token',
    has: { token: { file: '/run/token' } },
  },
  { given: 'a file beside it', user: 'tokenFile: token', has: { token: { file: '/home/me/.kube/token' } } },
  {
    given: 'a client certificate in it',
    user: `client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}`,
    has: { certificate: { cert: { text: 'CERT' }, key: { text: 'KEY' } } },
  },
])('a user with $given', ({ user, has }) => {
  expect(read(config(user))).toEqual({ status: 'read', value: { url: 'https://10.0.0.1:6443', ...has } })
})

test('the authority is read from the data, else named by its file', () => {
  const data = read(config('token: a', `server: "https://k", certificate-authority-data: ${base64('CA')}`))
  expect(data).toMatchObject({ value: { ca: { text: 'CA' } } })
  const file = read(config('token: a', 'server: "https://k", certificate-authority: ca.crt'))
  expect(file).toMatchObject({ value: { ca: { file: '/home/me/.kube/ca.crt' } } })
})

test.each([
  { given: 'an exec plugin of EKS', text: config('exec: { command: aws }'), why: 'use `kind: eks`' },
  {
    given: 'another exec plugin',
    text: config('exec: { command: /usr/bin/gke-gcloud-auth-plugin }'),
    why: 'runs gke-gcloud-auth-plugin',
  },
  { given: 'an auth-provider', text: config('auth-provider: { name: gcp }'), why: 'no longer knows' },
  { given: 'a password', text: config('username: admin, password: hunter2'), why: 'a password' },
  {
    given: 'TLS that is not checked',
    text: config('token: a', 'server: "https://k", insecure-skip-tls-verify: true'),
    why: 'insecure-skip-tls-verify',
  },
  { given: 'a plain http server', text: config('token: a', 'server: "http://k"'), why: 'no https://' },
  { given: 'something else', text: 'hello: [1]', why: 'no context by default' },
  { given: 'no YAML', text: 'token: "hunter2', why: 'cannot be parsed' },
  { given: 'a wrong shape', text: 'users: hunter2', why: 'users has an unexpected shape' },
])('$given is refused with a way out, and without what stands in it', ({ text, why }) => {
  const result = read(text)
  expect(result).toMatchObject({ status: 'unreadable', why: expect.stringContaining(why) })
  expect(JSON.stringify(result)).not.toContain('hunter2')
})

test('a context that is not there is told with those that are', () => {
  expect(read(config('token: a'), 'staging')).toMatchObject({
    why: 'the kubeconfig has no context staging; it has prod',
  })
})
