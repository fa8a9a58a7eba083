import type * as z from 'zod'
import type { configSchema } from '../config/schema.ts'

// Never run: the compiler writes out a value's type in full where it would only repeat the name of an alias.
declare const written: z.input<typeof configSchema>

/** What `declarations.ts` takes the package's `ConfigInput` from. */
export const configInput = written
