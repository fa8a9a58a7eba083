/** What programs say to `api` and what it answers: JSON below `/api/v1`. */
import * as z from 'zod'
import { severity } from '../config/contract.ts'
import { matcher } from '../config/matchers.ts'
import { silenceRequest } from './contract.ts'
import { silence } from './hub-state.ts'

const name = z.string().trim().min(1).max(100)

/** `POST /api/v1/silences`. It begins now unless `startsAtMs` says otherwise; `forSeconds` counts from its begin. */
export const silenceBody = z
  .strictObject({
    matchers: z.array(matcher).min(1).max(20),
    author: name,
    reason: z.string().trim().min(1).max(200),
    startsAtMs: z.int().nonnegative().optional(),
    endsAtMs: z.int().nonnegative().optional(),
    forSeconds: z.int().min(1).optional(),
    /** It ends with this incident, if that comes first. */
    incidentId: z.string().min(1).max(200).optional(),
  })
  .refine(
    ({ endsAtMs, forSeconds }) => (endsAtMs === undefined) !== (forSeconds === undefined),
    'either endsAtMs or forSeconds',
  )
export type SilenceBody = z.infer<typeof silenceBody>

/** `POST /api/v1/incidents/:id/acknowledge`. */
export const acknowledgeBody = z.strictObject({ by: name })

/** An incident in a few words. */
export const incidentBrief = z.strictObject({
  id: z.string(),
  service: z.string(),
  severity,
  status: z.enum(['open', 'acknowledged', 'resolved']),
  sinceMs: z.number(),
  summary: z.string(),
})
export type IncidentBrief = z.infer<typeof incidentBrief>

/** `hides`: the open incidents that it keeps quiet, as they stand now. */
export const silenceAnswer = z.strictObject({ silence: silenceRequest, hides: z.array(incidentBrief) })
export type SilenceAnswer = z.infer<typeof silenceAnswer>

/** `asked`: written, and `correlate` will apply it in a moment. */
export const listedSilence = silence.extend({ state: z.enum(['asked', 'to-come', 'in-force']) })
export type ListedSilence = z.infer<typeof listedSilence>

export const silenceList = z.strictObject({ silences: z.array(listedSilence) })

export const endAnswer = z.strictObject({ silence: listedSilence })
export type EndAnswer = z.infer<typeof endAnswer>

/** `pending`: it is written and `correlate` will apply it in a moment. Otherwise somebody was first, or it is over. */
export const acknowledgeAnswer = z.strictObject({
  status: z.enum(['pending', 'acknowledged', 'resolved']),
  incident: incidentBrief,
  /** Who has it, and since when. */
  by: z.string().optional(),
  atMs: z.number().optional(),
})
export type AcknowledgeAnswer = z.infer<typeof acknowledgeAnswer>

export const refusalCode = z.enum([
  'unknown-incident',
  'incident-over',
  'unknown-silence',
  'maintenance-window',
  'too-long',
  'over-already',
  'matches-everything',
  'too-many',
])
/** Why something was not done: a sentence, and what to do about it. */
export const refusal = z.strictObject({ code: refusalCode, message: z.string(), hint: z.string() })
export type Refusal = z.infer<typeof refusal>

/** What `api` answers instead, with a status of 400 or more. */
export const apiError = z.strictObject({ error: refusal.extend({ code: z.string() }) })
export type ApiError = z.infer<typeof apiError>['error']

export type Answer<T, Why extends ApiError = Refusal> = { ok: true; answer: T } | { ok: false; refusal: Why }
