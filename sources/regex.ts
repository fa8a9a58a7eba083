import { type CharacterTest, isWord } from './regex-characters.ts'
import { type Assertion, type Pattern, parsePattern, RegexError } from './regex-syntax.ts'

/** One step of a compiled pattern. `to` and `or` are places in the program. */
type Step =
  | { kind: 'character'; test: CharacterTest; to: number }
  | { kind: 'assertion'; at: Assertion; to: number }
  | { kind: 'fork'; to: number; or: number }
  | { kind: 'end' }

/** A program this long takes about a second for the longest line there may be, and no pattern a person writes is it. */
const stepLimit = 5000

const add = (program: Step[], step: Step): number => {
  if (program.length >= stepLimit) throw new RegexError('a pattern that long')
  return program.push(step) - 1
}

const compileRepeat = (program: Step[], { of, min, max }: Extract<Pattern, { kind: 'repeat' }>, to: number): number => {
  let start = to
  if (max === Number.POSITIVE_INFINITY) {
    const fork: Step = { kind: 'fork', to, or: to }
    start = add(program, fork)
    fork.to = compile(program, of, start)
  } else for (let n = min; n < max; n++) start = add(program, { kind: 'fork', to: compile(program, of, start), or: to })
  for (let n = 0; n < min; n++) start = compile(program, of, start)
  return start
}

/** Appends the steps of a pattern that go on at `to`; returns where they begin. */
const compile = (program: Step[], pattern: Pattern, to: number): number => {
  switch (pattern.kind) {
    case 'character':
      return add(program, { kind: 'character', test: pattern.test, to })
    case 'assertion':
      return add(program, { kind: 'assertion', at: pattern.at, to })
    case 'sequence':
      return pattern.parts.reduceRight((next, part) => compile(program, part, next), to)
    case 'choice':
      return pattern.branches
        .map((branch) => compile(program, branch, to))
        .reduceRight((or, start) => add(program, { kind: 'fork', to: start, or }))
    case 'repeat':
      return compileRepeat(program, pattern, to)
    default:
      return pattern satisfies never
  }
}

const newline = 0x0a
/** Stands for the places before and behind the text. */
const outside = -1

const holdsAt = (at: Assertion, before: number, after: number): boolean => {
  switch (at) {
    case 'start':
      return before === outside
    case 'end':
      return after === outside
    case 'line-start':
      return before === outside || before === newline
    case 'line-end':
      return after === outside || after === newline
    case 'word':
      return isWord(before) !== isWord(after)
    case 'no-word':
      return isWord(before) === isWord(after)
    default:
      return at satisfies never
  }
}

/** Where a match may stand between two characters: every step that reads the next one, and whether it may end here. */
const reach = (program: readonly Step[], from: readonly number[], before: number, after: number) => {
  const seen = new Set<number>()
  const waiting = [...from]
  const readers: Extract<Step, { kind: 'character' }>[] = []
  let ends = false
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const step = program[at]
    if (step === undefined || seen.has(at)) continue
    seen.add(at)
    if (step.kind === 'character') readers.push(step)
    else if (step.kind === 'end') ends = true
    else if (step.kind === 'fork') waiting.push(step.or, step.to)
    else if (holdsAt(step.at, before, after)) waiting.push(step.to)
  }
  return { readers, ends }
}

/** All places a match may stand at go through the text together, so that time is never more than text × pattern. */
const matchesWhole = (program: readonly Step[], start: number, text: string): boolean => {
  let places = [start]
  let before = outside
  for (const character of text) {
    const code = character.codePointAt(0) ?? outside
    const { readers } = reach(program, places, before, code)
    places = readers.filter(({ test }) => test(code)).map(({ to }) => to)
    if (places.length === 0) return false
    before = code
  }
  return reach(program, places, before, outside).ends
}

/** Label values repeat: so many answers are remembered, of texts no longer than that. */
const rememberedTexts = 1000
const rememberedLength = 256

/**
 * Compiles a Prometheus matcher's regular expression: RE2 syntax, anchored at both ends, `.` matches a line break as
 * well (Prometheus 3). It runs in time proportional to the text, whatever the pattern: JavaScript's own engine can be
 * made to hang by `(a+)+` and a value that a target chose, and means other things by some patterns.
 *
 * @throws RegexError
 */
export const compileRegex = (pattern: string): ((text: string) => boolean) => {
  const program: Step[] = [{ kind: 'end' }]
  const start = compile(program, parsePattern(pattern), 0)
  const answers = new Map<string, boolean>()
  return (text) => {
    const known = answers.get(text)
    if (known !== undefined) return known
    const answer = matchesWhole(program, start, text)
    if (answers.size >= rememberedTexts) answers.clear()
    if (text.length <= rememberedLength) answers.set(text, answer)
    return answer
  }
}
