import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync, type Metafile } from 'esbuild'
import type { Config } from '../config/schema.ts'

/** What a deployed function consists of: `index.mjs`, and the normalised config beside it. */
export type Bundle = { directory: string; metafile: Metafile }

// CommonJS inside a bundle asks for Node's own modules with `require`, which a module does not have.
const banner = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);"

/** Bundles `functions/<name>/handler.ts` for Lambda into `outDir`, as one minified module. Throws esbuild's errors. */
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
    minify: true,
    legalComments: 'none',
    banner: { js: banner },
    metafile: true,
    logLevel: 'warning',
  })
  writeFileSync(join(directory, 'config.json'), JSON.stringify(options.config))
  return { directory, metafile }
}
