/** The four programs of the town. */
export type Component = 'web' | 'voting' | 'emoji' | 'bot'
export const components: readonly Component[] = ['web', 'voting', 'emoji', 'bot']

export type WorkloadNames = {
  deployment: string
  /** The Kubernetes Service; absent for a program nobody calls. */
  service?: string
  container: string
  /** Without its tag. */
  image: string
}
export type Item = { shortcode: string; unicode: string }

/** Every word of the town that a reader could recognise it by; all of them can be exchanged. */
export type Names = {
  title: string
  namespace: string
  metricPrefix: string
  workloads: Record<Component, WorkloadNames>
  rpc: {
    package: string
    votingService: string
    emojiService: string
    votePrefix: string
    results: string
    listAll: string
    find: string
  }
  /** The first one is what the scene `doughnut` breaks. */
  items: readonly [Item, ...Item[]]
  fields: { item: string; shortcode: string; unicode: string; votes: string }
  paths: { list: string; vote: string; leaderboard: string; choice: string }
  tags: { good: string; bad: string }
  /** Log messages; `{…}` is filled in by the program that logs it. */
  texts: {
    servingError: string
    rpcFailure: string
    itemError: string
    probability: string
    voted: string
    panic: string
    unknownItem: string
    missingItem: string
    startMetrics: string
    startServer: string
    startVoting: string
    startWeb: string
  }
  /** Ids in the whodunit config. */
  config: {
    cluster: string
    monitors: { homepage: string; list: string; vote: string; https: string }
    teams: { web: string; voting: string; platform: string }
  }
  /** Things in the cluster that have nothing to do with it. */
  noise: { namespace: string; workload: string; cronJob: string }
}

const item = (shortcode: string, unicode: string): Item => ({ shortcode: `:${shortcode}:`, unicode })

const defaultItems: readonly [Item, ...Item[]] = [
  item('doughnut', '🍩'),
  item('100', '💯'),
  item('bacon', '🥓'),
  item('beer', '🍺'),
  item('bulb', '💡'),
  item('call_me_hand', '🤙'),
  item('cat2', '🐈'),
  item('champagne', '🍾'),
  item('clap', '👏'),
  item('crystal_ball', '🔮'),
  item('dog', '🐶'),
  item('fire', '🔥'),
  item('floppy_disk', '💾'),
  item('ghost', '👻'),
  item('iphone', '📱'),
  item('jack_o_lantern', '🎃'),
  item('joy', '😂'),
  item('metal', '🤘'),
  item('pager', '📟'),
  item('pizza', '🍕'),
  item('rainbow', '🌈'),
  item('rocket', '🚀'),
  item('skier', '⛷'),
  item('tada', '🎉'),
]

const workload = (deployment: string, image: string): WorkloadNames => ({
  deployment,
  service: `${deployment}-svc`,
  container: `${deployment}-svc`,
  image: `docker.l5d.io/buoyantio/emojivoto-${image}`,
})

/** The names of the demo application by Buoyant, as its manifests have them. */
export const defaultNames: Names = {
  title: 'Emoji Vote',
  namespace: 'emojivoto',
  metricPrefix: 'emojivoto',
  workloads: {
    web: workload('web', 'web'),
    voting: workload('voting', 'voting-svc'),
    emoji: workload('emoji', 'emoji-svc'),
    bot: { deployment: 'vote-bot', container: 'vote-bot', image: 'docker.l5d.io/buoyantio/emojivoto-web' },
  },
  rpc: {
    package: 'emojivoto.v1',
    votingService: 'VotingService',
    emojiService: 'EmojiService',
    votePrefix: 'Vote',
    results: 'Results',
    listAll: 'ListAll',
    find: 'FindByShortcode',
  },
  items: defaultItems,
  fields: { item: 'emoji', shortcode: 'shortcode', unicode: 'unicode', votes: 'votes' },
  paths: { list: '/api/list', vote: '/api/vote', leaderboard: '/api/leaderboard', choice: 'choice' },
  tags: { good: 'v11', bad: 'v12' },
  texts: {
    servingError: 'Error serving request',
    rpcFailure: 'ERROR',
    itemError: 'logging an error for doughnut',
    probability: 'probability [{chance}] is less than failureRate [{rate}]',
    voted: 'Voted for [{item}], which now has a total of [{total}] votes',
    panic: 'panic: open /etc/voting/weights.json: no such file or directory',
    unknownItem: 'Choosen emoji shortcode [{item}] doesnt exist',
    missingItem: 'Emoji choice [] is mandatory',
    startMetrics: 'Starting prom metrics on PROM_PORT=[8801]',
    startServer: 'Starting grpc server on GRPC_PORT=[8080]',
    startVoting: 'Using failureRate [0.000000] and artificialDelayDuration [0s]',
    startWeb: 'Starting web server on WEB_PORT=[8080] and MESSAGE_OF_THE_DAY=[]',
  },
  config: {
    cluster: 'town',
    monitors: { homepage: 'homepage', list: 'list', vote: 'vote', https: 'https' },
    teams: { web: 'web', voting: 'voting', platform: 'platform' },
  },
  noise: { namespace: 'shop', workload: 'catalog', cronJob: 'sitemap' },
}

/** `:call_me_hand:` → `VoteCallMeHand`, the gRPC method and the Linkerd route of a vote. */
export const voteMethod = (names: Names, shortcode: string): string =>
  names.rpc.votePrefix +
  shortcode
    .replaceAll(':', '')
    .split('_')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')

/** Fills `{name}` in a log message. */
export const fill = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole)
