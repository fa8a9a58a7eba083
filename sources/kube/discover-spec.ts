import * as z from 'zod'

const dnsName = z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'the name of a Kubernetes object')

/** The fields of a rule that finds targets in a cluster, whatever source kinds there are. */
export const discoverFields = {
  /** What a target is made of, in Prometheus' words. */
  role: z.enum(['service', 'endpoints', 'pod', 'node']),
  /** All namespaces when absent. */
  namespaces: z.array(dnsName).min(1).max(50).optional(),
  /** One service by its name: nothing is listed, and nothing else may be read. */
  name: dnsName.optional(),
  /** A label selector as `kubectl -l` takes it. */
  selector: z.string().min(1).max(500).optional(),
  /** A port's name or number; every TCP port when absent, of a node the kubelet's. */
  port: z.union([z.string().min(1).max(63), z.int().min(1).max(65_535)]).optional(),
  /** Only with `prometheus.io/scrape: "true"`; its `port`, `path` and `scheme` are followed. */
  annotated: z.boolean().default(false),
  scheme: z.enum(['http', 'https']).default('http'),
  path: z.string().startsWith('/').max(500).optional(),
  /** By way of the API server, or straight to the address in the cluster's network. */
  through: z.enum(['proxy', 'direct']).default('proxy'),
  /** The `job` label; the service's name, a pod's `app.kubernetes.io/name` or `kubelet` when absent. */
  job: z.string().min(1).max(100).optional(),
  labels: z.record(z.string(), z.string()).default({}),
  targetLimit: z.int().min(1).max(500).default(100),
}

const fields = z.strictObject({ kind: z.string(), ...discoverFields })
/** One rule of discovery; `kind` is the source kind of what it finds. */
export type DiscoverSpec = z.output<typeof fields>

/** A name says which service; then where and which port must be said too. */
export const namesItsService = ({
  role,
  name,
  namespaces,
  port,
}: Pick<DiscoverSpec, 'role' | 'name' | 'namespaces' | 'port'>): boolean =>
  name === undefined || (role === 'service' && namespaces?.length === 1 && port !== undefined)
