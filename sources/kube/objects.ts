import * as z from 'zod'

/** What we read of Kubernetes objects; the API sends much more, and adds to it. */
const texts = z.record(z.string(), z.string()).nullish()

export const meta = z.object({
  name: z.string(),
  namespace: z.string().default(''),
  creationTimestamp: z.string().nullish(),
  labels: texts,
  annotations: texts,
  ownerReferences: z
    .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().nullish() }))
    .nullish(),
})

const portNumber = z.int().min(1).max(65_535)
const containerPort = z.object({
  name: z.string().nullish(),
  containerPort: portNumber,
  protocol: z.string().nullish(),
})
const container = z.object({
  name: z.string(),
  restartPolicy: z.string().nullish(),
  ports: z.array(containerPort).nullish(),
})

export const discoveredPod = z.object({
  metadata: meta,
  spec: z.object({
    nodeName: z.string().nullish(),
    containers: z.array(container).default([]),
    initContainers: z.array(container).nullish(),
  }),
  status: z.object({ phase: z.string().nullish(), podIP: z.string().nullish() }).default({}),
})
export type DiscoveredPod = z.output<typeof discoveredPod>

export const discoveredService = z.object({
  metadata: meta,
  spec: z.object({
    type: z.string().nullish(),
    ports: z
      .array(z.object({ name: z.string().nullish(), port: portNumber, protocol: z.string().nullish() }))
      .nullish(),
  }),
})
export type DiscoveredService = z.output<typeof discoveredService>

export const discoveredSlice = z.object({
  metadata: meta,
  addressType: z.string(),
  ports: z
    .array(z.object({ name: z.string().nullish(), port: portNumber.nullish(), protocol: z.string().nullish() }))
    .nullish(),
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()),
        nodeName: z.string().nullish(),
        targetRef: z.object({ kind: z.string().nullish(), name: z.string().nullish() }).nullish(),
        conditions: z.object({ terminating: z.boolean().nullish() }).nullish(),
      }),
    )
    .nullish(),
})
export type DiscoveredSlice = z.output<typeof discoveredSlice>

export const discoveredNode = z.object({
  metadata: meta,
  status: z.object({ addresses: z.array(z.object({ type: z.string(), address: z.string() })).nullish() }).default({}),
})
export type DiscoveredNode = z.output<typeof discoveredNode>
