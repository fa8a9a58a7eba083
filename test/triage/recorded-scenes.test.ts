import { expect, test } from '@jest/globals'
import type { Service } from '../../config/contract.ts'
import { openCaseFile } from '../../triage/case-file.ts'
import type { CaseFile } from '../../triage/contract.ts'
import { questions } from '../../triage/registry.ts'
import { loadScene, loadScrapes, type Scene, sceneIds, scenesAreHere } from './recorded-scenes.ts'
import { briefAbout, type Scraped, serviceIn, testimonyOf, witnessesWho } from './witness-stand.ts'

const sharedTest = scenesAreHere ? test : test.skip

/** What a config would say: the service itself, and the StatefulSets of its namespace that the scene says it needs. */
const servicesOf = ({ namespace, service, expected }: Scene): Record<string, Service> => {
  const needed = expected.suspects
    .filter((one) => one.kind === 'StatefulSet' && one.namespace === namespace && one.name !== service)
    .map(({ name }) => name)
  return {
    [service]: serviceIn(namespace, service, { dependsOn: needed }),
    ...Object.fromEntries(needed.map((name) => [name, serviceIn(namespace, name)])),
  }
}

const investigate = (scene: Scene, scrapes: readonly Scraped[]): Promise<CaseFile> => {
  const testimony = testimonyOf(scrapes)
  return openCaseFile({
    brief: briefAbout(scene.service, { sinceMs: scene.incident_start.unix * 1000 }),
    witnesses: witnessesWho({
      nowMs: testimony.atMs,
      services: servicesOf(scene),
      series: { 'kube-state-metrics': testimony },
    }),
    deadlineMs: 3000,
    questions,
  })
}

const verdictOf = ({ answers }: CaseFile, title: string) => answers.find((one) => one.title === title)?.verdict

const accepted = { yes: ['ok'], partly: ['suspicious', 'bad'], no: ['bad'] }

/** Kubernetes tells everybody whether a pod is ready, and nobody whether a probe is configured. */
const acceptedHealth = { ...accepted, 'not-configured': ['ok', 'bad'] }

const acceptable = ({ expected }: Scene): string[] =>
  expected.suspects.flatMap(({ name, also_acceptable: also = [] }) => [name, ...also.map((one) => one.name)])

const ids = sceneIds()

sharedTest('fourteen recorded scenes are replayed', () => expect(ids).toHaveLength(14))

for (const id of ids) {
  sharedTest(`${id} is answered and its suspect named`, async () => {
    const scene = loadScene(id)
    const caseFile = await investigate(scene, loadScrapes(scene))
    const { service_running: running, health_checks_passing: health } = scene.expected
    expect(accepted[running.answer]).toContain(verdictOf(caseFile, 'Service running?'))
    expect(acceptedHealth[health.answer]).toContain(verdictOf(caseFile, 'Health checks passing?'))
    const [first] = scene.expected.suspects
    const allowed = [first?.name, ...(first?.also_acceptable ?? []).map(({ name }) => name)]
    expect(allowed).toContain(caseFile.suspects[0]?.accused.name)
  })

  sharedTest(`${id} accuses nobody wrongly at any time during the incident`, async () => {
    const scene = loadScene(id)
    const scrapes = loadScrapes(scene)
    const during = scene.scrapes.flatMap(({ phase }, index) => (phase === 'during' ? [index + 1] : []))
    for (const end of during) {
      for (const from of [0, end - 1]) {
        const { suspects } = await investigate(scene, scrapes.slice(from, end))
        for (const { accused } of suspects) expect(acceptable(scene)).toContain(accused.name)
      }
    }
  })
}

const workloadNames = ({ samples }: Scraped): [string, string][] =>
  samples.flatMap(({ name, labels: { namespace = '', deployment, statefulset, daemonset } }) =>
    /^kube_(?:deployment_spec_replicas|statefulset_replicas|daemonset_status_desired_number_scheduled)$/.test(name)
      ? [[namespace, deployment ?? statefulset ?? daemonset ?? '']]
      : [],
  )

sharedTest.each(scenesAreHere ? ids : ['none'])(
  'in %s, an incident of any other workload accuses none but the guilty',
  async (id) => {
    const scene = loadScene(id)
    const scrapes = loadScrapes(scene)
    const testimony = testimonyOf(scrapes)
    // The victim of s05 is accused for want of a config that knows what it needs.
    const guilty = [...acceptable(scene), scene.service]
    const last = scrapes.at(-1)
    const others = last ? workloadNames(last) : []
    expect(others.length).toBeGreaterThan(10)
    for (const [namespace, name] of others) {
      const { suspects } = await openCaseFile({
        brief: briefAbout('it', { sinceMs: scene.incident_start.unix * 1000 }),
        witnesses: witnessesWho({
          nowMs: testimony.atMs,
          services: { it: serviceIn(namespace, name) },
          series: { 'kube-state-metrics': testimony },
        }),
        deadlineMs: 3000,
        questions,
      })
      for (const { accused } of suspects) expect(guilty).toContain(accused.name)
    }
  },
)
