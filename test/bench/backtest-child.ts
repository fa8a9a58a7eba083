/** Replays a history in a process of its own, so that its memory is all there is: `backtest-child.ts FOLDER MONITORS`. */
import { openHistory } from '../../cli/backtest/history.ts'
import { backtest } from '../../cli/commands/backtest.ts'
import { keepYoungGenerationSmall } from '../../cli/memory.ts'
import { loadConfig } from '../../config/load.ts'
import { configText } from './backtest.ts'

keepYoungGenerationSmall()
const [folder = '', monitors = '0'] = process.argv.slice(2)

const configOf = async (failureThreshold: number) => {
  const text = configText(Number(monitors), failureThreshold)
  const loaded = await loadConfig('whodunit.json', { readFile: async () => text, nowMs: Date.now })
  if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join('\n'))
  return loaded.config
}

const configs = { today: await configOf(3), new: await configOf(5) }
const began = performance.now()
const { outcomes, today, new: next } = await backtest(openHistory(folder, {}), configs, { progress: () => undefined })
const pages = [today.pages.length, next.pages.length]
const { maxRSS } = process.resourceUsage()
console.log(JSON.stringify({ outcomes, pages, tookMs: performance.now() - began, rssMb: maxRSS / 1024 }))
