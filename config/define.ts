import type { ConfigInput } from './schema.ts'

export type { ConfigInput } from './schema.ts'

/**
 * Gives a config written in TypeScript its types: `export default defineConfig({ … })` in `whodunit.ts`. It changes
 * nothing and checks nothing; `whodunit validate` does.
 */
export const defineConfig = (config: ConfigInput): ConfigInput => config
