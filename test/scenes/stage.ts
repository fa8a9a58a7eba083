import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startHub } from '../../cli/hub/start.ts'
import { normalise } from '../../config/normalise.ts'
import { type Config, type ConfigInput, configSchema } from '../../config/schema.ts'
import type { Names } from '../../examples/emojivoto/names.ts'
import { freePorts } from '../../examples/emojivoto/ports.ts'
import type { SceneName } from '../../examples/emojivoto/scenes.ts'
import { startTown, type Town } from '../../examples/emojivoto/town.ts'
import { type TownFiles, townConfig } from '../../examples/emojivoto/town-config.ts'
import { memoryBlobs, memoryStore } from '../../stores/memory.ts'
import { pageEvent, signingKey, statusEvent, webhookReceiver } from './receivers.ts'

/** A town on free ports, and the folder its certificate authority was written to. */
export const openTown = async (scene: SceneName, options: { names?: Names; requestsPerSecond?: number } = {}) => {
  const town = await startTown({ scene, ports: freePorts, ...options })
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-scene-'))
  const files = { caFile: join(folder, 'ca.pem'), tokenFile: join(folder, 'token') }
  writeFileSync(files.caFile, town.caPem)
  writeFileSync(files.tokenFile, town.token)
  const close = async () => {
    await town.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { town, files, folder, close }
}

/** The town's own config, looking every second, with what a test adds. */
export const configOf = (town: Town, files: TownFiles, more: Partial<ConfigInput> = {}): Config => {
  const written = townConfig(town.names, town.urls, files)
  const monitors = Object.fromEntries(
    Object.entries(written.monitors).map(([id, monitor]) => [
      id,
      { ...monitor, periodSeconds: 1, timeoutSeconds: 0.9 },
    ]),
  )
  const clusters = Object.fromEntries(
    Object.entries(written.clusters).map(([id, cluster]) => [id, { ...cluster, scrapeIntervalSeconds: 1 }]),
  )
  // Three looks and their re-checks: about as long as five looks of the example's own period give the town to fail.
  const rules = Object.fromEntries(
    Object.keys(monitors).map((monitor) => [
      `${monitor}-down`,
      { kind: 'availability' as const, monitor, failureThreshold: 6, successThreshold: 2 },
    ]),
  )
  return normalise(configSchema.parse({ ...written, monitors, clusters, rules, ...more }))
}

/** A town watched by a hub whose pages and status changes go to loopback receivers. */
export const openStage = async (
  scene: SceneName,
  options: { names?: Names; channels?: ConfigInput['channels']; routes?: ConfigInput['routes'] } = {},
) => {
  const { town, files, close: closeTown } = await openTown(scene, options)
  const pages = await webhookReceiver(pageEvent)
  const status = await webhookReceiver(statusEvent)
  const secret = 'secret:SIGNING_KEY'
  const config = configOf(town, files, {
    channels: {
      chat: { kind: 'webhook', url: pages.url, secret },
      users: { kind: 'statuspage-webhook', url: status.url, secret },
      ...options.channels,
    },
    routes: options.routes ?? [{ channels: ['chat'] }],
    statusPage: { channels: ['users'] },
  })
  const nowMs = () => Date.now()
  const store = memoryStore({ nowMs })
  const blobs = memoryBlobs()
  const warnings: string[] = []
  const hub = startHub({
    config,
    store,
    blobs,
    nowMs,
    random: Math.random,
    secret: () => signingKey,
    print: async () => undefined,
    warn: (text) => {
      warnings.push(text)
    },
    baseUrl: 'http://127.0.0.1:1',
    holder: 'test',
  })
  const close = async () => {
    await hub.stop()
    await Promise.all([closeTown(), pages.close(), status.close()])
    await store.close()
  }
  return { town, config, store, blobs, pages, status, warnings, close }
}
