import * as z from 'zod'
import { orAborted } from './abort.ts'
import type { Reading, SourceWorld } from './contract.ts'
import { errorCode, oneLine } from './http-errors.ts'

/** Let in as the AWS role or user that whodunit runs as; the service is `aps` for Amazon Managed Prometheus. */
export const sigv4 = z.strictObject({
  region: z.string().regex(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'an AWS region like eu-central-1'),
  service: z.string().min(1).default('aps'),
})
export type Sigv4 = z.output<typeof sigv4>

export type Signed = { headers: Readonly<Record<string, string>>; secrets: readonly string[] }

/** The SDK's own way to credentials: environment, profile, the role of a function or a machine. */
const credentials = async () => {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
  return defaultProvider()()
}

/** The headers that sign a GET of `url` (AWS Signature Version 4). What they hold of credentials must not be shown. */
export const signedHeaders = async (
  url: string,
  pass: Sigv4,
  world: Pick<SourceWorld, 'nowMs' | 'signal'>,
): Promise<Reading<Signed>> => {
  const { protocol, host, hostname, pathname, searchParams } = new URL(url)
  const query: Record<string, string[]> = {}
  for (const name of new Set(searchParams.keys())) query[name] = searchParams.getAll(name)
  try {
    const own = await orAborted(credentials(), world.signal)
    const { awsSigner } = await import('./aws-signer.ts')
    const signer = awsSigner(pass, own)
    const request = { method: 'GET', protocol, hostname, path: pathname, query, headers: { host } }
    const { headers } = await signer.sign(request, { signingDate: new Date(world.nowMs()) })
    const { host: _, ...rest } = headers
    return { status: 'read', value: { headers: rest, secrets: own.sessionToken ? [own.sessionToken] : [] } }
  } catch (error) {
    if (world.signal.aborted) return { status: 'unreadable', why: 'no AWS credentials in time' }
    const why = error instanceof Error ? error.name : errorCode(error)
    return { status: 'unreadable', why: `no AWS credentials to sign with: ${oneLine(why, 60)}` }
  }
}
