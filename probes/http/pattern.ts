import { createContext, Script } from 'node:vm'
import { blind } from '../failure.ts'

const limitMs = 250
/** Without these a search is linear in the text, whatever the text. */
const repeats = /[*+?{]/

const script = new Script('new RegExp(source, "u").test(text)')
const context = createContext({ source: '', text: '' })

/** Is this a regular expression that can be compiled? */
export const isPattern = (source: string): boolean => {
  try {
    return new RegExp(source, 'u') instanceof RegExp
  } catch {
    return false
  }
}

/**
 * Whether the text matches. Backtracking can take for ever on a text somebody else wrote and nothing else in this
 * process would go on meanwhile, so it is cut off; whether the text matches is then unknown, not false.
 */
export const matchesPattern = (source: string, text: string): boolean => {
  if (!repeats.test(source)) return new RegExp(source, 'u').test(text)
  Object.assign(context, { source, text })
  try {
    return script.runInContext(context, { timeout: limitMs }) === true
  } catch {
    throw blind(
      'pattern-too-slow',
      `/${source}/ found no answer within ${limitMs} ms on a text of ${text.length} characters`,
    )
  } finally {
    Object.assign(context, { source: '', text: '' })
  }
}
