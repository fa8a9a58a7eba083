const hidden = '[hidden]'

/** Log lines are other people's text, and other people log secrets. Better a word too many hidden than one sent out. */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*/gs, hidden],
  [/\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/g, hidden],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, hidden],
  [/\b(?:gh[pousr]_|xox[a-z]-|sk_live_|sk-)[\w-]{10,}/g, hidden],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${hidden}`],
  [/(?<=:\/\/)[^\s/:@]{0,200}:[^\s/@]{1,200}(?=@)/g, hidden],
  [
    /((?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|authorization|cookie|credential)[\w-]{0,20}["']?\s?[=:]\s?(?:\[)?)("[^"]*"|'[^']*'|[^\s,;&}\]]+)/gi,
    `$1${hidden}`,
  ],
]

/** The text with what looks like a secret taken out. */
export const redact = (text: string): string =>
  secrets.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text)
