/** Letters that take more room in a row than in a text, and what they are. */
export const worstLetters: readonly [string, string][] = [
  ['cyrillic', 'ж'],
  ['chinese', '障'],
  ['emoji', '🔥'],
  ['quotes', '"'],
  ['backslashes', '\\'],
  ['control characters', '\u0001'],
  ['halves of a pair', '\ud83d'],
]
