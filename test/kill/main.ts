// npm run kill -- [--kills 200] [--seed 1]: kills `serve` with -9 again and again during a storm of incidents. Every
// message that the faults must lead to has to arrive, with its incident's id, and none that they do not.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { seededRandom } from '../../examples/emojivoto/random-names.ts'
import { keys } from '../../functions/contract.ts'
import { unpackShard } from '../../functions/shard-packing.ts'
import type { Store } from '../../stores/contract.ts'
import { sqliteStore } from '../../stores/sqlite.ts'
import { whodunit } from '../cli/serving.ts'
import { pageEvent, signingKey, waitFor, webhookReceiver } from '../scenes/receivers.ts'
import { expectedIncidents, judgeChannel, reopenSeconds } from './expected.ts'
import { killLoop } from './killer.ts'
import { startStorm } from './storm.ts'

const periodMs = 2000
const endpoints = 4
const services = ['cart', 'checkout', 'login', 'mail', 'pay', 'search', 'stock', 'voucher']
const lifetimes = { startingMs: 700, workingMs: { from: 50, to: 2000 } }
const settleMs = 60_000

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, seed: { type: 'string', default: '20261127' } },
})
const wanted = Number(values.kills)
const random = seededRandom(Number(values.seed))
const folder = mkdtempSync(join(tmpdir(), 'whodunit-kill-'))

const reading = async <T>(read: (store: Store) => Promise<T>): Promise<T> => {
  const store = sqliteStore({ path: join(folder, 'data', 'whodunit.sqlite'), nowMs: Date.now, readOnly: true })
  try {
    return await read(store)
  } finally {
    await store.close()
  }
}

const firing = (service: string): Promise<number> =>
  reading(async (store) => {
    const key = keys.shard('0/1')
    const shard = (await store.read([key])).get(key)
    const alerts = shard ? Object.values(unpackShard(shard.value).alerts) : []
    return alerts.filter((alert) => alert.service === service && alert.state === 'firing').length
  })

const storm = await startStorm({ services, endpoints, random: seededRandom(Number(values.seed) + 1), firing })
const receivers = { chat: await webhookReceiver(pageEvent), pager: await webhookReceiver(pageEvent) }
const channels = Object.keys(receivers)

const monitors = services.flatMap((service) => Array.from({ length: endpoints }, (_, index) => `${service}-${index}`))
const monitor = (id: string) => ({
  kind: 'http',
  service: id.split('-')[0],
  url: `${storm.url}/${id.replace('-', '/')}`,
  periodSeconds: periodMs / 1000,
  timeoutSeconds: 1.8,
})
const config = {
  services: Object.fromEntries(services.map((service) => [service, {}])),
  monitors: Object.fromEntries(monitors.map((id) => [id, monitor(id)])),
  rules: Object.fromEntries(
    monitors.map((id) => [
      `${id}-down`,
      {
        kind: 'availability',
        monitor: id,
        failureThreshold: 2,
        successThreshold: 1,
      },
    ]),
  ),
  channels: Object.fromEntries(
    Object.entries(receivers).map(([id, { url }]) => [
      id,
      { kind: 'webhook', url, secret: 'secret:SIGNING_KEY', ratePerMinute: 600 },
    ]),
  ),
  routes: [{ channels }],
  allowTargets: ['loopback'],
  grouping: { reopenSeconds, stormIncidents: 0 },
}
writeFileSync(join(folder, 'whodunit.json'), JSON.stringify(config))

const start = () =>
  whodunit(['serve', '--config', 'whodunit.json', '--data', 'data', '--port', '0'], {
    env: { SIGNING_KEY: signingKey },
    cwd: folder,
  })

/** Rows that wait for somebody to be told; timers and the status page always have one. */
const waitingRows = (): Promise<string[]> =>
  reading(async (store) => {
    const rows = await store.due(Number.MAX_SAFE_INTEGER, 10_000)
    return rows.map(({ row }) => row).flatMap(({ id, to }) => (to === 'evaluate' || to === 'publish' ? [] : [id]))
  })

const startedMs = Date.now()
const killer = killLoop(start, random, lifetimes)
const say = (text: string) => (process.stdout.isTTY ? process.stdout.write(`\r${text} `) : undefined)
// Far more than any life lasts: a loop that makes no progress ends with what it has.
const untilMs = startedMs + wanted * 8000 + 60_000
while (killer.kills() < wanted && Date.now() < untilMs) {
  say(`${killer.kills()} of ${wanted} kills`)
  await sleep(100)
}
await killer.stopKilling()
const tookSeconds = (Date.now() - startedMs) / 1000
await storm.calmDown()
const expected = expectedIncidents(storm.faults, periodMs)
const resolved = () =>
  Object.values(receivers).every(({ arrived }) => {
    const over = arrived.filter(({ body }) => body.type === 'incident.resolved').map(({ id }) => id.split(':')[0])
    return new Set(over).size >= expected.length
  })
await waitFor('all resolves', () => (resolved() ? true : undefined), settleMs).catch(() => undefined)
const settledByMs = Date.now() + 20_000
let waiting = await waitingRows()
while (waiting.length > 0 && Date.now() < settledByMs) {
  await sleep(200)
  waiting = await waitingRows()
}
// Anything that should not come has had its time by then.
await sleep(3000)
const last = killer.running()
last.process.kill('SIGTERM')
const code = await last.exited

const verdicts = Object.entries(receivers).map(([id, { arrived }]) =>
  judgeChannel(id, { arrived, killsAtMs: killer.killsAtMs }, expected),
)
const refused = Object.values(receivers).flatMap((one) => one.refused)
const failures = [
  ...verdicts.flatMap((one) => one.failures),
  ...waiting.map((id) => `${id} still waits`),
  ...refused.map((why) => `a receiver refused a message: ${why}`),
  ...(code === 0 ? [] : [`the last serve ended with ${code}: ${last.stderr().slice(-500)}`]),
  ...(killer.kills() >= wanted ? [] : [`only ${killer.kills()} of ${wanted} kills`]),
]
say('')
for (const failure of failures) console.log(`FAILED ${failure}`)
const sum = (pick: (one: (typeof verdicts)[number]) => number) => verdicts.reduce((all, one) => all + pick(one), 0)
console.log(`${killer.kills()} kills in ${tookSeconds.toFixed(0)} s, seed ${values.seed}`)
console.log(`${storm.faults.length} faults of ${services.length} services on ${channels.length} channels`)
console.log(`${sum((one) => one.messages)} messages, ${sum((one) => one.repeats)} of them came again`)
console.log(`${sum((one) => one.passed)} passed, ${failures.length} failed`)
await Promise.all([storm.close(), ...Object.values(receivers).map(({ close }) => close())])
if (failures.length === 0) rmSync(folder, { recursive: true, force: true })
else console.log(`what the hub knew is kept in ${folder}`)
process.exitCode = failures.length === 0 ? 0 : 1
