import { type ServerType, serve } from '@hono/node-server'

/** The server cannot listen: a sentence for a person. */
export class ListenError extends Error {
  override name = 'ListenError'
  readonly hint: string
  constructor(message: string, hint: string, cause: unknown) {
    super(message, { cause })
    this.hint = hint
  }
}

type Place = { host: string; port: number }

const listenError = (error: NodeJS.ErrnoException, { host, port }: Place) => {
  if (error.code === 'EADDRINUSE') {
    return new ListenError(
      `port ${port} on ${host} is taken`,
      'stop what listens there, or choose another with --port',
      error,
    )
  }
  if (error.code === 'EACCES') {
    return new ListenError(`port ${port} needs more rights`, 'choose a port above 1023 with --port', error)
  }
  return new ListenError(`cannot listen on ${host}:${port}: ${error.message}`, 'check --host and --port', error)
}

export type Listening = { url: string; close: () => Promise<void> }

/** Whoever asked for something by then has it; a browser connects ahead and asks for nothing, a scanner for half. */
const graceMs = 2000

const closeServer = async (server: ServerType): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  const timer = setTimeout(() => {
    if ('closeAllConnections' in server) server.closeAllConnections()
  }, graceMs)
  await promise
  clearTimeout(timer)
}

/** Serves `fetch` there. Throws {@link ListenError}. */
export const listen = (place: Place, fetch: (request: Request) => Response | Promise<Response>): Promise<Listening> =>
  new Promise((resolve, reject) => {
    const { host } = place
    const server = serve({ fetch, hostname: host, port: place.port }, ({ port }) => {
      const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
      resolve({ url, close: () => closeServer(server) })
    })
    server.on('error', (error: NodeJS.ErrnoException) => reject(listenError(error, place)))
  })
