import * as z from 'zod'

/** What is read of a thrown value; `instanceof` would miss errors that another realm or another copy of a library made. */
const thrown = z.object({
  name: z.string().catch('Error'),
  message: z.string().catch(''),
  code: z.string().optional().catch(undefined),
  /** Where the AWS SDK keeps the status of the answer; absent when there was no answer. */
  $metadata: z.object({ httpStatusCode: z.number().optional() }).optional().catch(undefined),
  errors: z.array(z.unknown()).optional().catch(undefined),
})

export type Failure = { name: string; message: string; code?: string; statusCode?: number }

/** A thrown value as plain data, whatever it is. */
export const failureOf = (error: unknown): Failure => {
  const { data } = thrown.safeParse(error)
  if (!data) return { name: 'Error', message: 'it failed without saying why' }
  const { name, code, errors } = data
  // Both addresses of one name may fail together; the whole then says nothing of its own.
  const message = data.message || (errors?.length ? failureOf(errors[0]).message : '') || code || name
  const statusCode = data.$metadata?.httpStatusCode
  return { name, message, ...(code !== undefined && { code }), ...(statusCode !== undefined && { statusCode }) }
}
