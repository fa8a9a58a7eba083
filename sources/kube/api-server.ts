import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as z from 'zod'
import { httpUrl, secretRef } from '../../config/contract.ts'
import type { ApiServer, AwsCredentials, Reading } from '../contract.ts'
import { errorCode, oneLine } from '../http-errors.ts'
import { eksToken, eksTokenMs } from './eks-token.ts'
import { type KubeContext, type Material, type ParseText, readKubeconfig } from './kubeconfig.ts'

const httpsUrl = httpUrl.refine((url) => url.startsWith('https:'), 'an https:// address: a token is sent to it')
const path = z.string().min(1)

/** How a cluster's API server is reached. */
export const apiServerSpec = z.discriminatedUnion('kind', [
  /** A pod's own service account: whodunit runs inside the cluster. */
  z.strictObject({ kind: z.literal('in-cluster') }),
  /** Exactly one of `file` and `content`, which is a secret that holds the whole file. */
  z
    .strictObject({
      kind: z.literal('kubeconfig'),
      file: path.optional(),
      content: secretRef.optional(),
      context: z.string().min(1).optional(),
    })
    .refine(({ file, content }) => (file === undefined) !== (content === undefined), 'exactly one of file and content'),
  /** As `aws eks describe-cluster` tells: `endpoint` is the url, `certificateAuthority.data` the ca. */
  z.strictObject({
    kind: z.literal('eks'),
    name: z.string().regex(/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/, 'the name of an EKS cluster'),
    region: z.string().regex(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'an AWS region like eu-central-1'),
    url: httpsUrl,
    ca: z.base64(),
  }),
  /** Its address, with a token or a client certificate; files are read again for every use. */
  z.strictObject({
    kind: z.literal('url'),
    url: httpsUrl,
    token: secretRef.optional(),
    tokenFile: path.optional(),
    clientCertificate: z.strictObject({ certFile: path, keyFile: path }).optional(),
    caFile: path.optional(),
  }),
])
export type ApiServerSpec = z.output<typeof apiServerSpec>

export type ApiServerWorld = {
  nowMs: () => number
  secret: (reference: string) => string
  /** The role we run as; absent where there is none. */
  awsCredentials?: (() => Promise<AwsCredentials>) | undefined
  /** What a kubeconfig is written in besides JSON. */
  parseKubeconfig?: ParseText | undefined
}

const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'
const inCluster: KubeContext = {
  url: 'https://kubernetes.default.svc',
  ca: { file: `${accountFolder}/ca.crt` },
  token: { file: `${accountFolder}/token` },
}

const unreadable = (why: string): { status: 'unreadable'; why: string } => ({ status: 'unreadable', why })

/** A reading of every part, or why the first one that failed cannot be read. */
class Unreadable extends Error {}

const textOf = async (material: Material, what: string): Promise<string> => {
  if ('text' in material) return material.text
  try {
    return await readFile(material.file, 'utf8')
  } catch (error) {
    throw new Unreadable(`${what} ${material.file} cannot be read: ${errorCode(error) || 'unknown error'}`)
  }
}

const bearerOf = async (token: Material): Promise<string> => {
  const text = (await textOf(token, 'the token file')).trim()
  if (text === '') throw new Unreadable('the token of the API server is empty')
  if (!/^[\x21-\x7e]+$/.test(text)) throw new Unreadable('the token of the API server holds what no header may carry')
  return text
}

const opened = async ({ url, ca, token, certificate }: KubeContext): Promise<ApiServer> => ({
  url: url.replace(/\/+$/, ''),
  ...(token && { bearer: await bearerOf(token) }),
  tls: {
    ...(ca && { ca: await textOf(ca, 'the certificate authority') }),
    ...(certificate && {
      cert: await textOf(certificate.cert, 'the client certificate'),
      key: await textOf(certificate.key, 'the client key'),
    }),
  },
})

const secretText = (reference: string, world: ApiServerWorld): string => {
  try {
    return world.secret(reference)
  } catch {
    // The error is not repeated: nobody promises that it does not quote the value.
    throw new Unreadable(`${reference} is not available here`)
  }
}

const kubeconfigOf = async (
  spec: Extract<ApiServerSpec, { kind: 'kubeconfig' }>,
  world: ApiServerWorld,
): Promise<KubeContext> => {
  const { file, content, context } = spec
  const text = content === undefined ? await textOf({ file: file ?? '' }, 'the kubeconfig') : secretText(content, world)
  const read = readKubeconfig(text, {
    context,
    folder: file === undefined ? '.' : dirname(file),
    parse: world.parseKubeconfig ?? JSON.parse,
  })
  if (read.status === 'unreadable') throw new Unreadable(read.why)
  return read.value
}

type Tokens = Map<string, { token: string; madeAtMs: number }>

const eksContext = async (
  { name, region, url, ca }: Extract<ApiServerSpec, { kind: 'eks' }>,
  world: ApiServerWorld,
  tokens: Tokens,
): Promise<KubeContext> => {
  if (!world.awsCredentials)
    throw new Unreadable(`no AWS credentials are at hand here to log in to EKS cluster ${name}`)
  const nowMs = world.nowMs()
  const key = `${region}/${name}`
  const known = tokens.get(key)
  const fresh = known !== undefined && nowMs - known.madeAtMs < eksTokenMs
  const token = fresh
    ? known.token
    : await eksToken({ name, region }, { credentials: await world.awsCredentials(), nowMs })
  if (!fresh) tokens.set(key, { token, madeAtMs: nowMs })
  return { url, ca: { text: Buffer.from(ca, 'base64').toString('utf8') }, token: { text: token } }
}

const contextOf = async (spec: ApiServerSpec, world: ApiServerWorld, tokens: Tokens): Promise<KubeContext> => {
  switch (spec.kind) {
    case 'in-cluster':
      return inCluster
    case 'kubeconfig':
      return kubeconfigOf(spec, world)
    case 'eks':
      return eksContext(spec, world, tokens)
    case 'url': {
      const { url, token, tokenFile, clientCertificate, caFile } = spec
      const shown = tokenFile ? { file: tokenFile } : token && { text: secretText(token, world) }
      const certificate = clientCertificate && {
        cert: { file: clientCertificate.certFile },
        key: { file: clientCertificate.keyFile },
      }
      return {
        url,
        ...(shown && { token: shown }),
        ...(certificate && { certificate }),
        ...(caFile && { ca: { file: caFile } }),
      }
    }
    default:
      return spec satisfies never
  }
}

/**
 * Opens API servers: files and secrets are read anew each time, so that a token that was renewed is used; only an EKS
 * token, which we make ourselves, is kept for a while. What is missing is said, never thrown.
 */
export const apiServerOpener = (world: ApiServerWorld): ((spec: ApiServerSpec) => Promise<Reading<ApiServer>>) => {
  const tokens: Tokens = new Map()
  return async (spec) => {
    try {
      return { status: 'read', value: await opened(await contextOf(spec, world, tokens)) }
    } catch (error) {
      if (error instanceof Unreadable) return unreadable(error.message)
      // Such as credentials that could not be fetched; their messages quote no secrets.
      return unreadable(
        `the API server cannot be logged in to: ${oneLine(error instanceof Error ? error.message : String(error))}`,
      )
    }
  }
}
