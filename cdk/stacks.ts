import { Annotations, App } from 'aws-cdk-lib/core'
import { CURRENTLY_RECOMMENDED_FLAGS } from 'aws-cdk-lib/cx-api'
import type { Config } from '../config/schema.ts'
import { bundleHandler } from './bundle.ts'
import { LocationStack } from './location-stack.ts'
import { locationsInUse, placeOf } from './locations.ts'

/** An app with the library's current behaviour throughout; `outdir` is the command line's choice when left out. */
export const newApp = (outdir?: string): App =>
  new App({ context: CURRENTLY_RECOMMENDED_FLAGS, ...(outdir === undefined ? {} : { outdir }) })

/** Adds a stack for every location of the config that is on AWS; answers those that are not. */
export const addStacks = (
  app: App,
  { config, root }: { config: Config; root: string },
): { stacks: LocationStack[]; elsewhere: string[] } => {
  const places = locationsInUse(config).map((location) => ({ location, place: placeOf(location) }))
  const elsewhere = places.filter(({ place }) => place.status === 'private').map(({ location }) => location)
  const { directory: probeBundle } = bundleHandler({ root, name: 'probe', outDir: app.outdir, config })
  const stacks = places.flatMap(({ location, place }) => {
    if (place.status === 'private') return []
    const env = place.status === 'region' ? { env: { region: place.region } } : {}
    return [new LocationStack(app, `whodunit-${location}`, { ...env, config, location, probeBundle })]
  })
  for (const stack of stacks) {
    for (const location of elsewhere) {
      const text = `location ${location} is no AWS region: nothing is deployed for it`
      Annotations.of(stack).addWarningV2(`whodunit:not-on-aws:${location}`, text)
    }
  }
  return { stacks, elsewhere }
}
