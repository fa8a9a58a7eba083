/** Does a key of this name usually hold something that must not be shown? Errs on the side of silence. */
export const looksSecret = (key: string): boolean =>
  /token|secret|passw|passphrase|key|auth|bearer|credential|cookie|signature/i.test(key)

/** `token: abc`, `"api-key": "abc"`, `password=abc`; a `secret:` reference or nothing behind it is harmless. */
const literalBehindKey =
  /(?:^|[\s{[,"'?&;-])["']?([\w.-]*(?:token|secret|passw|passphrase|key|authori[sz]ation|bearer|credential|cookie|signature)[\w.-]*)["']?\s*[:=]\s*(?!["']?§)(?=\S)/i

/** Anything behind `auth` but nothing, a reference, or a map of one reference. */
const literalInAuth = /auth[\w-]*["']?\s*[:=]\s*(?=\S)(?!["']?§)(?!\{\s*["']?\w+["']?\s*:\s*["']?§["']?\s*\})/i

/** What secrets look like wherever they stand: credentials in an address, well-known prefixes, HTTP credentials. */
const literalAnywhere =
  /:\/\/[^\s/@]+@|\b(?:bearer|basic)\s+[\w+/=.-]{6,}|\b(?:xox[a-z]-|gh[a-z]_|github_pat_|glpat-|sk[-_](?:live|test)|AKIA|ASIA|eyJ)[\w-]{6,}|-----BEGIN|hooks\.slack\.com\/services\/\w/i

/** A key whose value stands, or goes on, in the lines below it. */
const opensBelow = /^\s*(?:-\s+)*["']?([^\s"':]+)["']?\s*:\s*(.*)$/

const indentOf = (line: string) => line.length - line.trimStart().length

/** Does this text look as if it held a secret? References are taken out first: they are what should stand there, and `secret:` itself looks like a key. */
export const showsSecret = (line: string) => {
  const plain = line.replaceAll(/\bsecret:[A-Za-z_][\w./-]*/g, '§')
  return [literalBehindKey, literalInAuth, literalAnywhere].some((pattern) => pattern.test(plain))
}

/**
 * May this line of a config be shown? Not when it holds something that looks like a secret, nor when it stands inside
 * the value of a key that does (`token: |` and the lines below it, a quoted text over several lines).
 */
export const mayShow = (lines: readonly string[], index: number): boolean => {
  const line = lines[index]
  if (line === undefined || showsSecret(line)) return false
  // A pair such as `name: X-Api-Key` and `value: …` on neighbouring lines.
  if (/\bvalue["']?\s*[:=]/i.test(line) && lines.slice(Math.max(index - 2, 0), index + 3).some(looksSecret))
    return false
  let indent = indentOf(line)
  for (let above = index - 1, looked = 0; above >= 0 && looked < 2000; above -= 1, looked += 1) {
    const text = lines[above] ?? ''
    if (text.trim() === '') continue
    const [, key = '', value = ''] = opensBelow.exec(text) ?? []
    const unfinished = /^["'][^"']*$/.test(value)
    if (looksSecret(key) && (unfinished || (indentOf(text) < indent && !value.startsWith('secret:')))) return false
    indent = Math.min(indent, indentOf(text))
    if (indent === 0 && key !== '' && !unfinished) return true
  }
  return true
}
