import * as z from 'zod'
import { defineChannel } from '../contract.ts'
import { signedPost, signedPostFields } from '../signed-post.ts'
import { webhookBody } from '../webhook-body.ts'

/** Posts the page and the case file as JSON, signed as https://www.standardwebhooks.com says. */
export const webhookChannel = defineChannel({
  kind: 'webhook',
  schema: z.strictObject({ kind: z.literal('webhook'), ...signedPostFields }),
  audience: 'people',
  render: (_spec, message) => ({ body: webhookBody(message), contentType: 'application/json' }),
  send: signedPost,
})
