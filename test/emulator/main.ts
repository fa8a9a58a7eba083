// npm run emulator: the emojivoto case as deployed, on an AWS that runs here. Prints what happened when; exits 1 when
// anything did not.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteFunctionCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda'
import { keys } from '../../functions/contract.ts'
import { incident } from '../../functions/hub-state.ts'
import { signingKey, statusEvent, webhookReceiver } from '../scenes/receivers.ts'
import { openTown } from '../scenes/stage.ts'
import { askFunctionUrl, type Inbox, outside, type Told } from './aws.ts'
import { deployerFor } from './deploy.ts'
import { startEmulator } from './ministack.ts'
import { away, hub, name, scene } from './scene.ts'
import { timeline, until } from './timeline.ts'

const print = (text: string) => process.stdout.write(`${text}\n`)
const { note, quote } = timeline(print)
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

let passed = 0
const check = (what: string, holds: boolean) => {
  if (!holds) throw new Error(`not so: ${what}`)
  passed++
  note(`ok: ${what}`)
}

const folder = mkdtempSync(join(tmpdir(), 'whodunit-emulator-'))
const emulator = await startEmulator(hub)
note(`emulator at ${emulator.url}, IAM enforced`)
const { town, files, close: closeTown } = await openTown('doughnut')
const status = await webhookReceiver(statusEvent)
const world = outside(emulator)
const { bootstrap, deploy } = deployerFor(emulator, folder)
const store = world.storeIn(hub, name)

const next = (inbox: Inbox, what: string, fits: (told: Told) => boolean, seconds: number) =>
  until(
    what,
    async () => {
      await inbox.look()
      return inbox.told.find(fits)
    },
    { seconds },
  )
const event = (wanted: string) => (told: Told) => told.attributes['event'] === wanted
const statusPage = async () =>
  (await world.readObject(hub, `${name}-status-000000000000-${hub}`, 'status/index.html')) ?? ''
const storedIncident = async (id: string) => {
  const item = (await store.read([keys.incident(id)])).get(keys.incident(id))
  return item && incident.parse(item.value)
}

/** The scheduled time in an incident's id is that of the first failing look. */
const firstFailureMs = (incidentId: string) => {
  const [, year, month, day, hour, minute, second] =
    /-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/.exec(incidentId)?.map(Number) ?? []
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second)
}

const play = async () => {
  await world.putSecret(hub, `/${name}/STATUS_KEY`, signingKey)
  await bootstrap([hub, away])
  note(`bootstrapped ${hub} and ${away}`)
  const config = scene(town, { files, statusUrl: status.url })
  await deploy(config)
  note('deployed: the hub and two locations')
  const pages = await world.subscribe(hub, `${name}-on-call`)
  const operators = await world.subscribe(away, `${name}-operators-${away}`)

  await until(
    'a first green status page in S3',
    async () => (/All services are operational/.test(await statusPage()) ? true : undefined),
    { seconds: 200, everyMs: 1000 },
  )
  note('the status page in S3 says that all services are operational')

  town.setFault(true)
  note('the fault begins: one vote in the town fails')
  const page = await next(pages, 'the page', event('opened'), 60)
  const id = page.attributes['incidentId'] ?? ''
  const firstMs = firstFailureMs(id)
  note(`first failing look scheduled`, firstMs)
  note(`published to SNS, ${seconds(page.publishedAtMs - firstMs)} after it`, page.publishedAtMs)
  quote(page.text)
  check(
    'the page answers the checklist and names the suspect',
    ['Service running?', 'Health checks passing?', 'Logs look okay?', town.names.workloads.voting.deployment].every(
      (part) => page.text.includes(part),
    ),
  )
  check('first failing look to SNS takes at most 6 s', page.publishedAtMs - firstMs <= 6000)
  await until(
    'the status webhook',
    async () => (status.arrived.some(({ body }) => body.component.status !== 'operational') ? true : undefined),
    { seconds: 30 },
  )
  check('the status webhook came, signed', status.refused.length === 0)
  await until('a red status page', async () => (/outage/.test(await statusPage()) ? true : undefined), {
    seconds: 90,
    everyMs: 500,
  })
  note('the status page in S3 shows the outage')

  await deploy({ ...config, shards: 4, statusPage: { ...config.statusPage, title: 'Votes' } })
  note('redeployed in the middle, with four shards')
  check('the incident is still open', (await storedIncident(id))?.status === 'open')

  const link = /https?:\/\/\S+\/acknowledge\/\S+/.exec(page.text)?.[0] ?? ''
  const shown = await askFunctionUrl(emulator, link, 'GET')
  check(
    'GET of the signed link shows and changes nothing',
    shown.status === 200 && (await storedIncident(id))?.status === 'open',
  )
  const done = await askFunctionUrl(emulator, link, 'POST')
  check('POST is taken', done.status === 303)
  await until(
    'the acknowledgement',
    async () => ((await storedIncident(id))?.status === 'acknowledged' ? true : undefined),
    { seconds: 30 },
  )
  note('acknowledged')

  note(`killed ${emulator.killFunctions()} processes of functions`)
  town.setFault(false)
  note('the fault ends')
  const resolved = await next(pages, 'the resolve', event('resolved'), 120)
  check('the resolve is of the same incident', resolved.attributes['incidentId'] === id)
  const opened = pages.told.filter(event('opened'))
  check('one page was sent, not two', opened.length === 1)
  await until(
    'a green status page',
    async () => (/All services are operational/.test(await statusPage()) ? true : undefined),
    { seconds: 120, everyMs: 1000 },
  )
  note('the status page in S3 is green again')

  const lambda = new LambdaClient(world.clientOf(hub))
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}))
  const evaluate = Functions.find(({ FunctionName = '' }) => /Evaluate/.test(FunctionName))
  await lambda.send(new DeleteFunctionCommand({ FunctionName: evaluate?.FunctionName ?? '' }))
  note('deleted the hub’s evaluate')
  const dead = await next(operators, 'the watch of the other location', ({ text }) => /hub/i.test(text), 420)
  note(`the watch in ${away} pages`, dead.publishedAtMs)
  quote(dead.text)
  check('it says which stage is stuck', /evaluate/.test(dead.text))
}

let failed = 0
try {
  await play()
} catch (error) {
  failed = 1
  note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  print(`the emulator's log: ${emulator.logPath}`)
} finally {
  await store.close()
  await emulator.stop()
  await status.close()
  await closeTown()
  rmSync(folder, { recursive: true, force: true })
}
print(`emulator: ${passed} passed, ${failed} failed`)
process.exit(failed)
