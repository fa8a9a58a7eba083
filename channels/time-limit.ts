import * as z from 'zod'

/** How long a provider may take to answer one attempt. Every attempt is cut off at ten seconds: this comes first. */
export const timeoutSeconds = z.number().min(0.1).max(9).default(9)
