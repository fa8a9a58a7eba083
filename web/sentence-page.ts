import { html } from 'hono/html'
import { linkKeepMs } from '../functions/api/links.ts'
import { lasting, type Markup, page } from './layout.ts'

type Links = readonly (readonly [href: string, words: string])[]

export const home: Links = [['/', '← status page']]

/** A page of one sentence and what to do about it, with the way back. */
export const sentencePage = (
  text: string,
  nowMs: number,
  options: { more?: string; links?: Links; refreshSeconds?: number; below?: Markup } = {},
): string => {
  const { more, links = home, refreshSeconds, below } = options
  return page(
    { title: text, atMs: nowMs, links, ...(refreshSeconds === undefined ? {} : { refreshSeconds }) },
    html`<h1>${text}</h1>
${more === undefined ? '' : html`<p>${more}</p>`}${below ?? ''}`,
  )
}

/** Why somebody does not get in. A forged link is told nothing, not even whether there is such an incident. */
export const refusals = {
  'no-token': {
    code: 401,
    text: 'This page needs a token.',
    more: 'The incident link in the message you got holds one for that incident. Programs send “Authorization: Bearer …” with the token that the config names as api.token.',
  },
  expired: {
    code: 410,
    text: 'This link has expired.',
    more: `Links work for ${lasting(linkKeepMs)}. The newest message about the incident has the freshest.`,
  },
  forged: {
    code: 403,
    text: 'This link does not work.',
    more: 'It is not whole, or it is not one of ours. Copy all of it from the message it came with.',
  },
} as const
