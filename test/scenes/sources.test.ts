import { expect, test } from '@jest/globals'
import { findSources, readSource } from '../../cli/commands/source.ts'
import { clusterReader } from '../../functions/cluster-reader.ts'
import { get } from '../examples/emojivoto/reading.ts'
import { configOf, openTown } from './stage.ts'

const nowMs = () => Date.now()

test('every source of the example is found, is read whole, and tells its facts', async () => {
  const { town, files, close } = await openTown('healthy')
  // A mesh that nobody used yet has nothing to tell.
  await get(`${town.urls.web}${town.names.paths.list}`)
  const config = configOf(town, files)
  const world = { nowMs, reader: clusterReader({ nowMs, secret: () => '' }) }
  const { all, unfound } = await findSources(config, world)
  const reports = await Promise.all(all.map((one) => readSource(config, one, world)))
  await close()
  expect(unfound).toEqual([])
  const told = reports.map(({ name, status, why, facts = {} }) => [
    name.replace(/-\d+$/, ''),
    status,
    why,
    ...Object.entries(facts).flatMap(([what, some]) => (some.length > 0 ? [what] : [])),
  ])
  expect(told).toEqual(
    expect.arrayContaining([
      ['town/kube-state-metrics', 'read', undefined, 'workloads', 'pods', 'nodes', 'endpoints', 'meshCoverage'],
      ['town/kubelet', 'read', undefined, 'containers', 'probes'],
      ['town/node', 'read', undefined, 'machines'],
      ['town/app', 'read', undefined, 'processes'],
      ['town/kubernetes', 'read', undefined, 'pods', 'rollouts'],
      ['town/loki', 'read', undefined],
    ]),
  )
  expect(told.filter(([, status]) => status !== 'read')).toEqual([])
  const count = (kind: string) => told.filter(([name]) => name === `town/${kind}`).length
  expect(['kube-state-metrics', 'kubelet', 'node', 'app', 'linkerd', 'loki', 'kubernetes'].map(count)).toEqual([
    1, 2, 2, 2, 1, 1, 1,
  ])
})
