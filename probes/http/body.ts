import { type Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { codeOf, failed, textOf } from '../failure.ts'

const decoders: Readonly<Record<string, (() => Transform) | undefined>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}
const codingsLimit = 2

/**
 * How to undo a Content-Encoding, last coding first (RFC 9110 §8.4); undefined when one of its codings is not known.
 * Labels that encode nothing are common mistakes of servers, and browsers pass over them.
 */
export const decodersOf = (values: readonly string[]): (() => Transform)[] | undefined => {
  const codings = values
    .flatMap((value) => value.toLowerCase().split(','))
    .map((coding) => coding.trim())
    .filter((coding) => !['', 'identity', 'none', 'utf-8'].includes(coding))
  const known = codings.map((coding) => decoders[coding]).filter((decoder) => decoder !== undefined)
  return known.length === codings.length && codings.length <= codingsLimit ? known.reverse() : undefined
}

const isZlib = (error: unknown): boolean => /^(Z_|ERR__|ERR_BROTLI_|ZSTD_)/.test(codeOf(error))

/** Passes bytes on, and cuts the body off where there are more than allowed. */
const counting = (limitBytes: number, onChunk: (chunk: Buffer) => void): Transform => {
  let bytes = 0
  return new Transform({
    transform: (part: Uint8Array, _encoding, done) => {
      const chunk = Buffer.from(part)
      bytes += chunk.length
      if (bytes > limitBytes) {
        done(failed('transfer', 'body-too-large', `the body is larger than ${limitBytes} bytes`))
        return
      }
      onChunk(chunk)
      done(null, chunk)
    },
  })
}

/** What is kept is kept by whoever counts. */
const drain = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() })

/** Reads a body to its end, undoing its codings; both what comes in and what it unpacks to are limited. */
export const readBody = async (
  body: Readable,
  decoding: readonly (() => Transform)[],
  to: { limitBytes: number; onChunk: (chunk: Buffer) => void },
): Promise<void> => {
  let isEmpty = true
  const incoming = counting(to.limitBytes, () => {
    isEmpty = false
  })
  const unpacked = counting(to.limitBytes, to.onChunk)
  try {
    await pipeline([body, incoming, ...decoding.map((decoder) => decoder()), unpacked, drain()])
  } catch (error) {
    // Nothing at all is a body too, whatever its coding: what HEAD, 204 and 304 have, and what Content-Length 0 says.
    if (isZlib(error) && isEmpty) return
    if (!isZlib(error)) throw error
    throw failed('transfer', 'response-invalid', `the body is not what its Content-Encoding says: ${textOf(error)}`)
  }
}
