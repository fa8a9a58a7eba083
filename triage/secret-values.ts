/**
 * Finds what a text assigns to a name that sounds secret: `DB_PASS=x`, `"password":"x"` at any depth of escaping,
 * `--token x`, `X-Api-Key: [x]`. Every value is walked over once and no pattern here can try a character again more than
 * a fixed number of times, so that the time grows with the text and no faster.
 */

/** Compared with the name in lower case, its dashes and underscores taken out. */
const secretName =
  /passw(?:or)?d|passphrase|passcode|passkey|pwd|secret|token|authorization|cookie|credential|sessionid|(?:api|access|private|account|encryption|signing|auth|master|shared|storage|license|ssh)key/
/** Compared with each part of the name: too common within a word. */
const secretPart = /^(?:pw|jwt|psk|sid)$|(?<!\b(?:by|com|encom|tres|under|over|sur))pass\d*$/
const secretParameter = /^(?:key|sig|signature)$|-signature$/
const header = /authorization|cookie/
const longestName = 200

const isSecret = (name: string): boolean => {
  const parts = name.slice(-longestName).toLowerCase().split(/[_-]+/)
  return secretName.test(parts.join('')) || parts.some((part) => secretPart.test(part))
}

const quote = String.raw`\\*["'${'`'}]?`
const assignment = new RegExp(String.raw`${quote}\]?[ \t]{0,5}(?:[=:]{1,2}>?|%3[AD])[ \t]{0,5}`, 'iy')
/** `{"name":"DB_PASS","value":"x"}`: how Kubernetes writes the environment, and others headers. */
const pair = new RegExp(
  String.raw`(?:${quote}[ \t]{0,5},)?[ \t]{0,5}${quote}value${quote}[ \t]{0,5}[=:][ \t]{0,5}`,
  'iy',
)
/** Behind a flag: `--token x`, `["--token", "x"]`; not `--token --verbose`, nor a sentence about the flag. */
const afterFlag = new RegExp(
  String.raw`${quote}(?:,[ \t]{0,5}|[ \t]{1,5})(?!${quote}-|(?:is|was|and|or|must|not|cannot|has|flag|option|requires?|needs|to|given|missing)\b)`,
  'iy',
)
/** `ALTER USER shop PASSWORD 'x'`. */
const beforeQuote = /[ \t]{1,5}(?=')/y

/** Where a match of a sticky pattern at this place ends; undefined for none. */
const matchEnd = (pattern: RegExp, text: string, at: number): number | undefined => {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : undefined
}

const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

/**
 * Behind a value in quotes. Each depth of escaping doubles the backslashes and adds one: a quote of the value itself has
 * `2n + 1` of them where the quotes around it have `n`, and each backslash of the value adds `2n + 2`.
 */
const quotedEnd = (text: string, at: number, { depth, mark }: { depth: number; mark: string }): number => {
  let slashes = 0
  for (let index = at; index < text.length; index += 1) {
    const letter = text[index]
    if (letter === '\\') slashes += 1
    else {
      if (letter === mark && slashes % (2 * depth + 2) !== 2 * depth + 1) return index + 1
      slashes = 0
    }
  }
  return text.length
}

/** Behind the bracket that closes the one at this place; the line's end when none does. */
const bracketEnd = (text: string, at: number): number => {
  const end = lineEnd(text, at)
  let open = 0
  for (let index = at; index < end; index += 1) {
    const letter = text.charAt(index)
    if ('[{'.includes(letter)) open += 1
    else if (']}'.includes(letter)) open -= 1
    if (open === 0) return index + 1
  }
  return end
}

const closers = /[\\"'`}\]),]+/y
/** What may follow a value and its closers; a letter behind them means that they belong to the value. */
const goesOn = /\s|[;&{[<:]|$|[\w.-]{1,60}\\{0,15}["']?[=:]/y

/** `Pa}ss,word` is one value, `x}, user=` and `x,user=y` are not. */
const bareEnd = (text: string, at: number): number => {
  let index = at
  while (index < text.length && !/[\s;&]/.test(text.charAt(index))) {
    const behind = matchEnd(closers, text, index)
    if (behind !== undefined && matchEnd(goesOn, text, behind) !== undefined) return index
    index = behind ?? index + 1
  }
  return index
}

const opening = /(\\*)(["'`])/y

const valueEnd = (text: string, at: number): number => {
  opening.lastIndex = at
  const [all = '', slashes = '', mark] = opening.exec(text) ?? []
  if (mark !== undefined) return quotedEnd(text, at + all.length, { depth: slashes.length, mark })
  return '[{'.includes(text.charAt(at)) && at < text.length ? bracketEnd(text, at) : bareEnd(text, at)
}

const scheme =
  /(?:bearer|basic|digest|api-?key|token|negotiate|ntlm|hawk|key|signature|aws4[\w-]{0,20}|hmac[\w-]{0,20})[ \t]{1,5}(?=\S)/iy
const furtherPart = /[,;][ \t]{0,5}[\w.-]{1,60}=/y

/** A header's value is several words: `Digest username="x", response="y"`, `session=x; theme=y`. */
const headerEnd = (text: string, at: number): number => {
  const first = matchEnd(scheme, text, at) ?? at
  const named = matchEnd(/[\w.-]{1,60}=/y, text, first) ?? first
  let end = valueEnd(text, named)
  for (;;) {
    const next = matchEnd(furtherPart, text, end)
    if (next === undefined) return end
    end = valueEnd(text, next)
  }
}

/** `(using password: YES)` tells something and gives nothing away; what is empty neither. */
const harmless = /^[\\"'`]{0,16}(?:yes|no|true|false|null|<?nil>?|undefined)?[\\"'`]{0,16}$/i

const startOfValue = (text: string, name: string, { from, to }: { from: number; to: number }): number | undefined => {
  const before = text.charAt(from - 1)
  if (!isSecret(name)) {
    const isParameter = secretParameter.test(name.toLowerCase()) && /[?&]/.test(before) && text.charAt(to) === '='
    return isParameter ? to + 1 : undefined
  }
  // `http://token-service:8080` is a host and its port.
  if (text.slice(from - 2, from) === '//') return undefined
  if (before === '<' && text.charAt(to) === '>') return to + 1
  return (
    matchEnd(assignment, text, to) ??
    matchEnd(pair, text, to) ??
    (name.startsWith('-') ? matchEnd(afterFlag, text, to) : undefined) ??
    (/^password$/i.test(name) ? matchEnd(beforeQuote, text, to) : undefined)
  )
}

/** The text with the values of secret names replaced. */
export const hideSecretValues = (text: string, hidden: string): string => {
  const names = /(?<![\w-])[\w-]+/g
  let shown = ''
  let done = 0
  for (let match = names.exec(text); match !== null; match = names.exec(text)) {
    const [name] = match
    const at = startOfValue(text, name, { from: match.index, to: names.lastIndex })
    if (at === undefined) continue
    const isElement = text.charAt(at - 1) === '>' && text.charAt(match.index - 1) === '<'
    const closing = isElement ? text.indexOf('<', at) : -1
    const end = closing >= 0 ? closing : header.test(name.toLowerCase()) ? headerEnd(text, at) : valueEnd(text, at)
    if (!harmless.test(text.slice(at, end))) {
      shown += text.slice(done, at) + hidden
      done = end
    }
    names.lastIndex = Math.max(end, names.lastIndex)
  }
  return shown + text.slice(done)
}
