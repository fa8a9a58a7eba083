import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Where a Chromium is on this machine, if it has one. */
export const chromiumPath = places.find((path) => existsSync(path))

const flags = (profile: string) => [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
  `--user-data-dir=${profile}`,
  'about:blank',
]

const debugAddress = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const [, address] = /DevTools listening on (ws:\S+)/.exec(said) ?? []
      if (address) resolve(address)
    })
    child.once('exit', () => reject(new Error(`Chromium went away: ${said.slice(-500)}`)))
  })

type Reply = { id?: number; result?: Record<string, unknown>; error?: { message: string }; method?: string }

/** The DevTools protocol over one socket: calls, and waiting for the next event of a name. */
const protocol = async (address: string) => {
  const socket = new WebSocket(address)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  const waiting = new Map<number | string, (reply: Reply) => void>()
  socket.addEventListener('message', ({ data }) => {
    const reply: Reply = JSON.parse(String(data))
    const key = reply.id ?? reply.method ?? ''
    waiting.get(key)?.(reply)
    waiting.delete(key)
  })
  let calls = 0
  const call = (method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      const id = ++calls
      waiting.set(id, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result ?? {})))
      socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }))
    })
  const event = (method: string) => new Promise((resolve) => waiting.set(method, resolve))
  return { call, event, close: () => socket.close() }
}

export type Look = { url: string; width: number; dark: boolean }

export type Browser = {
  /** Opens a page and answers what the expression gives there, as JSON. */
  look: (at: Look, expression: string) => Promise<unknown>
  /** Does something on the page that is open, and answers what the expression gives on the page it leads to. */
  follow: (doing: string, expression: string) => Promise<unknown>
  /** A picture (PNG) of the page that is open, from its top, so many pixels high. */
  picture: (height: number) => Promise<Buffer>
  close: () => Promise<void>
}

const mobile = (width: number) => ({ width, height: 900, deviceScaleFactor: 1, mobile: width < 600 })

/** Starts a Chromium that is only ever sent to loopback. */
export const startChromium = async (path: string): Promise<Browser> => {
  const profile = mkdtempSync(join(tmpdir(), 'whodunit-chromium-'))
  const child = spawn(path, flags(profile), { stdio: ['ignore', 'ignore', 'pipe'] })
  const gone = once(child, 'exit')
  const { call, event, close } = await protocol(await debugAddress(child))
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true })
  const inPage = (method: string, params: object = {}) => call(method, params, String(sessionId))
  await inPage('Page.enable')
  const evaluate = async (expression: string): Promise<unknown> => {
    const { result } = await inPage('Runtime.evaluate', { expression, returnByValue: true })
    return typeof result === 'object' && result !== null && 'value' in result ? result.value : undefined
  }
  return {
    look: async ({ url, width, dark }, expression) => {
      await inPage('Emulation.setDeviceMetricsOverride', mobile(width))
      const features = [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]
      await inPage('Emulation.setEmulatedMedia', { features })
      const loaded = event('Page.loadEventFired')
      await inPage('Page.navigate', { url })
      await loaded
      return evaluate(expression)
    },
    follow: async (doing, expression) => {
      const loaded = event('Page.loadEventFired')
      await inPage('Runtime.evaluate', { expression: doing })
      await loaded
      return evaluate(expression)
    },
    picture: async (height) => {
      const { cssLayoutViewport } = await inPage('Page.getLayoutMetrics')
      const { clientWidth: width } = cssLayoutViewport as { clientWidth: number } // as the protocol has it
      const clip = { x: 0, y: 0, width, height, scale: 1 }
      const { data } = await inPage('Page.captureScreenshot', { format: 'png', clip, captureBeyondViewport: true })
      return Buffer.from(String(data), 'base64')
    },
    close: async () => {
      close()
      child.kill('SIGTERM')
      await gone
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
