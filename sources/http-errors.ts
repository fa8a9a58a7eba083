/** `host:port` of an address, the port written out. */
export const hostAndPort = (url: string): string => {
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`
}

/** One printable line of at most `limit` characters. */
export const oneLine = (text: string, limit = 200): string => {
  const line = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: taking control characters out is its purpose.
    .replace(/[\u0000-\u0020\u007f-\u009f\u2028\u2029]+/g, ' ')
    .trim()
  return line.length > limit ? `${line.slice(0, limit - 1).toWellFormed()}…` : line
}

type Failure = { code: string; message: string }

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const textOf = (value: object, key: 'code' | 'message' | 'name'): string => {
  const found: unknown = Reflect.get(value, key)
  return typeof found === 'string' ? found : ''
}

/** An error's `code`, if it has one. Looked at by shape: an error of another realm is no `instanceof` ours. */
export const errorCode = (error: unknown): string => (isObject(error) ? textOf(error, 'code') : '')

/** Node and undici wrap what happened in causes and, with several addresses, in an AggregateError. */
const rootOf = (error: unknown): Failure => {
  let current = error
  for (let depth = 0; depth < 5 && isObject(current); depth++) {
    if ('errors' in current && Array.isArray(current.errors) && current.errors.length > 0) current = current.errors[0]
    else if ('cause' in current && isObject(current.cause)) current = current.cause
    else break
  }
  if (!isObject(current)) return { code: '', message: oneLine(String(current)) }
  // undici's parser does not always know a code for what it choked on.
  const code = textOf(current, 'code') || (textOf(current, 'name') === 'HTTPParserError' ? 'HPE_UNKNOWN' : '')
  return { code, message: oneLine(textOf(current, 'message')) }
}

const sentences: Readonly<Record<string, (place: string, host: string) => string>> = {
  ECONNREFUSED: (place) => `connection refused at ${place}`,
  ECONNRESET: (place) => `connection reset by ${place}`,
  EPIPE: (place) => `connection reset by ${place}`,
  ENOTFOUND: (_, host) => `no address for ${host}: the name does not exist`,
  EAI_AGAIN: (_, host) => `no address for ${host}: the resolver did not answer`,
  EHOSTUNREACH: (place) => `no route to ${place}`,
  ENETUNREACH: (place) => `no route to ${place}`,
  ETIMEDOUT: (place) => `no connection to ${place}: it does not answer`,
  UND_ERR_CONNECT_TIMEOUT: (place) => `no connection to ${place}: it does not answer`,
  UND_ERR_HEADERS_TIMEOUT: (place) => `no answer from ${place}`,
  UND_ERR_BODY_TIMEOUT: (place) => `${place} stopped sending`,
  UND_ERR_SOCKET: (place) => `${place} closed the connection early`,
  Z_BUF_ERROR: (place) => `${place} sent a compressed body without its end`,
  Z_DATA_ERROR: (place) => `${place} sent a compressed body that cannot be unpacked`,
  ERR_SSL_WRONG_VERSION_NUMBER: (place) => `${place} does not speak TLS: is its address http://?`,
  EPROTO: (place) => `${place} does not speak TLS: is its address http://?`,
}

const isCertificate = (code: string): boolean =>
  code.includes('CERT') || code.startsWith('UNABLE_TO_') || code === 'ERR_TLS_CERT_ALTNAME_INVALID'

/** What went wrong between us and `url`, as a sentence without the query and without credentials. */
export const connectionSentence = (error: unknown, url: string): string => {
  const place = hostAndPort(url)
  const { code, message } = rootOf(error)
  const sentence = sentences[code]?.(place, new URL(url).hostname)
  if (sentence !== undefined) return sentence
  if (isCertificate(code)) return `the certificate of ${place} is not trusted: ${message} (${code})`
  if (code.startsWith('ZSTD_')) return `${place} sent a compressed body that cannot be unpacked: ${message}`
  if (code.startsWith('HPE_')) return `${place} does not answer with HTTP: ${message}`
  return `${place} cannot be read: ${message}${code === '' ? '' : ` (${code})`}`
}
