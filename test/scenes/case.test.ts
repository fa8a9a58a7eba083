import { afterEach, expect, test } from '@jest/globals'
import type { SceneName } from '../../examples/emojivoto/scenes.ts'
import { snsReceiver, waitFor } from './receivers.ts'
import { openStage } from './stage.ts'

type Stage = Awaited<ReturnType<typeof openStage>>
const open: { close: () => Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map(({ close }) => close()))
})

const stage = async (...given: Parameters<typeof openStage>): Promise<Stage> => {
  const opened = await openStage(...given)
  open.push(opened)
  return opened
}

/** The window needs a few healthy scrapes before the fault, or nothing could be new. */
const healthyMs = 3500
const settle = () => new Promise((resolve) => setTimeout(resolve, healthyMs))

const firstPage = (pages: Stage['pages']) => waitFor('a page', () => pages.arrived[0])

const culprits: { scene: SceneName; kind: string; name: string; part?: string; cause: string; question: string }[] = [
  {
    scene: 'doughnut',
    kind: 'workload',
    name: 'voting',
    part: 'VoteDoughnut',
    cause: 'failing-route',
    question: 'traffic-okay',
  },
  { scene: 'emoji-oom', kind: 'workload', name: 'emoji', cause: 'out-of-memory', question: 'service-running' },
  { scene: 'voting-bad-rollout', kind: 'workload', name: 'voting', cause: 'rollout', question: 'service-running' },
  {
    scene: 'web-cert-expired',
    kind: 'certificate',
    name: '127.0.0.1',
    cause: 'certificate-invalid',
    question: 'health-checks-passing',
  },
]

test.each(culprits)(
  '$scene pages with its checklist and names $name',
  async ({ scene, kind, name, part, cause, question }) => {
    const { town, pages, status } = await stage(scene)
    await settle()
    town.setFault(true)
    const faultAtMs = Date.now()
    const { body, atMs, id } = await firstPage(pages)
    expect(atMs - faultAtMs).toBeLessThan(15_000)
    expect(id).toBe(body.data.deliveryId)
    const { caseFile } = body.data
    expect(caseFile?.answers.map(({ title }) => title)).toEqual([
      'Service running?',
      'Health checks passing?',
      'Logs look okay?',
      'Traffic okay?',
      'Resources okay?',
      'What changed?',
      'Whose is it?',
    ])
    expect(caseFile?.suspects[0]).toMatchObject({
      accused: { kind, ...(part ? { part } : {}) },
      cause: expect.stringContaining(cause),
    })
    expect(caseFile?.suspects[0]?.accused.name).toContain(name)
    expect(caseFile?.answers.find((answer) => answer.question === question)?.verdict).toBe('bad')
    const change = await waitFor('a status change', () => status.arrived[0])
    expect(change.body.component_update).toMatchObject({ old_status: 'operational' })
    expect([...pages.refused, ...status.refused]).toEqual([])
  },
)

test('when the fault ends whoever was paged hears of it, once, and the component is operational again', async () => {
  const { town, pages, status } = await stage('doughnut')
  await settle()
  town.setFault(true)
  await firstPage(pages)
  town.setFault(false)
  const resolved = await waitFor('the resolve', () =>
    pages.arrived.find(({ body }) => body.type === 'incident.resolved'),
  )
  const back = await waitFor('the component', () =>
    status.arrived.find(({ body }) => body.component.status === 'operational'),
  )
  const incident = resolved.id.split(':')[0]
  expect(pages.arrived.map(({ id }) => id)).toEqual([`${incident}:chat:1`, `${incident}:chat:2`])
  expect(back.id).toBe(`${incident}%2Eweb:users:2`)
})

test('a healthy town pages nobody', async () => {
  const { pages, status, warnings } = await stage('healthy')
  await new Promise((resolve) => setTimeout(resolve, 6000))
  expect([pages.arrived, status.arrived, warnings]).toEqual([[], [], []])
})

test('the page leaves in time though every source hangs, and says what it does not know', async () => {
  const { town, pages } = await stage('doughnut')
  await settle()
  town.setHang(['loki', 'linkerd', 'kube-state-metrics'])
  town.setFault(true)
  const faultAtMs = Date.now()
  const { body, atMs } = await firstPage(pages)
  expect(atMs - faultAtMs).toBeLessThan(3000 + 900 + 3000 + 1500)
  const verdicts = Object.fromEntries(
    body.data.caseFile?.answers.map(({ question, verdict }) => [question, verdict]) ?? [],
  )
  expect(verdicts).toMatchObject({
    'service-running': 'unknown',
    'logs-look-okay': 'unknown',
    'traffic-okay': 'unknown',
  })
  expect(verdicts['health-checks-passing']).toBe('bad')
})

test('SNS gets the page through the real SDK', async () => {
  process.env['AWS_ACCESS_KEY_ID'] = 'test'
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test'
  const sns = await snsReceiver()
  open.push(sns)
  const topicArn = 'arn:aws:sns:eu-west-1:000000000000:on-call'
  const { town } = await stage('doughnut', {
    channels: { pager: { kind: 'sns', topicArn, endpoint: sns.url } },
    routes: [{ channels: ['pager'] }],
  })
  await settle()
  town.setFault(true)
  const { body, id } = await waitFor('a page through SNS', () => sns.arrived[0])
  expect(body).toMatchObject({ topicArn, message: expect.stringContaining('Service running?') })
  expect(body.message).toContain('VoteDoughnut')
  expect(id).toMatch(/^web-\d{8}-\d{6}:pager:1$/)
})
