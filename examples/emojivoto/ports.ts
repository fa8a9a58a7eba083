import type { TownUrls } from './town-config.ts'

/** Where each part listens when nothing else is said; the ports `whodunit.yaml` names. */
export const defaultPorts = {
  web: 18_080,
  webSecure: 18_081,
  votingMetrics: 18_082,
  emojiMetrics: 18_083,
  kubeStateMetrics: 18_084,
  linkerd: 18_085,
  loki: 18_086,
  control: 18_087,
  votingRpc: 18_088,
  emojiRpc: 18_089,
  kubernetes: 18_090,
}
export type Part = keyof typeof defaultPorts
export type Ports = Record<Part, number>

/** Any free port for every part. */
export const freePorts: Ports = {
  web: 0,
  webSecure: 0,
  votingMetrics: 0,
  emojiMetrics: 0,
  kubeStateMetrics: 0,
  linkerd: 0,
  loki: 0,
  control: 0,
  votingRpc: 0,
  emojiRpc: 0,
  kubernetes: 0,
}

export const urlsOf = (port: (part: Part) => number): TownUrls => {
  const url = (part: Part): string => `http://127.0.0.1:${port(part)}`
  return {
    web: url('web'),
    webSecure: `https://127.0.0.1:${port('webSecure')}`,
    votingMetrics: `${url('votingMetrics')}/metrics`,
    emojiMetrics: `${url('emojiMetrics')}/metrics`,
    kubeStateMetrics: url('kubeStateMetrics'),
    linkerd: url('linkerd'),
    loki: url('loki'),
    kubernetes: `https://127.0.0.1:${port('kubernetes')}`,
    control: url('control'),
  }
}
