import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { seededRandom } from '../../examples/emojivoto/random-names.ts'
import { townConfig } from '../../examples/emojivoto/town-config.ts'
import { killLoop } from '../kill/killer.ts'
import { type Arrived, type PageEvent, pageEvent, signingKey, waitFor, webhookReceiver } from '../scenes/receivers.ts'
import { openTown } from '../scenes/stage.ts'
import { whodunit } from './serving.ts'

const periodMs = 2000
const faultMs = 9000
const calmMs = 9000
const faults = 2

const slotOf = (ms: number) => Math.floor(ms / periodMs) * periodMs
const stampOf = (ms: number) => new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** The ids a fault may lead to: an incident is named after the scheduled time of the first look that saw it. */
const possibleIncidents = (service: string, window: { fromMs: number; toMs: number }) => {
  const slots: string[] = []
  for (let slot = slotOf(window.fromMs); slot <= window.toMs; slot += periodMs)
    slots.push(`${service}-${stampOf(slot)}`)
  return slots
}

/** One page, one resolve, and an update in between only when the page had to leave without its case file. */
const expectedIds = (incidentId: string, arrived: readonly Arrived<PageEvent>[]) => {
  const page = arrived.find(({ id }) => id === `${incidentId}:chat:1`)
  const events = page?.body.data.caseFile
    ? ['incident.opened', 'incident.resolved']
    : ['incident.opened', 'incident.updated', 'incident.resolved']
  return events.map((event, index) => `${incidentId}:chat:${index + 1} ${event}`)
}

test('serve killed with -9 again and again loses no page and sends no unexpected one', async () => {
  const { town, files, folder, close } = await openTown('doughnut')
  const pages = await webhookReceiver(pageEvent)
  const written = townConfig(town.names, town.urls, files)
  const monitors = Object.fromEntries(
    Object.entries(written.monitors).map(([id, monitor]) => [
      id,
      { ...monitor, periodSeconds: periodMs / 1000, timeoutSeconds: 1 },
    ]),
  )
  const channels = { chat: { kind: 'webhook', url: pages.url, secret: 'secret:SIGNING_KEY' } }
  // Every fault is to be an incident of its own.
  const grouping = { reopenSeconds: 0 }
  const path = join(folder, 'whodunit.json')
  writeFileSync(path, JSON.stringify({ ...written, monitors, channels, routes: [{ channels: ['chat'] }], grouping }))
  const start = () =>
    whodunit(['serve', '--config', path, '--data', join(folder, 'data'), '--port', '0'], {
      env: { SIGNING_KEY: signingKey },
    })
  const killer = killLoop(start, seededRandom(20_261_123), { startingMs: 700, workingMs: { from: 100, to: 2500 } })
  const windows: { fromMs: number; toMs: number }[] = []
  await pause(4000)
  for (let index = 0; index < faults; index++) {
    town.setFault(true)
    const fromMs = Date.now()
    await pause(faultMs)
    town.setFault(false)
    windows.push({ fromMs, toMs: Date.now() })
    await pause(calmMs)
  }
  await killer.stopKilling()
  const resolved = () => pages.arrived.filter(({ body }) => body.type === 'incident.resolved')
  const ids = () => new Set(resolved().map(({ id }) => id.split(':')[0]))
  await waitFor(`${faults} resolves`, () => (ids().size >= faults ? true : undefined), 40_000)
  await pause(1500)
  killer.running().process.kill('SIGTERM')
  expect(await killer.running().exited).toBe(0)
  const incidents = [...new Set(pages.arrived.map(({ id }) => id.split(':')[0] ?? ''))]
  expect(incidents).toHaveLength(faults)
  for (const [index, window] of windows.entries()) {
    expect(possibleIncidents(town.names.workloads.web.deployment, window)).toContain(incidents[index])
  }
  const seen = new Set(pages.arrived.map(({ id, body }) => `${id} ${body.type}`))
  expect([...seen].sort()).toEqual(incidents.flatMap((id) => expectedIds(id, pages.arrived)).sort())
  expect(killer.kills()).toBeGreaterThan(8)
  await Promise.all([close(), pages.close()])
}, 120_000)
