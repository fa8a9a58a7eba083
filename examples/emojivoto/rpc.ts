// Calls between the programs. The real ones speak gRPC; these speak JSON over HTTP with gRPC's method paths, status
// header and metrics, so that everything outside looks the same.
import { Agent, type IncomingMessage, type RequestListener, request } from 'node:http'
import { type Family, type Labels, writeFamilies } from './exposition-writer.ts'
import { containerPort } from './kubernetes.ts'
import { metricSet } from './metric-set.ts'
import type { Component } from './names.ts'
import { answer, answerCompressed, notFound, readBody, targetOf } from './serving.ts'
import { cpuSeconds, currentRun, memoryBytes } from './usage.ts'
import type { World } from './world.ts'

export const grpcCodes = {
  0: 'OK',
  2: 'Unknown',
  4: 'DeadlineExceeded',
  12: 'Unimplemented',
  14: 'Unavailable',
} as const
export type GrpcCode = keyof typeof grpcCodes
export type Result = { code: GrpcCode; message: string; body?: unknown }

/** How Go prints the error of a failed call. */
export const goError = ({ code, message }: Result): string => `rpc error: code = ${grpcCodes[code]} desc = ${message}`

const deadlineMs = 2_000
const limitBodyBytes = 1_048_576
/** The histogram bounds of Go's gRPC server metrics, in seconds. */
const boundsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

const refused = (world: World, component: Component): Result => {
  const address = `${world.pod(component).ip}:${containerPort}`
  const why = `transport: Error while dialing: dial tcp ${address}: connect: connection refused`
  return { code: 14, message: `connection error: desc = "${why}"` }
}

const isGrpcCode = (code: number): code is GrpcCode => code in grpcCodes

const readResult = async (response: IncomingMessage): Promise<Result> => {
  const text = (await readBody(response, limitBodyBytes)) ?? ''
  const code = Number(response.headers['grpc-status'] ?? 2)
  const message = decodeURIComponent(String(response.headers['grpc-message'] ?? ''))
  return { code: isGrpcCode(code) ? code : 2, message, ...(text === '' ? {} : { body: JSON.parse(text) as unknown }) }
}

export type Call = { method: string; body?: unknown; route?: string }
export type RpcClient = { call: (what: Call) => Promise<Result>; close: () => void }

/** Calls the methods of one service from the web program; a call never throws. */
export const rpcClient = (
  world: World,
  { to, port, service }: { to: Component; port: () => number; service: string },
): RpcClient => {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const send = ({ method, body }: Call): Promise<Result> =>
    new Promise((resolve) => {
      const path = `/${world.names.rpc.package}.${service}/${method}`
      const headers = { 'content-type': 'application/grpc+json', 'l5d-client-id': world.mesh.identity('web') }
      const options = { agent, host: '127.0.0.1', port: port(), path, method: 'POST', headers }
      const sent = request({ ...options, signal: AbortSignal.timeout(deadlineMs) }, (response) => {
        readResult(response).then(resolve, () => resolve({ code: 2, message: 'malformed response' }))
      })
      sent.on('error', (error) =>
        resolve(
          error.name === 'TimeoutError' || error.name === 'AbortError'
            ? { code: 4, message: 'context deadline exceeded' }
            : refused(world, to),
        ),
      )
      sent.end(JSON.stringify(body ?? {}))
    })
  return {
    call: async (what) => {
      const startedAtMs = performance.now()
      const count = world.mesh.outbound({ from: 'web', to, ...(what.route === undefined ? {} : { route: what.route }) })
      const result = await send(what)
      count({ statusCode: 200, grpcStatus: result.code, latencyMs: performance.now() - startedAtMs })
      return result
    },
    close: () => agent.destroy(),
  }
}

/** One method; it gets the request and says how the call ends. */
export type Method = (body: Readonly<Record<string, unknown>>) => Result
export type Program = {
  service: string
  methods: Readonly<Record<string, Method>>
  /** Methods that are routes of the service's profile. */
  hasRoutes: boolean
  /** Forgets everything: the process was started anew. */
  reset: () => void
  /** Its own metrics besides those of gRPC. */
  metrics: ReturnType<typeof metricSet>
}

