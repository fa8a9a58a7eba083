import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm'
import { MissingSecretError } from '../config/contract.ts'
import { causeOf } from './cause.ts'
import { clientOptions } from './clients.ts'
import { secretParameter } from './contract.ts'

export type SecretsOptions = {
  /** Of the hub's region. */
  client: SSMClient
  /** `aws.name` of the config. */
  name: string
  /** Where they are kept, for the sentence that says how to set one. */
  region?: string
  /** The `secret:` references this function needs, and may read. */
  references: readonly string[]
  nowMs: () => number
}

/** `kept`: not all could be asked for; what was known before is still used. */
export type Refresh = { status: 'fresh' } | { status: 'kept'; cause: string }

export type Secrets = {
  /** Fetches what is older than five minutes; call it before every piece of work. Never rejects. */
  refresh: () => Promise<Refresh>
  /**
   * Throws a sentence that names the reference, never a value: a `MissingSecretError` with how to set it when SSM said
   * that it is not there, another error while SSM said nothing of it.
   */
  secret: (reference: string) => string
}

const freshMs = 5 * 60_000
/** When something is missing or SSM did not answer, it is asked again sooner, but not with every message. */
const retryMs = 30_000
/** While SSM did not answer and there is no older value to use, a page waits for it. */
const soonMs = 2000
const timeoutMs = 3000
/** SSM's limit for one GetParameters. */
const askedAtOnce = 10

const inTens = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / askedAtOnce) }, (_, at) =>
    all.slice(at * askedAtOnce, (at + 1) * askedAtOnce),
  )

const missing = (reference: string | undefined, at: { parameter: string; region: string | undefined }): Error => {
  const where = at.region === undefined ? '' : ` --region ${at.region}`
  const how = `aws ssm put-parameter${where} --type SecureString --name ${at.parameter} --value …`
  return new MissingSecretError(`${reference} is not known (it is not there). Set it: ${how}`)
}

/** The secrets of a deployed function: SSM SecureStrings, fetched once per container and kept fresh. */
export const ssmSecrets = ({ client, name, region, references, nowMs }: SecretsOptions): Secrets => {
  const values = new Map<string, string>()
  const whyNot = new Map<string, Error>()
  const wanted = new Map([...new Set(references)].map((reference) => [secretParameter(name, reference), reference]))
  let askAgainAtMs = Number.NEGATIVE_INFINITY
  let underWay: Promise<Refresh> | undefined

  const ask = async (parameters: readonly string[]): Promise<string | undefined> => {
    try {
      const command = new GetParametersCommand({ Names: [...parameters], WithDecryption: true })
      const { Parameters = [] } = await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) })
      const found = new Map(Parameters.map(({ Name = '', Value }) => [Name, Value]))
      for (const parameter of parameters) {
        const value = found.get(parameter)
        if (value === undefined) values.delete(parameter)
        else values.set(parameter, value)
        whyNot.set(parameter, missing(wanted.get(parameter), { parameter, region }))
      }
      return undefined
    } catch (thrown) {
      const cause = causeOf(thrown)
      for (const parameter of parameters) {
        whyNot.set(parameter, new Error(`${wanted.get(parameter)} is not known: SSM could not be asked: ${cause}`))
      }
      return cause
    }
  }

  const fetchAll = async (): Promise<Refresh> => {
    const causes = await Promise.all(inTens([...wanted.keys()]).map(ask))
    const cause = causes.find((one) => one !== undefined)
    const known = [...wanted.keys()].every((parameter) => values.has(parameter))
    if (cause === undefined) askAgainAtMs = nowMs() + (known ? freshMs : retryMs)
    else askAgainAtMs = nowMs() + (known ? retryMs : soonMs)
    return cause === undefined ? { status: 'fresh' } : { status: 'kept', cause }
  }

  return {
    refresh: async () => {
      if (wanted.size === 0 || (underWay === undefined && nowMs() < askAgainAtMs)) return { status: 'fresh' }
      underWay ??= fetchAll()
      try {
        return await underWay
      } finally {
        underWay = undefined
      }
    },
    secret: (reference) => {
      const parameter = secretParameter(name, reference)
      const value = values.get(parameter)
      if (value !== undefined) return value
      if (!wanted.has(parameter)) {
        throw new MissingSecretError(`${reference} is not among what this function may read`)
      }
      throw whyNot.get(parameter) ?? new Error(`${reference} is not known: it was not asked for yet`)
    },
  }
}

/** The secrets of a function as it was deployed. */
export const deployedSecrets = (
  { name, region, nowMs }: { name: string; region: string; nowMs: () => number },
  references: readonly string[],
): Secrets => ssmSecrets({ client: new SSMClient(clientOptions(region)), name, region, references, nowMs })
