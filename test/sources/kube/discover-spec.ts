import type { DiscoverSpec } from '../../../sources/kube/discover-spec.ts'

/** A rule that finds pods, as the schema completes it. */
export const spec = (changes: Partial<DiscoverSpec>): DiscoverSpec => ({
  kind: 'app',
  role: 'pod',
  annotated: false,
  scheme: 'http',
  through: 'proxy',
  labels: {},
  targetLimit: 100,
  ...changes,
})
