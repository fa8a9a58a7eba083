import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { defaultNames, type Names } from '../../../examples/emojivoto/names.ts'
import { defaultPorts, freePorts, urlsOf } from '../../../examples/emojivoto/ports.ts'
import { randomNames } from '../../../examples/emojivoto/random-names.ts'
import { sceneNames } from '../../../examples/emojivoto/scenes.ts'
import { startTown, type Town } from '../../../examples/emojivoto/town.ts'
import { townConfig } from '../../../examples/emojivoto/town-config.ts'
import { federate, get, kube, logLines, lokiUrl, total, vote } from './reading.ts'

const flat = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(flat)
      : []

/** Words that only this demo has: of the default names those the random ones must not share. */
const telltale = (names: Names): string[] => {
  const words = flat(names).flatMap((text) => text.match(/[A-Za-z][A-Za-z0-9]{2,}/g) ?? [])
  // English any program may speak, and what the platform itself is called.
  const common =
    /^(error|errors|starting|using|panic|open|etc|json|such|file|directory|for|the|has|now|which|with|example)$/i
  return [...new Set(words.map((word) => word.toLowerCase()))].filter((word) => !common.test(word))
}

const outputs = async (town: Town): Promise<string> => {
  const { urls, names } = town
  const everything = { query: `{namespace=~".+"}`, limit: '5000', start: String((Date.now() - 20 * 86_400_000) * 1e6) }
  const addresses = [
    `${urls.web}/`,
    `${urls.web}${names.paths.list}`,
    `${urls.web}${names.paths.leaderboard}`,
    `${urls.web}${names.paths.vote}`,
    `${urls.web}${names.paths.vote}?${names.paths.choice}=nothing`,
    urls.votingMetrics,
    urls.emojiMetrics,
    `${urls.kubeStateMetrics}/metrics`,
    `${urls.linkerd}/federate?match[]=${encodeURIComponent('{job=~".+"}')}`,
    lokiUrl(town, everything),
  ]
  const texts = await Promise.all(
    addresses.map((url) =>
      get(url).then(
        ({ body }) => body,
        () => '',
      ),
    ),
  )
  return texts.join('\n')
}

test.each(sceneNames)('%s with random names says no word of the default ones', async (scene) => {
  const names = randomNames(20_261_123)
  const town = await startTown({ scene, names, ports: freePorts, requestsPerSecond: 200 })
  try {
    for (const { shortcode } of names.items) await vote(town, shortcode)
    town.setFault(true)
    for (const { shortcode } of names.items) await vote(town, shortcode)
    await get(`${town.urls.web}${names.paths.list}`)
    const text = (await outputs(town)).toLowerCase()
    // Words of kube-state-metrics, Linkerd, Loki and Kubernetes' own names.
    const platform = [
      'list',
      'all',
      'server',
      'platform',
      'town',
      'service',
      'web',
      'metrics',
      'grpc',
      'port',
      'total',
      'message',
      ...['svc', 'l5d', 'serving', 'request'],
    ]
    const words = telltale(defaultNames).filter((word) => !platform.includes(word))
    const alone = (word: string) => new RegExp(`(?<![a-z0-9])${word}(?![a-z0-9])`)
    expect(words.length).toBeGreaterThan(40)
    expect(words.filter((word) => alone(word).test(text))).toEqual([])
    expect(
      ['emojivoto', 'doughnut', 'votingservice', 'web-svc', 'vote', '/api/', 'emoji'].filter((word) =>
        text.includes(word),
      ),
    ).toEqual([])
  } finally {
    await town.close()
  }
})

test('a renamed fault agrees in all sources', async () => {
  const names = randomNames(5)
  const town = await startTown({ names, ports: freePorts, requestsPerSecond: 0 })
  try {
    const [broken, other] = names.items
    town.setFault(true)
    const statuses = [
      await vote(town, broken.shortcode),
      await vote(town, broken.shortcode),
      await vote(town, other?.shortcode ?? ''),
    ]
    expect(statuses.map(({ status }) => status)).toEqual([500, 500, 200])
    const mesh = await federate(town)
    const failed = { deployment: names.workloads.web.deployment, direction: 'outbound', classification: 'failure' }
    expect(total(mesh, 'route_response_total', failed)).toBe(2)
    expect(total(mesh, 'response_total', { ...failed, dst_deployment: names.workloads.voting.deployment })).toBe(2)
    const selector = `{namespace="${names.namespace}",app="${names.workloads.voting.deployment}"}`
    expect(await logLines(town, `${selector} |= "${names.texts.itemError}"`)).toHaveLength(2)
    const pods = (await kube(town)).filter(({ name }) => name === 'kube_pod_info')
    expect(pods.filter(({ labels }) => labels['namespace'] === names.namespace)).toHaveLength(4)
  } finally {
    await town.close()
  }
})

test('random names are the same for the same seed and differ for another', () => {
  expect(randomNames(1)).toEqual(randomNames(1))
  const [one, two] = [new Set(flat(randomNames(1))), flat(randomNames(2))]
  expect(two.filter((word) => one.has(word) && /[a-z]{4}/.test(word)).length).toBeLessThan(5)
})

test('no word is used twice in one set of names', () => {
  const names = randomNames(9)
  const ids = [
    names.namespace,
    ...Object.values(names.workloads).map(({ deployment }) => deployment),
    ...Object.values(names.config.monitors),
  ]
  expect(new Set(ids).size).toBe(ids.length)
  expect(new Set(names.items.map(({ shortcode }) => shortcode)).size).toBe(12)
})

const yamlText = readFileSync(new URL('../../../examples/emojivoto/whodunit.yaml', import.meta.url), 'utf8')

test('whodunit.yaml is the same config, for the default names and ports', () => {
  const config: unknown = parse(yamlText)
  expect(config).toEqual(
    townConfig(
      defaultNames,
      urlsOf((part) => defaultPorts[part]),
    ),
  )
})

test.each([1, 2, 3])('the config of a town with the names of seed %i is valid', async (seed) => {
  const { configSchema } = await import('../../../config/schema.ts')
  const config = townConfig(
    randomNames(seed),
    urlsOf((part) => defaultPorts[part]),
  )
  const result = configSchema.safeParse(config)
  expect(result.error?.issues ?? []).toEqual([])
  expect(configSchema.safeParse(parse(yamlText)).success).toBe(true)
})