const requestBody = (text: string | undefined): Readonly<Record<string, unknown>> => {
  try {
    const parsed: unknown = JSON.parse(text ?? '')
    // Checked to be an object; its values stay unknown.
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** What Go's client library tells of its process. */
const processFamilies = (world: World, component: Component): Family[] => {
  const run = currentRun(world.story(), component, world.nowMs())
  const [container] = world.pod(component).containers
  const one = (name: string, type: Family['type'], value: number): Family => ({
    name,
    type,
    samples: [{ name, labels: {}, value }],
  })
  return [
    one('go_goroutines', 'gauge', 21),
    ...(run ? [one('process_cpu_seconds_total', 'counter', cpuSeconds(component, run))] : []),
    one('process_max_fds', 'gauge', 1_048_576),
    one('process_open_fds', 'gauge', 14),
    ...(run && container ? [one('process_resident_memory_bytes', 'gauge', memoryBytes(container, run))] : []),
    one('process_start_time_seconds', 'gauge', Math.floor(world.processStartMs(component) / 1000)),
  ]
}

/** The two ports of a gRPC program: its methods, and its metrics. */
export const rpcServer = (world: World, component: Component, program: Program) => {
  const fullName = `${world.names.rpc.package}.${program.service}`
  let incarnation = world.incarnation(component)
  const wake = (): void => {
    if (incarnation === world.incarnation(component)) return
    incarnation = world.incarnation(component)
    program.reset()
  }
  const run = (name: string, body: Readonly<Record<string, unknown>>): Result => {
    if (!world.serving(component)) return refused(world, component)
    wake()
    const method = Object.hasOwn(program.methods, name) ? program.methods[name] : undefined
    if (method === undefined) return { code: 12, message: `unknown method ${name} for service ${fullName}` }
    const labels: Labels = { grpc_method: name, grpc_service: fullName, grpc_type: 'unary' }
    const startedAtMs = performance.now()
    program.metrics.add('grpc_server_started_total', labels)
    program.metrics.add('grpc_server_msg_received_total', labels)
    const result = method(body)
    const { metrics } = program
    metrics.add('grpc_server_handled_total', { grpc_code: grpcCodes[result.code], ...labels })
    metrics.observe('grpc_server_handling_seconds', labels, (performance.now() - startedAtMs) / 1000)
    if (result.code === 0) metrics.add('grpc_server_msg_sent_total', labels)
    return result
  }
  const rpc: RequestListener = async (incoming, response) => {
    const startedAtMs = performance.now()
    const [, serviceName, name = ''] = (targetOf(incoming)?.pathname ?? '').split('/')
    if (serviceName !== fullName) return answer(incoming, response, notFound)
    const client = incoming.headers['l5d-client-id']
    const known = program.hasRoutes && Object.hasOwn(program.methods, name)
    const count = world.mesh.inbound({
      to: component,
      ...(known ? { route: name } : {}),
      ...(typeof client === 'string' ? { clientId: client } : {}),
    })
    const result = run(name, requestBody(await readBody(incoming, limitBodyBytes)))
    count({ statusCode: 200, grpcStatus: result.code, latencyMs: performance.now() - startedAtMs })
    const headers = { 'grpc-status': String(result.code), 'grpc-message': encodeURIComponent(result.message) }
    const body = result.body === undefined ? '' : JSON.stringify(result.body)
    answer(incoming, response, { status: 200, contentType: 'application/grpc+json', headers, body })
  }
  const metrics: RequestListener = (incoming, response) => {
    // The metrics are served by the program itself: a dead one accepts nothing.
    if (!world.serving(component)) return void incoming.socket.destroy()
    wake()
    if (targetOf(incoming)?.pathname !== '/metrics') return answer(incoming, response, notFound)
    const body = writeFamilies([...program.metrics.families(), ...processFamilies(world, component)])
    answerCompressed(incoming, response, { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body })
  }
  return { rpc, metrics }
}

export const rpcMetrics = () => metricSet(boundsSeconds)
