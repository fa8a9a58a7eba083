/** `npm run conformance -- SUITE …`: runs a suite others wrote and ends with `N passed, N failed`. */
import type { SuiteResult } from './result.ts'

type Suite = { usage: string; run: (parameters: string[]) => Promise<SuiteResult | undefined> }

/** Loaded by name, so that one suite needs nothing of another. */
const suites: Readonly<Record<string, Suite>> = {
  exposition: {
    usage: 'exposition DIR',
    run: async ([folder]) =>
      folder === undefined ? undefined : (await import('./exposition.ts')).runExpositionSuite(folder),
  },
  'exposition-fuzz': {
    usage: 'exposition-fuzz [--runs N] [--seed N]',
    run: async (parameters) => (await import('./exposition-fuzz.ts')).runExpositionFuzz(parameters),
  },
}

const [name = '', ...parameters] = process.argv.slice(2)
const suite = Object.hasOwn(suites, name) ? suites[name] : undefined
const result = await suite?.run(parameters)
if (result === undefined) {
  const usages = Object.values(suites).map(({ usage }) => `npm run conformance -- ${usage}`)
  console.error(['Usage:', ...usages].join('\n  '))
  process.exitCode = 2
} else {
  for (const { name, why } of result.failures) console.log(`FAILED ${name}: ${why}`)
  console.log(`${result.passed} passed, ${result.failures.length} failed`)
  process.exitCode = result.failures.length === 0 && result.passed > 0 ? 0 : 1
}
