const inRegion = (region: string | undefined) => (region === undefined ? {} : { region })

/** Nobody of ours is further away than this. */
const connectionTimeout = 1500

/**
 * What AWS clients of ours are made with: three attempts, and an end to each. The SDK by itself waits for ever for a
 * connection that a sleeping Lambda kept; nothing we ask for takes two seconds unless something is wrong.
 */
export const clientOptions = (region?: string) => ({
  ...inRegion(region),
  maxAttempts: 3,
  requestHandler: { connectionTimeout, requestTimeout: 2000, throwOnRequestTimeout: true },
})

/** For the clients of stores, which try again and end by themselves. */
export const storeClientOptions = (region?: string) => ({
  ...inRegion(region),
  maxAttempts: 1,
  requestHandler: { connectionTimeout },
})
