import { connect, isIP, type Socket } from 'node:net'
import { beforeDeadline, type Deadline } from './deadline.ts'
import { type Result, socketFailure } from './failure.ts'

export type Sockets = {
  keep: <S extends Socket>(socket: S) => S
  /** Call it when the run is over, however it went. */
  destroy: () => void
}

/** Everything a run opened, so that nothing outlives it. An error nobody waits for any more must not end the process. */
export const openSockets = (): Sockets => {
  const all = new Set<Socket>()
  return {
    keep: (socket) => {
      all.add(socket)
      socket.on('error', () => undefined)
      return socket
    },
    destroy: () => {
      for (const socket of all) socket.destroy()
      all.clear()
    },
  }
}

export const endpoint = (address: string, port: number): string =>
  isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`

/** One TCP connection to one address, and no second try. */
export const connectTcp = (
  to: { address: string; port: number },
  { deadline, sockets }: { deadline: Deadline; sockets: Sockets },
): Promise<Result<Socket>> =>
  beforeDeadline(deadline, 'connect', (settle) => {
    const options = { host: to.address, port: to.port, autoSelectFamily: false, noDelay: true }
    const socket = sockets.keep(connect(options))
    socket.once('connect', () => settle({ value: socket }))
    socket.once('error', (error) =>
      settle({ failure: socketFailure(error, 'connect', endpoint(to.address, to.port)) }),
    )
  })
