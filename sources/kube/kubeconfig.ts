import { isAbsolute, join } from 'node:path'
import * as z from 'zod'
import type { Reading } from '../contract.ts'

/** Text that stands in the kubeconfig itself, in base64, or in a file it names. */
export type Material = { text: string } | { file: string }

/** One context of a kubeconfig: where its API server is and what it is shown. Files are named, not yet read. */
export type KubeContext = {
  url: string
  ca?: Material
  token?: Material
  certificate?: { cert: Material; key: Material }
}

const limitBytes = 1024 * 1024

const clusterEntry = z.object({
  server: z.string(),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'proxy-url': z.string().optional(),
})
const userEntry = z.object({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
  username: z.string().optional(),
  exec: z.object({ command: z.string().optional() }).optional(),
  'auth-provider': z.unknown().optional(),
})
const contextEntry = z.object({ cluster: z.string(), user: z.string() })
const file = z.object({
  'current-context': z.string().optional(),
  contexts: z.array(z.object({ name: z.string(), context: contextEntry })).nullish(),
  clusters: z.array(z.object({ name: z.string(), cluster: clusterEntry })).nullish(),
  users: z.array(z.object({ name: z.string(), user: userEntry })).nullish(),
})
type Cluster = z.output<typeof clusterEntry>
type User = z.output<typeof userEntry>

const unreadable = (why: string): { status: 'unreadable'; why: string } => ({ status: 'unreadable', why })

/**
 * Text to data; throws when it cannot. On a Lambda it is JSON, which kubectl writes as well: a library for YAML is a tenth
 * of what its cold start loads.
 */
export type ParseText = (text: string) => unknown

/** Only the shape of what is wrong is told: a kubeconfig is full of secrets, and a parser's errors quote it. */
const parsed = (text: string, parse: ParseText): Reading<z.output<typeof file>> => {
  if (text.length > limitBytes) return unreadable('the kubeconfig is larger than 1 MB')
  let data: unknown
  try {
    data = parse(text)
  } catch {
    return unreadable(
      'the kubeconfig cannot be parsed; `kubectl config view --minify --flatten --raw -o json` writes one that can',
    )
  }
  const result = file.safeParse(data)
  if (result.success) return { status: 'read', value: result.data }
  const [issue] = result.error.issues
  return unreadable(`this is no kubeconfig: ${issue?.path.join('.') || 'the file'} has an unexpected shape`)
}

const materialOf = (data: string | undefined, path: string | undefined, folder: string): Material | undefined => {
  if (data !== undefined) return { text: Buffer.from(data, 'base64').toString('utf8') }
  return path === undefined ? undefined : { file: isAbsolute(path) ? path : join(folder, path) }
}

/** What of a user's entry we do not do, and what to do instead. */
const refusal = (name: string, user: User): string | undefined => {
  if (user.exec !== undefined) {
    const command = user.exec.command?.split('/').at(-1) ?? 'a program'
    const eks = /^aws(-iam-authenticator)?$/.test(command)
    const hint = eks ? 'use `kind: eks`, which makes the same token' : 'give it the token of a service account'
    return `user ${name} runs ${command} to get its token, and whodunit runs no programs: ${hint}`
  }
  if (user['auth-provider'] !== undefined)
    return `user ${name} has an auth-provider, which Kubernetes no longer knows: give it the token of a service account`
  if (user.username !== undefined)
    return `user ${name} has a password, which Kubernetes no longer takes: give it the token of a service account`
  return undefined
}

const clusterRefusal = (name: string, cluster: Cluster): string | undefined => {
  if (cluster['insecure-skip-tls-verify'] === true)
    return `cluster ${name} has insecure-skip-tls-verify: give it certificate-authority-data, or anybody could be shown the token`
  if (cluster['proxy-url'] !== undefined) return `cluster ${name} has a proxy-url, which is not supported`
  if (!URL.canParse(cluster.server) || new URL(cluster.server).protocol !== 'https:')
    return `the server of cluster ${name} is no https:// address`
  return undefined
}

const connectionOf = (cluster: Cluster, user: User, folder: string): KubeContext => {
  const ca = materialOf(cluster['certificate-authority-data'], cluster['certificate-authority'], folder)
  const cert = materialOf(user['client-certificate-data'], user['client-certificate'], folder)
  const key = materialOf(user['client-key-data'], user['client-key'], folder)
  // As kubectl has it: a token file wins, since it may have been renewed.
  const token = materialOf(undefined, user.tokenFile, folder) ?? (user.token ? { text: user.token } : undefined)
  return {
    url: cluster.server,
    ...(ca && { ca }),
    ...(token && { token }),
    ...(cert && key && { certificate: { cert, key } }),
  }
}

/**
 * Reads a kubeconfig: the context named, else its current one. Relative files are those beside it (`folder`).
 * Programs it would run to log in are refused, since a Lambda has none of them and a config must not run any.
 */
export const readKubeconfig = (
  text: string,
  at: { context?: string | undefined; folder: string; parse: ParseText },
): Reading<KubeContext> => {
  const config = parsed(text, at.parse)
  if (config.status === 'unreadable') return config
  const { contexts, clusters, users } = config.value
  const wanted = at.context ?? config.value['current-context'] ?? ''
  const context = contexts?.find(({ name }) => name === wanted)?.context
  if (!context) {
    const names = contexts?.map(({ name }) => name).join(', ') || 'none'
    return unreadable(`the kubeconfig has no context ${wanted || 'by default (current-context)'}; it has ${names}`)
  }
  const cluster = clusters?.find(({ name }) => name === context.cluster)?.cluster
  const user = users?.find(({ name }) => name === context.user)?.user
  if (!cluster) return unreadable(`the kubeconfig has no cluster ${context.cluster}`)
  if (!user) return unreadable(`the kubeconfig has no user ${context.user}`)
  const why = clusterRefusal(context.cluster, cluster) ?? refusal(context.user, user)
  return why === undefined ? { status: 'read', value: connectionOf(cluster, user, at.folder) } : unreadable(why)
}
