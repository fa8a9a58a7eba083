import * as z from 'zod'

/** What is read of a thrown value; `instanceof` would miss errors that another realm or another copy of a library made. */
const thrown = z.object({
  name: z.string().catch('Error'),
  message: z.string().catch(''),
  code: z.string().optional().catch(undefined),
  /** Where the AWS SDK keeps the status of the answer, absent without one, and that the answer corrected its clock. */
  $metadata: z
    .object({ httpStatusCode: z.number().optional(), clockSkewCorrected: z.boolean().optional() })
    .optional()
    .catch(undefined),
  errors: z.array(z.unknown()).optional().catch(undefined),
})

/** `clockCorrected`: the client has just learnt how wrong our clock is and signs its next request with the right time. */
export type Failure = { name: string; message: string; code?: string; statusCode?: number; clockCorrected: boolean }

/** A thrown value as plain data, whatever it is. */
export const failureOf = (error: unknown): Failure => {
  const { data } = thrown.safeParse(error)
  if (!data) return { name: 'Error', message: 'it failed without saying why', clockCorrected: false }
  const { name, code, errors } = data
  // Both addresses of one name may fail together; the whole then says nothing of its own.
  const message = data.message || (errors?.length ? failureOf(errors[0]).message : '') || code || name
  const { httpStatusCode: statusCode, clockSkewCorrected: clockCorrected = false } = data.$metadata ?? {}
  return {
    name,
    message,
    clockCorrected,
    ...(code !== undefined && { code }),
    ...(statusCode !== undefined && { statusCode }),
  }
}

/** Statuses that a gateway, or a program on its way down, also answers for a message that was taken (RFC 9110, 15.5.9 and 15.6). */
export const mayFollowTaking = (statusCode: number): boolean => [408, 500, 502, 504, 520, 524].includes(statusCode)
