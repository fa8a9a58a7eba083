import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { PublishCommandInput } from '@aws-sdk/client-sns'
import pLimit from 'p-limit'
import { httpUrl } from '../../config/contract.ts'
import type { Config } from '../../config/schema.ts'
import { secretsOf } from '../../config/secret-refs.ts'
import type { Sighting } from '../../probes/contract.ts'
import { probeTarget } from '../../probes/registry.ts'
import { monitorRunner } from '../probe/config.ts'
import { type Look, type Page, type Place, renderPage, type View } from './config-page.ts'
import type { Told } from './decide.ts'
import { causeOf, type PingResult, type WatchWorld, within } from './step.ts'

/** Clocks and secrets of one location. Secrets are kept in the hub's region, which may be what is dead. */
type Outside = {
  nowMs: () => number
  secret: (reference: string) => string
  /** Fetches the secrets when they are old; `kept`: what was known before is still used. It may hang. */
  refresh: () => Promise<{ status: 'fresh' } | { status: 'kept'; cause: string }>
}

type Limits = { monitors: number; atOnce: number; overallMs: number }
/** A page that lists more would not be read, and one that comes later would be worse. */
const limits: Limits = { monitors: 200, atOnce: 50, overallMs: 20_000 }
const refreshDeadlineMs = 2000
const pingDeadlineMs = 5000
const publishDeadlineMs = 10_000

/** What the stack tells `watch`. */
export const watchVariables = [
  'WHODUNIT_NAME',
  'WHODUNIT_HUB_REGION',
  'WHODUNIT_TABLE',
  'WHODUNIT_WATCH_TABLE',
  'WHODUNIT_LOCATION',
  'WHODUNIT_OPERATORS_TOPIC',
] as const

const agent = { keepAlive: false }
/** Options for a client of `watch`: a connection that a sleeping Lambda kept may hang, and would pass for a dead hub. */
export const fresh = (region?: string) => ({
  ...(region === undefined ? {} : { region }),
  requestHandler: { httpAgent: agent, httpsAgent: agent },
})
/** Reading is over before the step gives it up, so that the page can say what was answered. */
export const storeTimes = { requestTimeoutMs: 1800, deadlineMs: 1800 }

/** The secrets `watch` may need in a location. */
export const referencesOf = (config: Config, location: string): string[] => {
  const { monitors, watch } = secretsOf(config)
  return [...new Set([...monitors(location), ...watch])]
}

const refreshed = async ({ refresh }: Outside): Promise<string | undefined> => {
  try {
    const answer = await within(refreshDeadlineMs, refresh())
    return answer.status === 'kept' ? `secrets could not be read: ${answer.cause}` : undefined
  } catch (thrown) {
    return `secrets could not be read: ${causeOf(thrown)}`
  }
}

/** Which monitors look from a location, in the config's order. */
const monitorsAt = (config: Config, location: string) =>
  Object.entries(config.monitors).filter(([, spec]) => (spec.locations ?? config.locations).includes(location))

/**
 * Looks once at everything that is looked at from `location`, within `overallMs`. A look that was begun and not ended by
 * then is `unknown`, since one that hangs may well be what is broken; one that was not begun is only counted.
 */
export const viewFrom =
  (config: Config, location: string, outside: Outside & { limits?: Limits }) => async (): Promise<View> => {
    const { nowMs, secret } = outside
    const { monitors, atOnce, overallMs } = outside.limits ?? limits
    const atMs = nowMs()
    const trouble = await refreshed(outside)
    const all = monitorsAt(config, location)
    const stopped = AbortSignal.timeout(overallMs)
    const run = monitorRunner(config, { nowMs, secret, stopped })
    const limit = pLimit(atOnce)
    const looks = new Map<string, Look>()
    const look = async ([monitorId, spec]: (typeof all)[number]) => {
      if (stopped.aborted) return
      const at = { monitorId, service: spec.service, target: probeTarget(spec) }
      looks.set(monitorId, { ...at, verdict: 'unknown', detail: `no verdict within ${overallMs / 1000} s` })
      const { verdict, cause }: Sighting = await run(monitorId)
      // What a look that was called off saw says nothing about its target.
      if (!stopped.aborted) looks.set(monitorId, { ...at, verdict, ...(cause ? { detail: cause.detail } : {}) })
    }
    await ended(Promise.all(all.slice(0, monitors).map((one) => limit(() => look(one)))), stopped)
    const seen = [...looks.values()]
    return { atMs, looks: seen, notLookedAt: all.length - seen.length, ...(trouble === undefined ? {} : { trouble }) }
  }

