import { hideSecretValues } from './secret-values.ts'

const hidden = '[hidden]'

/**
 * What gives itself away by its own looks. Each begins where no other begins within it, or is of bounded length: no line
 * takes more than its length in time.
 */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]{0,50}-----|$)/gs, hidden],
  // Signed tokens have three parts, encrypted ones five.
  [/(?<![\w-])eyJ[\w-]{10,}\.[\w-]*(?:\.[\w-]*){1,3}/g, hidden],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b(?:[\s:,/"']{1,5}[\w/+]{40}(?![\w/+=]))?/g, hidden],
  [
    /\b(?:gh[pousr]_|github_pat_|glpat-|npm_(?=[A-Za-z0-9]{36})|xox[a-z]-|(?:sk|rk)_(?:live|test)_|sk-|whsec_|hvs\.|AIza|ya29\.|SG\.)[\w.-]{10,}/g,
    hidden,
  ],
  // Addresses that are a secret themselves.
  [/(?<=hooks\.slack\.com\/(?:services|workflows|triggers)\/|discord(?:app)?\.com\/api\/webhooks\/)[\w/-]+/g, hidden],
  // Behind the user's name comes no port: a password, up to the last `@` of the authority, or the first one behind it.
  [/(?<=:\/\/)(?!\[)[^\s/:@]{0,200}:(?!\d{1,5}(?:[/?#"'\s]|$))(?:[^\s/?#"'<>]{1,200}|[^\s"'<>]{1,200}?)(?=@)/g, hidden],
  // A name as long as that is a key: `https://0123456789abcdef0123@ingest`.
  [/(?<=:\/\/)[\w.~%+-]{20,200}(?=@)/g, hidden],
  // Go's DSN: `shop:x@tcp(db:3306)/orders`, `shop:x@/orders`.
  [/(?<![\w.%+-])([\w.%+-]{1,64}:)(?!\/\/)[^\s"']{1,200}@(?=[a-z][a-z0-9]{0,20}\(|\/\w)/gi, `$1${hidden}@`],
  [/(\s(?:-u|--user)[ =]["']?[\w.@-]{1,64}:)(?!\d+\b)[^\s"']+/g, `$1${hidden}`],
  [
    /\b(identified\s{1,5}(?:with\s{1,5}\S{1,60}\s{1,5})?(?:by|as)\s{1,5})(?:'(?:[^'\\]|\\.|'')*'?|"(?:[^"\\]|\\.|"")*"?)/gis,
    `$1${hidden}`,
  ],
]

/** `Basic authentication failed` is a sentence. */
const credentials = /\b(bearer|basic)\s{1,5}(?!auth\w{0,12}\b)[\w.~+/=-]{8,}/gi

/** The text with what looks like a secret taken out: other people's lines hold them. Better a word too many hidden than one sent out. */
export const redact = (text: string): string =>
  hideSecretValues(
    secrets.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text),
    hidden,
  ).replace(credentials, `$1 ${hidden}`)
