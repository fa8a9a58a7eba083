import { createContext, Script } from 'node:vm'
import { codeOf } from './failure.ts'

const scope: { work: () => unknown } = createContext({ work: () => undefined })
const call = new Script('work()')

/**
 * Runs synchronous work for at most `limitMs`, then stops it, even inside a regular expression that backtracks for ever.
 * This is what keeps a pattern that a hostile body exploits (ReDoS) from holding up every other probe of this process.
 */
export const withinTimeLimit = <T>(limitMs: number, work: () => T): { value: T } | 'too-slow' => {
  let done: { value: T } | undefined
  scope.work = () => {
    done = { value: work() }
  }
  try {
    call.runInContext(scope, { timeout: limitMs })
  } catch (error) {
    if (codeOf(error) !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
  } finally {
    scope.work = () => undefined
  }
  return done ?? 'too-slow'
}
