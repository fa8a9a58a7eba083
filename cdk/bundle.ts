import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { buildSync, type Metafile } from 'esbuild'
import { factsOf } from '../config/facts.ts'
import type { Config } from '../config/schema.ts'

/** What a deployed function consists of: `index.mjs`, and beside it the normalised config and what is derived from it. */
export type Bundle = { directory: string; metafile: Metafile }

// CommonJS inside a bundle asks for Node's own modules with `require`, which a module does not have.
const banner = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);"

/** Where a bundle takes less than a whole package, and where that package is. */
export const trimmedPackages = (root: string) => {
  const at = (path: string) => createRequire(path).resolve
  const resolve = at(join(root, 'package.json'))
  const credentials = at(resolve('@aws-sdk/client-sqs'))('@aws-sdk/credential-provider-node')
  return {
    undici: join(root, 'cdk/undici-agent.cjs'),
    'undici-whole': dirname(resolve('undici')),
    '@aws-sdk/credential-provider-node': join(root, 'cdk/environment-credentials.mjs'),
    'credentials-from-environment': join(dirname(at(credentials)('@aws-sdk/credential-provider-env')), '..'),
  }
}

/** Packages that a function loads only for what some configs have, and this one has not. */
const leftOut = (root: string, name: string, { clusters }: Config): Record<string, string> => {
  // `publish` writes metrics with the same client.
  const readsMetrics = Object.values(clusters).some(({ sources }) => sources.some(({ kind }) => kind === 'cloudwatch'))
  return readsMetrics || name === 'publish' ? {} : { '@aws-sdk/client-cloudwatch': join(root, 'cdk/left-out.mjs') }
}

/**
 * Bundles `functions/<name>/handler.ts` for Lambda into `outDir`, as one minified module. Throws esbuild's errors.
 *
 * The AWS SDK is bundled although Lambda's runtime carries one: what was tested is what runs, whenever AWS renews the
 * runtime, and one file that is read once starts 40 to 80 ms sooner than hundreds (`npm run bench -- bundles`).
 */
export const bundleHandler = (options: { root: string; name: string; outDir: string; config: Config }): Bundle => {
  const directory = join(options.outDir, `bundle.${options.name}`)
  const { metafile } = buildSync({
    absWorkingDir: options.root,
    entryPoints: [`functions/${options.name}/handler.ts`],
    outfile: join(directory, 'index.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    alias: { ...trimmedPackages(options.root), ...leftOut(options.root, options.name, options.config) },
    // undici's parser for processors without SIMD: Lambda has none such.
    external: ['*/milo/no-simd.js'],
    minify: true,
    legalComments: 'none',
    banner: { js: banner },
    metafile: true,
    logLevel: 'warning',
  })
  writeFileSync(join(directory, 'config.json'), JSON.stringify(options.config))
  writeFileSync(join(directory, 'facts.json'), JSON.stringify(factsOf(options.config)))
  return { directory, metafile }
}
