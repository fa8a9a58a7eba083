import type { Attempt, Certificate } from '../contract.ts'
import type { HttpAnswer } from './exchange.ts'
import type { Redact } from './redaction.ts'

/** How much of a body is kept as evidence. */
const bodyStartBytes = 1024
/** How far a secret in a body may reach over the end of what is kept. */
const overlapBytes = 8 * 1024
const urlLimit = 500

/** An address without what may be private in it: no query, no fragment, and not as long as a target may like. */
export const shownUrl = (url: URL): string => {
  const text = `${url.origin}${url.pathname}`
  return text.length > urlLimit ? `${text.slice(0, urlLimit)}…` : text
}

/** Whole characters only: half of one would not be what was sent. */
const cut = (bytes: Buffer, limitBytes: number): string =>
  new TextDecoder('utf-8').decode(bytes.subarray(0, limitBytes), { stream: bytes.length > limitBytes })

/** The beginning of a body. What is secret is hidden before the cut, which could leave half of it. */
const bodyStart = ({ chunks }: HttpAnswer, redact: Redact): string => {
  const start = Buffer.concat(chunks, Math.min(length(chunks), bodyStartBytes + overlapBytes))
  return cut(Buffer.from(redact(cut(start, bodyStartBytes + overlapBytes))), bodyStartBytes)
}

const length = (chunks: readonly Buffer[]): number => chunks.reduce((bytes, chunk) => bytes + chunk.length, 0)

/** What was seen of the answer; its body only where somebody will have to look into what went wrong. */
export const answerEvidence = (answer: HttpAnswer | undefined, withBody: boolean, redact: Redact): Partial<Attempt> => {
  if (!answer) return {}
  const bodyBytes = length(answer.chunks)
  const start = withBody && bodyBytes > 0 ? { bodyStart: bodyStart(answer, redact) } : {}
  const { statusCode, httpVersion } = answer
  return { statusCode, httpVersion, bodyBytes, ...start }
}

/** Of the certificates on a chain of redirects, the one that will stop it first. */
export const firstToExpire = <T extends { certificate: Certificate }>(seen: T | undefined, next: T): T =>
  seen && seen.certificate.notAfterMs <= next.certificate.notAfterMs ? seen : next
