import type * as z from 'zod'
import { acknowledged } from '../functions/api/silences.ts'
import { acknowledgeStep } from '../functions/api/step.ts'
import {
  askedSilences,
  endSilenceStep,
  listSilences,
  silenceStep,
  suggestIncident,
} from '../functions/api/step-silences.ts'
import {
  type AcknowledgeAnswer,
  type Answer,
  type ApiError,
  acknowledgeAnswer,
  apiError,
  type EndAnswer,
  endAnswer,
  type ListedSilence,
  type SilenceAnswer,
  type SilenceBody,
  silenceAnswer,
  silenceList,
} from '../functions/api-contract.ts'
import type { Store } from '../stores/contract.ts'

type Told<T> = Promise<Answer<T, ApiError>>

/** A hub that can be asked for silences and acknowledgements: the store beside us, or one that is deployed. */
export type Alerting = {
  silence: (body: SilenceBody) => Told<SilenceAnswer>
  silences: () => Told<ListedSilence[]>
  endSilence: (id: string, by: string) => Told<EndAnswer>
  acknowledge: (incidentId: string, by: string) => Told<AcknowledgeAnswer>
}

/** Writes the rows that a `serve` beside us finds with its next sweep, within a second or so. */
export const storeAlerting = (store: Store, nowMs: () => number): Alerting => {
  const world = { store, nowMs, nudge: async () => undefined, warn: () => undefined }
  return {
    silence: silenceStep(world),
    silences: async () => {
      const asked = await askedSilences(world)
      const kept = await listSilences(world)
      const fresh = asked.filter(({ id }) => !kept.some((one) => one.id === id))
      return { ok: true, answer: [...kept, ...fresh] }
    },
    endSilence: (id, by) => endSilenceStep(world)({ id, by }),
    acknowledge: async (incidentId, by) => {
      const now = await acknowledgeStep(world)({ incidentId, by })
      if (now.status === 'gone') return { ok: false, refusal: await suggestIncident(store, incidentId) }
      return { ok: true, answer: acknowledged(now) }
    },
  }
}

const deadlineMs = 10_000

const failed = (code: string, message: string, hint: string): { ok: false; refusal: ApiError } => ({
  ok: false,
  refusal: { code, message, hint },
})

const why = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${deadlineMs / 1000} s`
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** Asks a hub over HTTP. Its answers are checked; nothing but its own words and ours is ever shown. */
export const remoteAlerting = (hub: { url: string; token: string | undefined }): Alerting => {
  const base = `${hub.url.replace(/\/+$/, '')}/api/v1`
  const ask = async <T>(method: string, path: string, at: { schema: z.ZodType<T>; body?: unknown }): Told<T> => {
    const headers = {
      ...(hub.token === undefined ? {} : { authorization: `Bearer ${hub.token}` }),
      ...(at.body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const body = at.body === undefined ? {} : { body: JSON.stringify(at.body) }
    let data: unknown
    try {
      const signal = AbortSignal.timeout(deadlineMs)
      // A redirect would carry the token to who knows where.
      const response = await fetch(`${base}${path}`, { method, headers, signal, redirect: 'error', ...body })
      data = await response.json()
    } catch (error) {
      return failed('unreachable', `${hub.url} cannot be asked: ${why(error)}`, 'check --url; asking again is safe')
    }
    const answered = at.schema.safeParse(data)
    if (answered.success) return { ok: true, answer: answered.data }
    const refused = apiError.safeParse(data)
    if (refused.success) return { ok: false, refusal: refused.data.error }
    return failed('not-a-hub', `${hub.url} answers, but not as a hub of this version does`, 'check --url')
  }
  const part = encodeURIComponent
  return {
    silence: (body) => ask('POST', '/silences', { schema: silenceAnswer, body }),
    silences: async () => {
      const listed = await ask('GET', '/silences', { schema: silenceList })
      return listed.ok ? { ok: true, answer: listed.answer.silences } : listed
    },
    endSilence: (id, by) => ask('DELETE', `/silences/${part(id)}?by=${part(by)}`, { schema: endAnswer }),
    acknowledge: (id, by) =>
      ask('POST', `/incidents/${part(id)}/acknowledge`, { schema: acknowledgeAnswer, body: { by } }),
  }
}
