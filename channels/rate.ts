import * as z from 'zod'

/** How many attempts go through a channel a minute; more of them wait, pages the shortest. */
export const ratePerMinute = z.int().min(1).max(600)
