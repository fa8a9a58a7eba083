import { Annotations, type Stack, Tags } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import { unheardTopics, unreadOnAws } from '../config/people.ts'
import type { Config } from '../config/schema.ts'
import { HubStack } from './hub-stack.ts'
import { LocationStack } from './location-stack.ts'
import { locationsInUse, placeOf } from './locations.ts'
import { namingOf } from './naming.ts'

export type WhodunitProps = {
  /** A loaded and normalised config. */
  config: Config
  /** The folder of a function's bundle, by the function's name (`bundles.ts`). */
  bundle: (name: string) => string
  /** The account, when it is not the command line's. */
  account?: string
}

/**
 * All of whodunit, for an app of one's own: one stack with the hub and one for every location that is an AWS region.
 * Stacks are named `<aws.name>-hub` and `<aws.name>-<location>`, whatever they are put into.
 */
export class Whodunit extends Construct {
  readonly hub: HubStack
  readonly locations: readonly LocationStack[]
  /** Locations that are no region: nothing is deployed for them. */
  readonly elsewhere: readonly string[]

  constructor(scope: Construct, id: string, { config, bundle, account }: WhodunitProps) {
    super(scope, id)
    const places = locationsInUse(config).map((location) => ({ location, place: placeOf(location) }))
    const inRegions = places.flatMap(({ place }) => (place.status === 'region' ? [place.region] : []))
    const hubRegion = config.aws.region ?? inRegions[0]
    const naming = namingOf(config, hubRegion)
    const deployed = places.flatMap(({ location, place }) => {
      if (place.status === 'private') return []
      const region = place.status === 'region' ? place.region : naming.hubRegion
      return [{ location, region }]
    })
    this.elsewhere = places.flatMap(({ location, place }) => (place.status === 'private' ? [location] : []))
    const { name } = config.aws
    const envOf = (region: string | undefined) => ({
      env: { ...(account === undefined ? {} : { account }), ...(region === undefined ? {} : { region }) },
    })
    this.hub = new HubStack(this, 'Hub', {
      ...envOf(hubRegion),
      stackName: `${name}-hub`,
      config,
      naming,
      bundle,
      locations: deployed,
    })
    this.locations = deployed.map(({ location, region }) => {
      const env = envOf(hubRegion === undefined ? undefined : region)
      const props = { ...env, stackName: `${name}-${location}`, config, naming, bundle, location }
      const stack = new LocationStack(this, `At-${location}`, props)
      stack.addStackDependency(this.hub, 'probes send to the hub')
      return stack
    })
    for (const stack of this.stacks) this.#mark(stack, config)
    this.#warnOfSilence(config)
  }

  get stacks(): readonly (HubStack | LocationStack)[] {
    return [this.hub, ...this.locations]
  }

  #warnOfSilence(config: Config) {
    const warn = (id: string, text: string) => Annotations.of(this.hub).addWarningV2(`whodunit:${id}`, text)
    for (const channel of unreadOnAws(config))
      warn(`no-terminal:${channel}`, `channel ${channel}: nobody reads a console on AWS, so it refuses every page`)
    for (const channel of unheardTopics(config)) {
      const text = `channel ${channel}: nobody is subscribed to its topic, where every page counts as delivered`
      warn(`unheard-topic:${channel}`, `${text}: add subscriptions, or subscribe by hand`)
    }
    if (config.aws.operators.length > 0) return
    const text = 'no operators: nobody is told that whodunit itself is unwell'
    warn('no-operators', `${text}: add aws.operators, or subscribe to their topics by hand`)
  }

  #mark(stack: Stack, { aws }: Config) {
    const tags = { app: 'whodunit', deployment: aws.name, ...aws.tags }
    // A dashboard takes no tags.
    const options = { excludeResourceTypes: ['AWS::CloudWatch::Dashboard'] }
    for (const [key, value] of Object.entries(tags)) Tags.of(stack).add(key, value, options)
    for (const location of this.elsewhere) {
      const text = `location ${location} is no AWS region: nothing is deployed for it`
      Annotations.of(stack).addWarningV2(`whodunit:not-on-aws:${location}`, text)
    }
  }
}