/** Resolves when the work has, or when the signal fires. */
const ended = async (work: Promise<unknown>, signal: AbortSignal): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = () => resolve()
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  await Promise.race([work, promise])
  signal.removeEventListener('abort', stop)
}

/** What goes to the location's own topic: the page, for phones a short text, and the key to merge by. */
const publishInput = (topicArn: string, page: Page, place: Place): PublishCommandInput => {
  const attributes = { dedupKey: page.dedupKey, event: page.event, severity: 'page', location: place.location }
  return {
    TopicArn: topicArn,
    Subject: page.subject,
    Message: JSON.stringify({ default: page.text, sms: page.short }),
    MessageStructure: 'json',
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
    ),
  }
}

type Pager = {
  nowMs: () => number
  view: () => Promise<View>
  topicArn: string
  publish: (input: PublishCommandInput) => Promise<unknown>
}

/** Publishes pages to the location's own topic. What is seen from here is added; failing to see never stops a page. */
export const pager =
  (place: Place, world: Pager): WatchWorld['page'] =>
  async (told: Told) => {
    const view = told.event === 'resolved' ? undefined : await viewOrWhyNot(world)
    const page = renderPage(told, place, { nowMs: world.nowMs(), ...(view ? { view } : {}) })
    await within(publishDeadlineMs, world.publish(publishInput(world.topicArn, page, place)))
  }

const viewOrWhyNot = async ({ view, nowMs }: Pager): Promise<View> => {
  try {
    return await view()
  } catch (thrown) {
    return { atMs: nowMs(), looks: [], notLookedAt: 0, trouble: `could not look from here: ${causeOf(thrown)}` }
  }
}

/**
 * Tells the dead-man's switch, in one GET over a fresh connection, since one that a sleeping Lambda kept may be gone.
 * Every location does: the switch falls silent when none of them sees the hub well, and one region's outage is no alarm.
 * Its address is itself a secret, so nothing of it but the host's part of an error is ever said.
 */
export const deadMansSwitch =
  (config: Config, outside: Outside): WatchWorld['ping'] =>
  async () => {
    const named = config.aws.deadMansSwitch
    if (named === undefined) return { status: 'none' }
    try {
      const address = named.startsWith('secret:') ? await secretAddress(named, outside) : named
      if (!httpUrl.safeParse(address).success) return { status: 'failed', why: `${named} is no http or https address` }
      return await get(new URL(address))
    } catch (thrown) {
      return { status: 'failed', why: causeOf(thrown) }
    }
  }

const secretAddress = async (reference: string, outside: Outside): Promise<string> => {
  // An old value is as good as a new one; without any, `secret` says what is missing.
  await refreshed(outside)
  return outside.secret(reference)
}

const get = (url: URL): Promise<PingResult> => {
  const { promise, resolve } = Promise.withResolvers<PingResult>()
  const signal = AbortSignal.timeout(pingDeadlineMs)
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  const asked = send(url, { agent: false, signal, headers: { 'user-agent': 'whodunit' } }, (answer) => {
    const { statusCode = 0 } = answer
    answer.on('error', () => undefined)
    answer.destroy()
    resolve(
      statusCode >= 200 && statusCode <= 299
        ? { status: 'told' }
        : { status: 'failed', why: `it answered ${statusCode}` },
    )
  })
  asked.on('error', (error) => {
    resolve({ status: 'failed', why: signal.aborted ? `no answer within ${pingDeadlineMs / 1000} s` : error.message })
  })
  asked.end()
  return promise
}

/** What `watch` does outside, in one location of a config. */
export const watchWorld = (
  config: Config,
  at: { place: Place; topicArn: string; publish: Pager['publish'] } & Outside,
): Pick<WatchWorld, 'nowMs' | 'page' | 'ping'> => ({
  nowMs: at.nowMs,
  page: pager(at.place, { ...at, view: viewFrom(config, at.place.location, at) }),
  ping: deadMansSwitch(config, at),
})
