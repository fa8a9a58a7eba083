import { App } from 'aws-cdk-lib/core'
import { CURRENTLY_RECOMMENDED_FLAGS } from 'aws-cdk-lib/cx-api'
import type { Config } from '../config/schema.ts'
import { bundleHandler } from './bundle.ts'
import { Whodunit } from './whodunit.ts'

/** An app with the library's current behaviour throughout; `outdir` is the command line's choice when left out. */
export const newApp = (outdir?: string): App =>
  new App({ context: CURRENTLY_RECOMMENDED_FLAGS, ...(outdir === undefined ? {} : { outdir }) })

/** Bundles of the functions, each made when it is first asked for. */
export const bundlesOf = (options: { root: string; outDir: string; config: Config }): ((name: string) => string) => {
  const made = new Map<string, string>()
  return (name) => {
    const directory = made.get(name) ?? bundleHandler({ ...options, name }).directory
    made.set(name, directory)
    return directory
  }
}

/** Adds all of whodunit to an app. */
export const addWhodunit = (app: App, { config, root }: { config: Config; root: string }): Whodunit =>
  new Whodunit(app, 'Whodunit', { config, bundle: bundlesOf({ root, outDir: app.outdir, config }) })
